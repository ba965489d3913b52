"""What a model's description may not ask for, since the file that holds it may come from anybody.

Keras itself refuses Python code and foreign modules in a config (its ``safe_mode``). What is also refused here:
layers that run code or read files by their name alone, and networks that no memory could hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras

from paribus import machine

NUMBER_BYTES = 4
COPIES = 4
"""A weight, its gradient, and what the optimizer keeps of it (Adam: two numbers)."""

_CODE = "runs code that a file brings along"
_FILES = "reads files by their name"
REFUSED = {
    "Lambda": _CODE,
    "TFSMLayer": _CODE,
    "TorchModuleWrapper": _CODE,
    "JaxLayer": _CODE,
    "FlaxLayer": _CODE,
    "StringLookup": _FILES,
    "IntegerLookup": _FILES,
    "TextVectorization": _FILES,
}
"""Layers that are never built from a description, and why."""


_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}


def refused_layers(config: Any) -> Iterator[str]:
    """An objection to every layer in a config, however deep, that is never built from a description.

    Args:
        config: a model's config, as read from JSON.
    """
    if isinstance(config, dict):
        name = config.get("class_name")
        if isinstance(name, str) and name in REFUSED:
            yield objection(name)
        for item in config.values():
            yield from refused_layers(item)
    elif isinstance(config, list):
        for item in config:
            yield from refused_layers(item)


def objection(name: str) -> str:
    """Why a layer of this class is not built."""
    return (
        f"{name} {REFUSED[name]}, so it is never built from a study or a model file; write a layer class with "
        "@keras.saving.register_keras_serializable() in a module of yours, and hand the model over in Python"
    )


def too_large(model: keras.Model, batch: int, memory: int | None = None) -> str | None:
    """Why a network cannot be trained in any way on this machine; None if it may.

    Args:
        model: a built network.
        batch: how many examples it reads at a time.
        memory: bytes; what the machine has by default.

    Returns:
        A message with the sizes and the remedy, or None.
    """
    memory = memory or machine.read_memory_limit()
    weights = model.count_params() * NUMBER_BYTES * COPIES
    if weights > memory:
        return (
            f"{model.count_params():,} parameters need {_size(weights)} to train, and this machine has "
            f"{_size(memory)}; use fewer units"
        )
    for layer in model._flatten_layers(include_self=False):
        needs = max((_numbers(shape) for shape in _outputs(layer)), default=0) * batch * NUMBER_BYTES
        if needs > memory:
            return (
                f"layer '{layer.name}' ({type(layer).__name__}) answers a batch of {batch} examples with "
                f"{_size(needs)}, and this machine has {_size(memory)}; make its output or the batches smaller"
            )
    return None


def _outputs(layer: Any) -> Iterator[tuple[int | None, ...]]:
    """The shapes of a layer's outputs, as far as it is part of a graph."""
    for node in getattr(layer, "_inbound_nodes", ()):
        for tensor in node.output_tensors:
            yield tuple(tensor.shape)


def _numbers(shape: tuple[int | None, ...]) -> int:
    return math.prod(size or 1 for size in shape[1:])


def _size(count: int) -> str:
    """``1.5 GiB``; a size beyond any sensible unit is written in GiB as well."""
    unit = next((u for u in _UNITS if count < 1024 * _UNITS[u]), "PiB")
    return f"{count / _UNITS[unit]:,.1f} {unit}"
