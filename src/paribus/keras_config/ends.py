"""How a network ends, read off its config: the last activation, and whether the loss can make sense of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from paribus.keras_config.graph import Json, is_container, is_functional, predecessors
from paribus.keras_config.names import bare_name, takes_logits

_FRACTIONS = frozenset({"softmax", "sigmoid", "hard_sigmoid", "sparse_sigmoid"})
"""Activations after which outputs are no logits any more. Those of log_softmax are, whose softmax they have."""

_UNBOUNDED = frozenset(
    {
        *("linear", "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "swish", "mish"),
        *("hard_silu", "hard_swish", "softplus", "softsign", "tanh", "hard_tanh", "exponential", "squareplus"),
        *("log_sigmoid", "log_softmax", "glu", "hard_shrink", "soft_shrink", "tanh_shrink", "sparse_plus", "sparsemax"),
    }
)
"""Activations whose outputs are no probabilities; softplus and relu are below 0 never, and above 1 often.

Keras's sparsemax is one of them: with several units in its support it is above 1 (keras 3.15)."""

POSITIVE = frozenset({"softmax", "sigmoid", "softplus", "exponential", "squareplus"})
"""Activations whose outputs are all above 0."""

ALIKE_ALONE: Mapping[str, int] = MappingProxyType({"softmax": 1, "sparsemax": 1, "log_softmax": 0})
"""Activations that say always the same of one unit, because they compare it with itself."""

_WITHOUT_LOGITS = frozenset({"kldivergence", "categoricalgeneralizedcrossentropy"})
"""Losses of probabilities that cannot take logits."""

_READ_PROBABILITIES = frozenset(
    {
        *("categoricalcrossentropy", "sparsecategoricalcrossentropy", "binarycrossentropy"),
        *("categoricalfocalcrossentropy", "binaryfocalcrossentropy"),
        *_WITHOUT_LOGITS,
    }
)

_ACTIVATION_LAYERS = {"Softmax": "softmax", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu"}

_PASSED = frozenset({"Flatten", "Reshape", "Dropout", "Identity", "Cropping1D", "Permute"})
"""Layers through which an output passes as it is."""


def last_activation(model: Json) -> str | None:
    """The activation with which a network's outputs are made; None where the config does not tell.

    ``linear`` where a layer that can have one has none. Of a model with a ``call`` of its own nothing is known.

    Args:
        model: the network's config.
    """
    if not is_container(model):
        return None
    container = model["config"]
    layer: Json | None = _output_layer(container)
    while layer is not None:
        if is_container(layer):
            return last_activation(layer)
        name, config = str(layer["class_name"]), layer["config"]
        if name in _PASSED:
            before = predecessors(container, layer)
            layer = before[0] if len(before) == 1 else None
            continue
        if name in _ACTIVATION_LAYERS:
            return _ACTIVATION_LAYERS[name]
        activation = config.get("activation", "")
        if isinstance(activation, Mapping):
            activation = activation.get("config", "") if activation.get("class_name") == "function" else ""
        return activation if isinstance(activation, str) and activation else None
    return None


def end_that_misfits(model: Json, loss: Mapping[str, Any]) -> str | None:
    """What is odd about a network's last activation under a loss, with the remedy; None where nothing is.

    Args:
        model: the network's config.
        loss: ``{name: {arguments}}``.

    Returns:
        A part of a sentence with the remedy, or None.
    """
    activation, name = last_activation(model), next(iter(loss))
    if activation is None:
        return None
    if takes_logits(loss) and activation in _FRACTIONS:
        return (
            f"its last activation is {activation}, and {name} with from_logits takes outputs for logits: say "
            'activation = "linear" there, or leave from_logits out'
        )
    bare = bare_name(name)
    if bare in _READ_PROBABILITIES and not takes_logits(loss) and activation in _UNBOUNDED:
        usual = "sigmoid" if bare.startswith("binary") else "softmax"
        remedy = "" if bare in _WITHOUT_LOGITS else ", or from_logits = true in the loss"
        return (
            f"its last activation is {activation}, and {name} takes outputs for probabilities: say activation = "
            f'"{usual}" there{remedy}'
        )
    return None


def _output_layer(container: Json) -> Json | None:
    """The one layer whose output is the model's; None where there are several."""
    stack: list[Json] = container["layers"]
    if not is_functional(container):
        return stack[-1] if stack else None
    outputs = container["output_layers"]
    place = outputs[0] if outputs and isinstance(outputs[0], list) else outputs
    if not (isinstance(place, list) and len(place) == 3) or (outputs is not place and len(outputs) != 1):
        return None
    return next((layer for layer in stack if layer.get("name") == place[0]), None)
