"""From a config as JSON back to a Keras model with its structure, without weights and without running a user's file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras


def model_from_config(
    config: dict[str, Any],
    example_shape: tuple[int, ...] = (),
    custom_objects: Mapping[str, type] = MappingProxyType({}),
) -> keras.Model:
    """Rebuild a model from its config. Call inside ``keras.StatelessScope(initialize_variables=False)``.

    Args:
        config: what ``keras.saving.serialize_keras_object`` says; or a canonical form. It is not changed.
        example_shape: what the model is built on if its config does not say what it reads.
        custom_objects: classes by registered name, beside those that are registered.

    Returns:
        The built model, whose variables have no values.

    Raises:
        ValueError, TypeError: Keras refuses the config; a Lambda with Python code, or a class that is not registered.
    """
    bare = {key: _free_batch(item) for key, item in config.items() if key not in {"build_config", "compile_config"}}
    model = keras.saving.deserialize_keras_object(bare, custom_objects=dict(custom_objects))
    if not isinstance(model, keras.Model):
        raise TypeError(f"a model is expected, this config says {type(model).__name__}")
    if not getattr(model, "inputs", None):
        shape = (config.get("build_config") or {}).get("input_shape") or (None, *example_shape)
        # A symbolic call builds every layer and runs nothing.
        model(keras.KerasTensor((None, *shape[1:])))
    return model


def output_shape(model: keras.Model) -> tuple[int | None, ...]:
    """The shape of a built model's one output, batch first; empty where it has several."""
    outputs: Any = getattr(model, "outputs", None)
    if not outputs:
        outputs = model.compute_output_spec(keras.KerasTensor(input_shape(model)))
    flat = keras.tree.flatten(outputs)
    return tuple(flat[0].shape) if len(flat) == 1 else ()


def input_shape(model: keras.Model) -> tuple[int | None, ...]:
    """The shape of a built model's one input, batch first; empty where it has several."""
    inputs: Any = getattr(model, "inputs", None)
    if inputs:
        return tuple(inputs[0].shape) if len(inputs) == 1 else ()
    shape: tuple[int | None, ...] = tuple(model.get_build_config()["input_shape"])
    return shape


def as_read(reads: tuple[int | None, ...], example: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that a network reads examples in, from the network's input and the data's examples.

    Examples are taken as they are, flattened, or with one axis of length 1 (a channel) added or left out at the end.

    Args:
        reads: the shape of the network's input without the batch; None where a dimension may be any.
        example: the shape of one example of the data.

    Returns:
        The shape, without unknown dimensions; None where the examples do not fit.
    """
    flat = (math.prod(example),)
    forms = [example, (*example, 1), *([example[:-1]] if example[-1] == 1 else []), flat]
    for form in forms:
        if len(form) == len(reads) and all(r in (None, f) for r, f in zip(reads, form, strict=True)):
            return form
    return None


def _free_batch(value: Any) -> Any:
    """A batch size that is fixed in an input (``batch_shape=(32, 784)``) becomes any batch size."""
    if isinstance(value, list):
        return [_free_batch(item) for item in value]
    if not isinstance(value, dict):
        return value
    freed = {key: _free_batch(item) for key, item in value.items()}
    shape = freed.get("batch_shape")
    return {**freed, "batch_shape": [None, *shape[1:]]} if isinstance(shape, list) and shape else freed
