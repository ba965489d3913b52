"""Keras objects as a study file writes them: an optimizer or a loss as its class name with its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from paribus.errors import UsageError

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

    from paribus.engine.canonical import snake_case

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
