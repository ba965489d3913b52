"""Keras objects as a study file writes them: an optimizer or a loss as its class name with its arguments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np

from paribus.api.live_model import unwritten_optimizer_state
from paribus.errors import UsageError
from paribus.keras_config.names import name_of, snake_case

Written = dict[str, dict[str, Any]]
"""``{"SGD": {"learning_rate": 0.01}}``: what ``{ SGD = { learning_rate = 0.01 } }`` is in a study file."""


def optimizer(given: Any) -> Written:
    """An optimizer by name, as a Keras object, or already as a study file writes it.

    Raises:
        UsageError: Keras has no such optimizer, or it is a class of the user's own.
    """
    import keras

    if isinstance(given, dict) and "class_name" not in given:
        return given
    if not isinstance(given, dict):
        try:
            given = keras.optimizers.get(given)
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"optimizer {given!r}: Keras knows no such optimizer; name one, like 'adam', or give a Keras object"
            ) from error
        if lost := list(unwritten_optimizer_state(given)):
            raise UsageError(f"optimizer {type(given).__name__}: {lost[0]}")
        given = keras.saving.serialize_keras_object(given)
    name, arguments = _class(given, keras.optimizers, "optimizer")
    if name == "LossScaleOptimizer":
        raise UsageError("optimizer LossScaleOptimizer: losses are not scaled here; train in float32 or bfloat16")
    kept = _without_defaults(getattr(keras.optimizers, name), arguments)
    return {name: {key: _value(key, value) for key, value in kept.items()}}


def loss(given: Any) -> Written:
    """A loss by name, as a Keras object or function, or already as a study file writes it.

    A loss with Keras's default arguments is written by its name in snake case, whichever way it was given.

    Raises:
        UsageError: Keras has no such loss, or it is a function or class of the user's own.
    """
    import keras

    if isinstance(given, dict) and "class_name" not in given:
        return given
    if not isinstance(given, dict):
        try:
            found = keras.losses.get(given)
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"loss {given!r}: Keras knows no such loss; name one, like 'categorical_crossentropy'"
            ) from error
        if callable(found) and not isinstance(found, keras.losses.Loss):
            name = str(getattr(found, "__name__", found))
            if getattr(keras.losses, name, None) is not found:
                raise UsageError(f"loss {name}: a loss of your own; arms are trained with losses that Keras has")
            return {name: {}}
        given = keras.saving.serialize_keras_object(found)
    name, arguments = _class(given, keras.losses, "loss")
    kept = _without_defaults(getattr(keras.losses, name), arguments)
    return {name: kept} if kept else {snake_case(name): {}}


def metrics(given: Sequence[Any]) -> list[Written]:
    """Metrics by name, as Keras objects, or already as a study file writes them.

    Raises:
        UsageError: a metric is a function or class of the user's own, or no metric at all.
    """
    written = [_metric(item) for item in given]
    # Two of a class that were given no names: Keras would number them too, but by what else it has seen.
    seen: Counter[str] = Counter()
    for item in written:
        for name, arguments in item.items():
            if "name" not in arguments and isinstance(arguments, dict) and name[:1].isupper():
                seen[name] += 1
                arguments |= {"name": f"{name_of(name, {})}_{seen[name]}"} if seen[name] > 1 else {}
    return written


def _metric(given: Any) -> Written:
    import keras

    if isinstance(given, str):
        return {given: {}}
    if isinstance(given, dict) and "class_name" not in given:
        return given
    if not isinstance(given, (dict, keras.metrics.Metric)):
        kind = getattr(given, "__name__", type(given).__name__)
        raise UsageError(f"metric {kind}: a metric of Keras is expected, like 'auc' or keras.metrics.F1Score('macro')")
    if not isinstance(given, dict) and getattr(keras.metrics, type(given).__name__, None) is not type(given):
        raise UsageError(
            f"metric {type(given).__name__}: a class of your own; runs are measured with metrics that Keras has. What "
            "each network answered on the test split is kept: paribus export --to parquet"
        )
    config = given if isinstance(given, dict) else keras.saving.serialize_keras_object(given)
    name, arguments = _class(config, keras.metrics, "metric")
    counted = re.compile(rf"{re.escape(name_of(name, {}))}(_\d+)?")
    own = {} if isinstance(given, dict) or counted.fullmatch(given.name) else {"name": given.name}
    defaults = {key: each.default for key, each in signature(getattr(keras.metrics, name)).parameters.items()}
    told = {key: item for key, item in arguments.items() if key in defaults and key != "dtype"}
    return {name: {key: item for key, item in told.items() if item != defaults[key]} | own}


def from_config(config: dict[str, Any]) -> Written:
    """An optimizer as Keras serializes it, without asking Keras: for files that are read and not trusted.

    Raises:
        UsageError: it is no serialized object.
    """
    name, arguments = _parts(config, "optimizer")
    return {name: {key: _plain(item) for key, item in arguments.items() if key != "name"}}


def loss_from_config(config: str | dict[str, Any]) -> Written:
    """A loss as Keras serializes it: its name, or a class with its arguments.

    Raises:
        UsageError: it is no serialized object.
    """
    if isinstance(config, str):
        return {config: {}}
    name, arguments = _parts(config, "loss")
    kept = {key: item for key, item in arguments.items() if key != "name"} if isinstance(arguments, dict) else {}
    return {name: kept}


def _parts(config: dict[str, Any], what: str) -> tuple[str, dict[str, Any]]:
    name, arguments = config.get("class_name"), config.get("config")
    if name == "function" and isinstance(arguments, str):
        return arguments, {}
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise UsageError(f"{what}: {str(config)[:60]} is nothing that Keras would write")
    return name, arguments


def _plain(value: Any) -> Any:
    """A nested object, such as a schedule, as a table."""
    return from_config(value) if isinstance(value, dict) and "class_name" in value else value


def _class(serialized: dict[str, Any], room: Any, what: str) -> tuple[str, dict[str, Any]]:
    """Class name and arguments of a serialized Keras object."""
    name = str(serialized["class_name"])
    if not isinstance(getattr(room, name, None), type) or not str(serialized["module"]).startswith("keras"):
        raise UsageError(f"{what} {name}: a class of your own; arms are trained with those that Keras has")
    arguments = serialized["config"]
    return name, {key: value for key, value in arguments.items() if key != "name"}


def _without_defaults(cls: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    import keras

    default = keras.saving.serialize_keras_object(cls())["config"]
    return {key: value for key, value in arguments.items() if key not in default or default[key] != value}


def _value(key: str, value: Any) -> Any:
    """A schedule as a table; a learning rate as the shortest number that is the same in float32, as Keras keeps it."""
    if isinstance(value, dict) and "class_name" in value:
        import keras

        name, arguments = _class(value, keras.optimizers.schedules, "schedule")
        return {name: {inner: _value(inner, item) for inner, item in arguments.items()}}
    return float(str(np.float32(value))) if key == "learning_rate" and isinstance(value, float) else value
