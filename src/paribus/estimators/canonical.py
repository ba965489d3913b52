"""Estimators as JSON and back: ``{"LogisticRegression": {"C": 0.5}}``, like a Keras object in a study file.

An argument that is an estimator itself is written in the same way, a step of a pipeline as a pair of name and
estimator. TOML has no null: ``"None"`` stands for None. An estimator's canonical form spells out scikit-learn's
defaults, so that a release with other defaults makes other runs; it holds no ``random_state`` and no ``n_jobs``.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from paribus.estimators.classes import find, is_public
from paribus.records import canonical_json

OURS = frozenset({"random_state", "n_jobs"})
"""Arguments that no arm gives: each run has its own."""


def _without_probability(parameters: Mapping[str, Any]) -> bool:
    # Deprecated in scikit-learn 1.9, to be removed in 1.11.
    return parameters.get("probability") in {None, False, "deprecated"}


_UNSEEDED: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "LogisticRegression": lambda parameters: parameters["solver"] not in {"liblinear", "sag", "saga"},
    "SVC": _without_probability,
    "NuSVC": _without_probability,
}
"""Classes with a ``random_state`` that they do not use, as their documentation says, and when that is so."""


def recipe_text(estimator: BaseEstimator) -> str:
    """The canonical form: class, arguments with their defaults, and whether a run depends on its seed."""
    return canonical_json({"estimator": _table(estimator, defaults=True), "seeded": bool(random_states(estimator))})


def estimator_from_text(text: str) -> BaseEstimator:
    """The unfitted estimator of a canonical form.

    Args:
        text: what :func:`recipe_text` returned.

    Raises:
        ValueError: the installed scikit-learn has no such class any more.
    """
    ((name, arguments),) = json.loads(text)["estimator"].items()
    cls = find(name)
    if cls is None:
        raise ValueError(
            f"scikit-learn has no estimator {name} any more; it had one when this arm was described: "
            "install that version"
        )
    return cls(**{key: argument(key, value) for key, value in arguments.items()})


def written(estimator: BaseEstimator) -> dict[str, dict[str, Any]]:
    """An estimator as a study file writes it: its class with those arguments that are not scikit-learn's defaults.

    Args:
        estimator: the estimator, fitted or not.

    Raises:
        ValueError: an argument cannot be written, such as a function, or the class is not scikit-learn's.
    """
    return _table(estimator, defaults=False)


def random_states(estimator: BaseEstimator) -> list[str]:
    """The arguments ``random_state`` that it uses, its own first, then those of estimators inside it."""
    parameters = estimator.get_params(deep=True)
    names = [name for name in parameters if name == "random_state" or name.endswith("__random_state")]
    return sorted(
        (name for name in names if not _unused(estimator, parameters, name.removesuffix("random_state"))),
        key=lambda name: (name.count("__"), name),
    )


def argument(key: str, value: Any) -> Any:
    """The value of an argument from its JSON."""
    if value == "None":
        return None
    if key == "class_weight" and isinstance(value, dict):
        return {int(name): weight for name, weight in value.items()}
    if isinstance(value, list):
        items = [argument("", item) for item in value]
        if len(items) > 1 and isinstance(items[0], str) and any(isinstance(item, BaseEstimator) for item in items):
            return tuple(items)
        return items if holds_estimator(items) else tuple(items)
    if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict):
        ((name, arguments),) = value.items()
        cls = find(name)
        return value if cls is None else cls(**{inner: argument(inner, item) for inner, item in arguments.items()})
    cls = find(value) if isinstance(value, str) else None
    return value if cls is None else cls()


def _unused(estimator: BaseEstimator, parameters: Mapping[str, Any], prefix: str) -> bool:
    owner = parameters[prefix.removesuffix("__")] if prefix else estimator
    rule = _UNSEEDED.get(type(owner).__name__)
    return rule is not None and rule(owner.get_params(deep=False))


def holds_estimator(value: Any) -> bool:
    """Whether a value is an estimator, or a list with one somewhere in it."""
    if isinstance(value, list | tuple):
        return any(holds_estimator(item) for item in value)
    return isinstance(value, BaseEstimator)


def _table(estimator: BaseEstimator, *, defaults: bool) -> dict[str, dict[str, Any]]:
    cls = type(estimator)
    if not is_public(cls):
        raise ValueError(f"{cls.__name__} comes from {cls.__module__}; use one of scikit-learn's own classes")
    usual = {name: parameter.default for name, parameter in inspect.signature(cls.__init__).parameters.items()}
    arguments = {}
    for name, value in estimator.get_params(deep=False).items():
        is_usual = _same(value, usual[name])
        if (name in OURS and (defaults or value is None)) or (is_usual and not defaults):
            continue
        try:
            arguments[name] = _plain(value, defaults=defaults)
        except ValueError as error:
            if is_usual:
                continue  # a default that JSON cannot say, such as a function
            raise ValueError(f"argument {name} of {cls.__name__}: {error}") from None
    return {cls.__name__: arguments}


def _same(value: Any, usual: Any) -> bool:
    return value is usual or (type(value) is type(usual) and isinstance(value, str | int | float) and value == usual)


def _plain(value: Any, *, defaults: bool) -> Any:
    """A value as JSON.

    Raises:
        ValueError: JSON has no word for it.
    """
    if isinstance(value, BaseEstimator):
        return _table(value, defaults=defaults)
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, defaults=defaults) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, defaults=defaults) for item in value]
    if value is None:
        return None if defaults else "None"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number that a study file can hold; use a finite one")
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError(
        f"{type(value).__name__} is Python code, which a study file cannot hold; use a name, a number or an estimator"
    )
