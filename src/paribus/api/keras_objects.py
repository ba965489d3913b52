"""Keras objects as tables of a study file: an optimizer, loss or metric by its class name with its arguments.

See ``docs/decisions/0002-keras-objects-in-toml.md``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np

from paribus.api.live_model import find_unwritten_optimizer_state
from paribus.api.own_metrics import is_own_metric, write_own_metric
from paribus.errors import UsageError
from paribus.keras_config.names import name_of, snake_case

ObjectTable = dict[str, dict[str, Any]]
"""``{"SGD": {"learning_rate": 0.01}}``: the value of ``{ SGD = { learning_rate = 0.01 } }`` in a study file."""


def write_optimizer(value: Any) -> ObjectTable:
    """Write an optimizer as a table of a study file.

    Args:
        value: its name, a Keras object, or such a table.

    Raises:
        UsageError: Keras has no such optimizer, or it is a class of the user's own.
    """
    import keras

    if isinstance(value, dict) and "class_name" not in value:
        return value
    if not isinstance(value, dict):
        try:
            value = keras.optimizers.get(value)
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"optimizer {value!r}: Keras knows no such optimizer; name one, like 'adam', or give a Keras object"
            ) from error
        if unwritten := list(find_unwritten_optimizer_state(value)):
            raise UsageError(f"optimizer {type(value).__name__}: {unwritten[0]}")
        value = keras.saving.serialize_keras_object(value)
    name, arguments = _read_keras_class(value, keras.optimizers, "optimizer")
    if name == "LossScaleOptimizer":
        raise UsageError(
            "optimizer LossScaleOptimizer: paribus does not scale losses; pass its inner optimizer, and train in "
            "float32 or bfloat16"
        )
    changed = _drop_defaults(getattr(keras.optimizers, name), arguments)
    return {name: {key: _flatten_value(key, item) for key, item in changed.items()}}


def write_loss(value: Any) -> ObjectTable:
    """Write a loss as a table of a study file, one with Keras's default arguments by its name in snake case.

    Args:
        value: its name, a Keras object or function, or such a table.

    Raises:
        UsageError: Keras has no such loss, or it is a function or class of the user's own.
    """
    import keras

    if isinstance(value, dict) and "class_name" not in value:
        return value
    if not isinstance(value, dict):
        try:
            keras_loss = keras.losses.get(value)
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"loss {value!r}: Keras knows no such loss; name one, like 'categorical_crossentropy'"
            ) from error
        if callable(keras_loss) and not isinstance(keras_loss, keras.losses.Loss):
            name = str(getattr(keras_loss, "__name__", keras_loss))
            if getattr(keras.losses, name, None) is not keras_loss:
                raise UsageError(f"loss {name}: it is a loss of your own; use one that Keras has")
            return {name: {}}
        value = keras.saving.serialize_keras_object(keras_loss)
    name, arguments = _read_keras_class(value, keras.losses, "loss")
    changed = _drop_defaults(getattr(keras.losses, name), arguments)
    return {name: changed} if changed else {snake_case(name): {}}


def write_metrics(values: Sequence[Any]) -> list[ObjectTable]:
    """Write metrics as tables of a study file.

    Args:
        values: their names, Keras objects, or such tables.

    Raises:
        UsageError: a metric is a function, a class of the user's own that workers cannot import, or no metric at all.
    """
    tables = [_write_metric(item) for item in values]
    # Keras numbers metrics of one class as well, but counts all that the process has made.
    unnamed: Counter[str] = Counter()
    for item in tables:
        for name, arguments in item.items():
            if "name" not in arguments and isinstance(arguments, dict) and name[:1].isupper():
                unnamed[name] += 1
                arguments |= {"name": f"{name_of(name, {})}_{unnamed[name]}"} if unnamed[name] > 1 else {}
    return tables


def _write_metric(value: Any) -> ObjectTable:
    import keras

    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, dict) and "class_name" not in value:
        return value
    if is_own_metric(value):
        return write_own_metric(value)
    if not isinstance(value, (dict, keras.metrics.Metric)):
        kind = getattr(value, "__name__", type(value).__name__)
        remedy = (
            "give an object of this class, and not the class"
            if isinstance(value, type)
            else "of a function make a class: a registered subclass of keras.metrics.Metric"
        )
        hint = f"; {remedy}" if callable(value) else ""
        raise UsageError(
            f"metric {kind}: a metric of Keras is expected, like 'auc' or keras.metrics.F1Score('macro'){hint}"
        )
    config = value if isinstance(value, dict) else keras.saving.serialize_keras_object(value)
    name, arguments = _read_keras_class(config, keras.metrics, "metric")
    automatic_name = re.compile(rf"{re.escape(name_of(name, {}))}(_\d+)?")
    own_name = {} if isinstance(value, dict) or automatic_name.fullmatch(value.name) else {"name": value.name}
    defaults = {key: parameter.default for key, parameter in signature(getattr(keras.metrics, name)).parameters.items()}
    accepted = {key: item for key, item in arguments.items() if key in defaults and key != "dtype"}
    return {name: {key: item for key, item in accepted.items() if item != defaults[key]} | own_name}


def optimizer_from_config(config: dict[str, Any]) -> ObjectTable:
    """Write an optimizer from its serialized config, without Keras: for files that are not trusted.

    Args:
        config: what ``keras.saving.serialize_keras_object`` returned.

    Raises:
        UsageError: it is no serialized object.
    """
    name, arguments = _read_serialized(config, "optimizer")
    return {name: {key: _flatten_object(item) for key, item in arguments.items() if key != "name"}}


def loss_from_config(config: str | dict[str, Any]) -> ObjectTable:
    """Write a loss from its serialized config: its name, or a class with its arguments.

    Args:
        config: a name, or what ``keras.saving.serialize_keras_object`` returned.

    Raises:
        UsageError: it is no serialized object.
    """
    if isinstance(config, str):
        return {config: {}}
    name, arguments = _read_serialized(config, "loss")
    options = {key: item for key, item in arguments.items() if key != "name"} if isinstance(arguments, dict) else {}
    return {name: options}


def _read_serialized(config: dict[str, Any], what: str) -> tuple[str, dict[str, Any]]:
    name, arguments = config.get("class_name"), config.get("config")
    if name == "function" and isinstance(arguments, str):
        return arguments, {}
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise UsageError(f"{what}: {str(config)[:60]} is not a serialized object of Keras")
    return name, arguments


def _flatten_object(value: Any) -> Any:
    """Write a nested object, such as a schedule, as a table."""
    return optimizer_from_config(value) if isinstance(value, dict) and "class_name" in value else value


def _read_keras_class(serialized: dict[str, Any], namespace: Any, what: str) -> tuple[str, dict[str, Any]]:
    """Read class name and arguments of a serialized object, which must be of Keras's ``namespace``."""
    name = str(serialized["class_name"])
    if not isinstance(getattr(namespace, name, None), type) or not str(serialized["module"]).startswith("keras"):
        raise UsageError(f"{what} {name}: it is a class of your own; use one that Keras has")
    arguments = serialized["config"]
    return name, {key: value for key, value in arguments.items() if key != "name"}


def _drop_defaults(cls: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    import keras

    default = keras.saving.serialize_keras_object(cls())["config"]
    return {key: value for key, value in arguments.items() if key not in default or default[key] != value}


def _flatten_value(key: str, value: Any) -> Any:
    """Write a schedule as a table, a learning rate as the shortest number that is equal in float32."""
    if isinstance(value, dict) and "class_name" in value:
        import keras

        name, arguments = _read_keras_class(value, keras.optimizers.schedules, "schedule")
        return {name: {inner: _flatten_value(inner, item) for inner, item in arguments.items()}}
    return float(str(np.float32(value))) if key == "learning_rate" and isinstance(value, float) else value
