"""Changes to a model's config, in place.

A function that changes a config returns the change in words, such as ``without 2 Dropout layers``; an empty text where
there is nothing to change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from paribus.ablation import families
from paribus.keras_config.graph import (
    Json,
    containers,
    head,
    is_container,
    is_functional,
    is_weighted,
    layers,
    predecessors,
    remove,
    successors,
    wrapped,
)


def without_family(model: Json, family: families.Family) -> str:
    """Leave out every layer of a family, and set to zero the arguments of other layers that have the same effect.

    Args:
        model: the config, which is changed.
        family: the layers.

    Returns:
        The change in words; empty where the model has none of them.
    """
    removed = [layer for container, layer in list(layers(model)) if family.holds(layer) and remove(container, layer)]
    kinds = Counter(layer["class_name"] for layer in removed)
    for _, layer in list(layers(model)):
        if family.wraps(layer):
            kinds[layer["class_name"]] += 1
            _unwrap(layer)
    changes = [_counted(count, f"{kind} layer") for kind, count in kinds.items()]
    silenced = 0
    for _, layer in layers(model):
        for inner in wrapped(layer):
            active = [key for key in family.arguments if inner["config"].get(key)]
            inner["config"] |= dict.fromkeys(active, 0.0)
            silenced += bool(active)
    changes += [f"the {family.part} inside {_counted(silenced, 'layer')}"] if silenced else []
    return f"without {' and '.join(changes)}" if changes else ""


def without_argument(model: Json, suffix: str, word: str, kind: str | None = None) -> str:
    """Set every argument whose name ends in ``suffix`` to None.

    Args:
        model: the config, which is changed.
        suffix: the end of the arguments' names, such as ``regularizer``.
        word: what one such argument is called in the change.
        kind: only arguments whose value is of this class; None for all classes.

    Returns:
        The change in words; empty where there is no such argument.
    """
    count = 0
    for _, layer in layers(model):
        for inner in wrapped(layer):
            for key, value in inner["config"].items():
                if key.endswith(suffix) and isinstance(value, dict) and kind in (None, value["class_name"]):
                    inner["config"][key] = None
                    count += 1
    return f"without {_counted(count, word)}" if count else ""


def kinds_of(model: Json, suffix: str) -> list[str]:
    """Classes of the regularizers or constraints in a model, each once."""
    kinds = [
        str(value["class_name"])
        for _, layer in layers(model)
        for inner in wrapped(layer)
        for key, value in inner["config"].items()
        if key.endswith(suffix) and isinstance(value, dict)
    ]
    return list(dict.fromkeys(kinds))


def commonest_activation(model: Json) -> str | None:
    """The activation that most hidden layers have."""
    counts = Counter(name for layer in _hidden(model) if (name := families.activation_of(layer)) is not None)
    return counts.most_common(1)[0][0] if counts else None


def with_activation(model: Json, old: str, new: str) -> str:
    """Replace an activation in every hidden layer.

    Args:
        model: the config, which is changed.
        old: the activation that is replaced.
        new: the one that takes its place.

    Returns:
        The change in words; empty where no layer has it.
    """
    count = 0
    for layer in _hidden(model):
        if families.activation_of(layer) != old:
            continue
        count += 1
        if "activation" in layer["config"]:
            layer["config"]["activation"] = new
        else:
            general = {key: layer["config"][key] for key in ("name", "dtype", "trainable") if key in layer["config"]}
            layer |= {"class_name": "Activation", "config": {**general, "activation": new}}
    return f"{new} for {old} in {_counted(count, 'layer')}" if count else ""


def without_a_block(model: Json) -> str:
    """Leave out the last of the largest group of equal hidden layers, else the last hidden layer.

    What follows it and only serves it goes too: its activation, normalization and dropout. Layers that are equal in
    this too are preferred: of three, the last of which a dropout follows, the second goes, and no dropout with it.

    Args:
        model: the config, which is changed.

    Returns:
        The change in words; empty where there is no hidden layer.
    """
    if not is_container(model):
        return ""
    last, container = head(model), model["config"]
    hidden = [layer for layer in container["layers"] if is_weighted(layer) and id(layer) not in last]
    if not hidden:
        return ""
    blocks = [[layer, *_followers(container, layer)] for layer in hidden]
    whole = _largest_group(["; ".join(_signature(layer) for layer in block) for block in blocks])
    group = whole if len(whole) > 1 else _largest_group([_signature(layer) for layer in hidden])
    removed = group[-1] if len(group) > 1 else len(hidden) - 1
    block = blocks[removed]
    if not remove(container, block[0]):
        return ""
    with_it = [families.described(layer) for layer in block[1:] if remove(container, layer)]
    followers = f" with its {' and '.join(with_it)}" if with_it else ""
    return f"without hidden layer {removed + 1} of {len(hidden)}, {families.described(block[0])}{followers}"


def with_width(model: Json, factor: float, word: str) -> str:
    """Multiply the number of units or filters of every hidden layer.

    Args:
        model: the config, which is changed.
        factor: the factor.
        word: its name in the change: ``half``, ``double``.

    Returns:
        The change in words; empty where there is no hidden layer.
    """
    changed: dict[str, None] = {}
    for layer in _hidden(model):
        for key in families.WIDTHS:
            width = layer["config"].get(key)
            if isinstance(width, int) and is_weighted(layer):
                new = max(1, round(width * factor))
                layer["config"][key] = new
                changed |= {f"{width} to {new}": None} if new != width else {}
    _let_inner_models_infer(model)
    return f"{word} the units: {', '.join(changed)}" if changed else ""


def _unwrap(layer: Json) -> None:
    """Put what a wrapper wraps in its place."""
    inner, name = layer["config"]["layer"], layer["config"]["name"]
    place: Json = {key: layer[key] for key in ("inbound_nodes", "name") if key in layer}
    layer.clear()
    layer |= inner
    layer |= place
    layer["config"] = {**inner["config"], "name": name}


def _hidden(model: Json) -> list[Json]:
    """Layers before the answer, with what they wrap."""
    last = head(model)
    return [inner for _, layer in layers(model) for inner in wrapped(layer) if id(inner) not in last]


def _followers(container: Json, layer: Json) -> Iterator[Json]:
    following = successors(container, layer)
    while len(following) == 1 and families.serves(following[0]) and len(predecessors(container, following[0])) == 1:
        yield following[0]
        following = successors(container, following[0])


def _largest_group(signatures: list[str]) -> list[int]:
    """Places of the commonest signature; of equally common ones, the first."""
    commonest = Counter(signatures).most_common(1)[0][0]
    return [place for place, signature in enumerate(signatures) if signature == commonest]


def _signature(layer: Json) -> str:
    config = {key: value for key, value in layer["config"].items() if key != "name"}
    return f"{layer['class_name']} {config}"


def _let_inner_models_infer(model: Json) -> None:
    """A Sequential inside another model says which shape it reads; with other widths before it, it must ask again."""
    for container in containers(model):
        if container is not model["config"] and not is_functional(container):
            container.pop("build_input_shape", None)
            container["layers"] = [layer for layer in container["layers"] if layer["class_name"] != "InputLayer"]


def _counted(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"
