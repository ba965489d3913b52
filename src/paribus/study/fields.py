"""Values of a study file that are checked by themselves: Keras objects, estimators, metrics, class weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, JsonValue

from paribus.keras_config import names as keras_names
from paribus.keras_config.names import spelled_out
from paribus.study.data_table import Number


def _check_class(value: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    if len(value) != 1:
        classes = ", ".join(value) or "nothing"
        raise ValueError(
            f"one Keras class with its arguments is expected, found {classes}; "
            "write it like { Dense = { units = 100 } }"
        )
    (name, arguments), *_ = value.items()
    rate = arguments.get("rate")
    if "Dropout" in name and isinstance(rate, int | float) and not 0 <= rate < 1:
        raise ValueError(f"{name} rate {rate}: a rate lies in [0, 1); write 0.2 to drop a fifth of the units")
    units = arguments.get("units")
    if name == "Dense" and units is not None and (type(units) is not int or units < 1):
        raise ValueError(f"Dense units {units}: a layer has a whole number of units, 1 or more")
    return value


_RESERVED_ARGUMENTS = {
    "random_state": "comes from each run's seed, as a network's first weights do",
    "n_jobs": "is always 1: a run has one core, and runs go side by side instead (--workers)",
    "memory": "names a folder whose files run code when they are read",
}
"""Arguments of estimators that a study may not set, and why (``docs/decisions/0033-scikit-learn-estimators.md``)."""


def _check_estimator(value: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    if len(value) != 1:
        classes = ", ".join(value) or "nothing"
        raise ValueError(
            f"one scikit-learn class name with its arguments is expected, found {classes}; "
            "write it like { LogisticRegression = { C = 0.5 } }"
        )
    if reserved := sorted(set(_list_arguments(value)) & set(_RESERVED_ARGUMENTS)):
        raise ValueError("; ".join(f"{name} {_RESERVED_ARGUMENTS[name]}; leave it out" for name in reserved))
    return value


def _list_arguments(value: object) -> Iterator[str]:
    """The keys of a table and of all tables in it."""
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _list_arguments(item)


def check_not_empty(value: Any) -> Any:
    """The value itself, a list or a table.

    Raises:
        ValueError: it is empty.
    """
    if value is not None and not value:
        raise ValueError("empty; at least one is needed")
    return value


_WEIGHTS = (
    '"balanced", or a table of labels with their weights, is expected, like { 0 = 1.0, 1 = 5.0 } or { fraud = 9.0 }'
)


def _check_weight_form(value: object) -> object:
    if value is not None and value != "balanced" and not isinstance(value, Mapping):
        raise ValueError(_WEIGHTS)
    return value


def _check_weights(value: str | dict[str, float] | None) -> str | dict[str, float] | None:
    for name, weight in value.items() if isinstance(value, dict) else ():
        if weight < 0:
            raise ValueError(f"class {name}: weight {weight:g}; a weight is 0 or more")
    return value


ClassWeight = Annotated[
    Literal["balanced"] | dict[str, Number] | None, BeforeValidator(_check_weight_form), AfterValidator(_check_weights)
]
"""Weights of classes while training: by label (or index, see ``study.plan.with_class_indices``), or balanced."""


KerasObject = Annotated[dict[str, dict[str, JsonValue]], BeforeValidator(spelled_out), AfterValidator(_check_class)]
"""A Keras class and its arguments: exactly one key."""


Estimator = Annotated[dict[str, dict[str, JsonValue]], BeforeValidator(spelled_out), AfterValidator(_check_estimator)]
"""A scikit-learn class and its arguments: exactly one key."""


def _check_metric(value: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    """The metric under its class name, whichever spelling the study uses."""
    ((name, arguments),) = _check_class(value).items()
    cls = keras_names.class_named(name)
    keras_names.check_name(keras_names.name_of(cls, arguments))
    return {cls: arguments}


KerasMetric = Annotated[dict[str, dict[str, JsonValue]], BeforeValidator(spelled_out), AfterValidator(_check_metric)]
"""A metric of Keras and its arguments: exactly one key."""


def check_metrics_differ(
    metrics: tuple[dict[str, dict[str, JsonValue]], ...],
) -> tuple[dict[str, dict[str, JsonValue]], ...]:
    """The metrics themselves.

    Raises:
        ValueError: two of them have one name.
    """
    names = [keras_names.name_of(*item) for metric in metrics for item in metric.items()]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is measured twice; give one of them another name, like name = \"{name}_2\"")
    return metrics
