"""Canonical forms: Keras configs as JSON texts without what does not belong to the recipe.

Left out: automatic names (``dense_183``), names of models, seeds of Keras's own (a run's streams replace them), compile
and build records. So the same network gives the same text whoever wrote it and whatever was built before it.

Added: the digests of the modules that define a user's own classes, and for a network that does not say itself what it
reads (a subclass of ``keras.Model``) the shape of its examples.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from inspect import signature
from typing import Any

import keras

from paribus.keras_config.custom_objects import SOURCES, source_digests
from paribus.keras_config.names import snake_case

_AUTOMATIC = re.compile(r"^(?P<stem>[a-z][a-z0-9_]*?)(_\d+)?$")
_OTHER_STEMS = {"GroupQueryAttention": "grouped_query_attention"}
"""Classes that Keras names by another name than the one it exports them by (keras 3.15)."""

_DIRECTIONS = ("forward_", "backward_")
"""What Bidirectional puts before the names of its two layers."""

_DROPPED = frozenset({"build_config", "compile_config", "shared_object_id"})


def dumps(value: Any) -> str:
    """JSON with sorted keys and no spaces; nan and infinity, which a config may hold, are ``NaN`` and ``Infinity``."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def model_text(model: keras.Model, example_shape: tuple[int, ...]) -> str:
    """The canonical form of a model: its config with layers named by class and position.

    Args:
        model: a built model.
        example_shape: the shape of one example, as this model reads it.

    Returns:
        JSON with sorted keys; equal networks have equal texts.
    """
    config = keras.saving.serialize_keras_object(model)
    text = _clean(config, _layer_names(config))
    if not getattr(model, "inputs", None):
        text["build_config"] = {"input_shape": [None, *example_shape]}
    sources = source_digests(text)
    return dumps({**text, SOURCES: sources} if sources else text)


def optimizer_text(optimizer: keras.optimizers.Optimizer) -> str:
    """The canonical form of an optimizer: its config without its name.

    Returns:
        JSON with sorted keys; equal optimizers have equal texts.
    """
    config = _clean(keras.saving.serialize_keras_object(optimizer), {})
    config["config"].pop("name", None)
    return dumps(config)


def _layer_names(config: Any) -> dict[str, str]:
    """Old name -> new name for every layer that Keras named by itself, and for the models themselves."""
    objects = list(_named_objects(config))
    user_names = {name for name, _, automatic in objects if not automatic}
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for old, stem, automatic in objects:
        while automatic and old not in names:
            new = f"{stem}_{counts[stem]}" if counts[stem] else stem
            counts[stem] += 1
            if new not in user_names:
                names[old] = new
    return names


def _named_objects(value: Any) -> Iterator[tuple[str, str, bool]]:
    """Name, stem of the automatic name, and whether the name does not count, of all layers and models in a config."""
    if isinstance(value, dict):
        inner = value.get("config")
        if isinstance(inner, dict) and isinstance(inner.get("name"), str) and "class_name" in value:
            name, cls = inner["name"], value["class_name"]
            direction = next((prefix for prefix in _DIRECTIONS if name.startswith(prefix)), "")
            stem = f"{direction}{_OTHER_STEMS.get(cls) or snake_case(cls)}"
            match = _AUTOMATIC.match(name)
            yield name, stem, "layers" in inner or (match is not None and match["stem"] == stem)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _named_objects(item)


def _clean(value: Any, names: dict[str, str], *, own_seed: bool = False) -> Any:
    """A config without what does not belong to the recipe; ``own_seed`` inside a config whose seed is the user's."""
    if isinstance(value, dict):
        inside = _has_own_seed(value) if "class_name" in value else own_seed
        return {
            key: _clean_entry(key, item, names, own_seed=inside) for key, item in value.items() if key not in _DROPPED
        }
    if isinstance(value, (list, tuple)):
        return [_clean(item, names, own_seed=own_seed) for item in value]
    return value


def _has_own_seed(serialized: dict[str, Any]) -> bool:
    """Whether an argument ``seed`` of a serialized object is one that a class of the user's has, and not Keras's."""
    name = serialized.get("registered_name")
    cls = keras.saving.get_registered_object(name) if isinstance(name, str) and ">" in name else None
    if not isinstance(cls, type):
        return False
    takes_it = (base for base in cls.__mro__ if "__init__" in vars(base) and "seed" in signature(base).parameters)
    owner = next(takes_it, cls)
    return not owner.__module__.startswith("keras.")


def _clean_entry(key: str, item: Any, names: dict[str, str], *, own_seed: bool) -> Any:
    if key == "seed" and not own_seed:
        return None
    if key == "name" and isinstance(item, str):
        return names.get(item, item)
    if key in {"keras_history", "input_layers", "output_layers"}:
        return _rename(item, names)
    return _clean(item, names, own_seed=own_seed)


def _rename(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_rename(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
