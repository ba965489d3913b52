"""State of a Keras model that is missing from its config, so that a network built from the config would differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_FIXED = ("Zeros", "Ones", "Constant")
"""Initializers whose values are known: a variable with other values was changed."""

_VARIABLES = ("{}", "{}_kernel")
"""What a layer calls the variable of its ``kernel_initializer`` or ``recurrent_initializer``."""


def find_unwritten_state(model: Any, *, starts: bool = False) -> Iterator[str]:
    """Yield a message for each state of a model and its optimizer that its config would lose silently.

    Args:
        model: the user's model.
        starts: whether runs start from the weights that the model has, so that those are not lost.
    """
    layers = list(model._flatten_layers())
    for layer in layers:
        yield from _check_layer(layer)
    yield from _find_shared_layers(layers)
    if model.compiled:
        yield from find_unwritten_optimizer_state(model.optimizer)
    changed = (
        [] if starts or _has_trained(model) else [name for layer in layers for name in _find_changed_variables(layer)]
    )
    if changed:
        yield (
            f"its weights were loaded or set (see {changed[0]}), and each seed draws new ones, so that these would be "
            "ignored. Name the arms that start from their models' weights in initial_weights=[...]; where new weights "
            "are meant, pass keras.models.clone_model(model)"
        )


def find_unwritten_optimizer_state(optimizer: Any) -> Iterator[str]:
    """Yield a message for each setting that an optimizer got by a method and its config does not hold (keras 3.15).

    Args:
        optimizer: a Keras optimizer.
    """
    names = getattr(optimizer, "_exclude_from_weight_decay", None)
    if names or getattr(optimizer, "_exclude_from_weight_decay_pattern", None):
        yield (
            "the optimizer's exclude_from_weight_decay is not in its config, so that all weights would decay: leave it "
            "out, or set a kernel_regularizer in the layers whose weights are to decay"
        )


def _check_layer(layer: Any) -> Iterator[str]:
    if getattr(layer, "lora_enabled", False):
        yield (
            f"layer '{layer.name}' has enable_lora, which freezes a kernel whose weights are not used here; leave it "
            "out"
        )
    if getattr(layer, "stateful", False):
        yield f"layer '{layer.name}' is stateful, but batches are independent of each other; leave stateful out"
    if getattr(layer, "quantization_mode", None) is not None:
        yield f"layer '{layer.name}' is quantized, which is for trained weights; compare the network before quantize"
    if layer.trainable:
        frozen = [v.name for v in getattr(layer, "_trainable_variables", ()) if not v.trainable]
        if frozen:
            yield (
                f"layer '{layer.name}' has frozen variables ({', '.join(frozen)}), which its config does not hold: set "
                "their trainable to True again, or make them with add_weight(trainable=False) in a layer of your own"
            )
    for kind in ("regularizer", "constraint"):
        for name, variable, value in _find_settings(layer, kind):
            if getattr(variable, kind, value) is not value:
                yield (
                    f"layer '{layer.name}' got its {name} after its weights were made, which Keras ignores (keras "
                    "3.15), but a network built from its config would use it: pass it when the layer is made"
                )


def _find_settings(layer: Any, kind: str) -> Iterator[tuple[str, Any, Any]]:
    """Find what a layer of Keras has for its variables: name, variable and value, as of ``kernel_regularizer``."""
    if not type(layer).__module__.startswith("keras."):
        return
    for name, value in list(vars(layer).items()):
        stem = name.removesuffix(f"_{kind}")
        variables = (getattr(layer, form.format(stem), None) for form in _VARIABLES)
        variable = next((v for v in variables if hasattr(v, "numpy")), None)
        if stem != name and variable is not None:
            yield name, variable, value


def _find_shared_layers(layers: list[Any]) -> Iterator[str]:
    """Find layers inside two others: both configs have a copy of their own, and the weights would not be shared."""
    import keras

    holders: dict[int, list[Any]] = {}
    inner: dict[int, Any] = {}
    for layer in layers:
        # A Sequential tracks its layers a second time, in its internal functional model (keras 3.15).
        children = layer.layers if isinstance(layer, keras.Sequential) else getattr(layer, "_layers", ())
        for child in {id(child): child for child in children}.values():
            holders.setdefault(id(child), []).append(layer)
            inner[id(child)] = child
    for key, parents in holders.items():
        weighted = inner[key].weights or any(name.endswith("_initializer") for name in vars(inner[key]))
        if len(parents) > 1 and weighted:
            names = " and ".join(f"'{holder.name}'" for holder in parents[:2])
            yield (
                f"layer '{inner[key].name}' is shared by {names}, which a config does not hold: each would get weights "
                "of its own. Call one layer twice in a functional model, or write a layer class that holds it"
            )


def _has_trained(model: Any) -> bool:
    """Whether the model was trained with ``fit`` in its present form; then it is a recipe like any other."""
    return bool(model.compiled and model.optimizer is not None and int(model.optimizer.iterations) > 0)


def _find_changed_variables(layer: Any) -> Iterator[str]:
    """Find variables of a layer of Keras whose values differ from those that its initializer gave them.

    A random initializer of Keras has a seed, made up where it has none, and draws the same values again. That of an
    EinsumDense gets other axes before it draws.
    """
    for name, variable, initializer in _find_settings(layer, "initializer"):
        if name == "bias_initializer" and getattr(layer, "unit_forget_bias", False):
            continue
        random = type(getattr(initializer, "seed", None)) is int and type(layer).__name__ != "EinsumDense"
        if (type(initializer).__name__ in _FIXED or random) and "float" in str(variable.dtype):
            # A variable of Keras's NumPy backend takes no type when it is made an array.
            drawn = np.asarray(initializer(variable.shape, dtype=variable.dtype)).astype(np.float32)
            if not np.allclose(np.asarray(variable).astype(np.float32), drawn, rtol=1e-4, atol=1e-6):
                yield variable.path
