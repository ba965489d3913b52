"""Layers in a Keras config: those of Sequential and functional models, nested ones included, and how to take one out.

A *container* is the config of a model that lists its layers. Layers of functional models say in ``inbound_nodes`` what
they are called on: places ``[layer, call, output]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_WEIGHTED = re.compile(
    r"Dense|EinsumDense|Embedding|LSTM|GRU|SimpleRNN|ConvLSTM\dD|Bidirectional|TimeDistributed|SpectralNormalization|"
    r"(Separable|Depthwise)?Conv\dD(Transpose)?|MultiHeadAttention|GroupedQueryAttention"
)
"""Layers that do the work; those between them belong to the one before."""

_NORMALIZES = re.compile(r"(Batch|Layer|Group|RMS)Normalization|PReLU")


def is_container(layer: Json) -> bool:
    """Whether a layer is a model that lists its layers."""
    return isinstance(layer.get("config"), dict) and isinstance(layer["config"].get("layers"), list)


def containers(model: Json) -> Iterator[Json]:
    """The configs that list layers: the model's own, and those of models inside it."""
    if is_container(model):
        yield model["config"]
        for layer in model["config"]["layers"]:
            yield from containers(layer)


def layers(model: Json) -> Iterator[tuple[Json, Json]]:
    """Every layer with its container; inputs and nested models are left out, their layers are not."""
    for container in containers(model):
        for layer in container["layers"]:
            if layer["class_name"] != "InputLayer" and not is_container(layer):
                yield container, layer


def wrapped(layer: Json) -> Iterator[Json]:
    """A layer and the layers in its arguments: what Bidirectional or TimeDistributed wrap, cells of an RNN."""
    yield layer
    for value in layer["config"].values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and str(item.get("module")) == "keras.layers" and "config" in item:
                yield from wrapped(item)


def is_weighted(layer: Json) -> bool:
    """Whether a layer does the work: has weights of its own and is no normalization."""
    return is_container(layer) or _WEIGHTED.fullmatch(layer["class_name"]) is not None


def head(model: Json) -> set[int]:
    """The layers (by ``id``) that make the answer: from the last ones with weights on."""
    identities: set[int] = set()
    for container in containers(model):
        if container is not model["config"]:
            continue
        for layer in _outputs(container):
            identities |= _back_to_weights(container, layer)
    return identities


def shared_layers(value: Any) -> Iterator[str]:
    """Names of layers in a config that are one object with a layer before them, as Keras marks them in its files.

    A config that is built without the objects around it gives each a layer of its own, with weights of its own.
    """
    if isinstance(value, dict):
        config = value.get("config")
        if "shared_object_id" in value and isinstance(config, dict) and {"name", "trainable"} <= set(config):
            yield str(config["name"])
        for item in value.values():
            yield from shared_layers(item)
    elif isinstance(value, list):
        for item in value:
            yield from shared_layers(item)


def frozen_layers(model: Json) -> Iterator[str]:
    """Names of layers with weights that are not trained."""
    for _, layer in layers(model):
        for inner in wrapped(layer):
            has_weights = (
                is_weighted(inner)
                or _NORMALIZES.fullmatch(inner["class_name"])
                or ">" in str(inner.get("registered_name"))
            )
            if has_weights and inner["config"].get("trainable") is False:
                yield str(inner["config"].get("name"))


def is_functional(container: Json) -> bool:
    """Whether a container says what its layers are called on."""
    return "output_layers" in container


def remove(container: Json, layer: Json) -> bool:
    """Remove a layer from its container; the layers that it feeds are fed by those that feed it.

    Args:
        container: the config that lists the layer; it is changed.
        layer: one of its layers.

    Returns:
        False, and nothing is changed, for a layer with several inputs, or the only one left.
    """
    rest = [other for other in container["layers"] if other is not layer]
    if all(other["class_name"] == "InputLayer" for other in rest):
        return False
    if is_functional(container):
        sources = [_places(node) for node in layer["inbound_nodes"]]
        if any(len(places) != 1 for places in sources):
            return False
        name = layer["name"]
        instead = {(name, call): places[0] for call, places in enumerate(sources)}
        for other in rest:
            other["inbound_nodes"] = _redirected(other["inbound_nodes"], instead)
        container["output_layers"] = _redirected_place(container["output_layers"], instead)
    container["layers"] = rest
    return True


def predecessors(container: Json, layer: Json) -> list[Json]:
    """The layers that a layer is called on."""
    stack: list[Json] = container["layers"]
    if not is_functional(container):
        index = next(i for i, other in enumerate(stack) if other is layer)
        return stack[index - 1 : index] if index else []
    names = {place[0] for node in layer["inbound_nodes"] for place in _places(node)}
    return [other for other in stack if other["name"] in names]


def successors(container: Json, layer: Json) -> list[Json]:
    """The layers that are called on a layer."""
    return [other for other in container["layers"] if any(before is layer for before in predecessors(container, other))]


def _outputs(container: Json) -> list[Json]:
    stack: list[Json] = container["layers"]
    if not is_functional(container):
        return stack[-1:]
    names = {place[0] for place in _all_places(container["output_layers"])}
    return [layer for layer in stack if layer["name"] in names]


def _back_to_weights(container: Json, layer: Json) -> set[int]:
    identities = {id(inner) for inner in wrapped(layer)} if not is_container(layer) else {id(layer)}
    if is_container(layer):
        for last in _outputs(layer["config"]):
            identities |= _back_to_weights(layer["config"], last)
        return identities
    if is_weighted(layer):
        return identities
    for before in predecessors(container, layer):
        identities |= _back_to_weights(container, before)
    return identities


def _places(value: Any) -> list[list[Any]]:
    """The places that a node's arguments name."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value["config"]["keras_history"]]
        return [place for item in value.values() for place in _places(item)]
    return [place for item in value for place in _places(item)] if isinstance(value, list) else []


def _redirected(value: Any, instead: dict[tuple[str, int], list[Any]]) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            history = value["config"]["keras_history"]
            return {
                **value,
                "config": {**value["config"], "keras_history": instead.get((history[0], history[1]), history)},
            }
        return {key: _redirected(item, instead) for key, item in value.items()}
    return [_redirected(item, instead) for item in value] if isinstance(value, list) else value


def _all_places(value: Any) -> Iterator[list[Any]]:
    """``["dense", 0, 0]`` or lists and tables of such."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _all_places(item)


def _redirected_place(value: Any, instead: dict[tuple[str, int], list[Any]]) -> Any:
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return instead.get((value[0], value[1]), value)
    if isinstance(value, dict):
        return {key: _redirected_place(item, instead) for key, item in value.items()}
    return [_redirected_place(item, instead) for item in value] if isinstance(value, list) else value
