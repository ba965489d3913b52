"""The keys of a grid: which arguments of an arm they name, and the arm with other values for them.

::

    learning_rate                  of the optimizer
    dropout                        the rate of every Dropout layer
    optimizer.momentum             any argument of the optimizer
    layer 2.units                  an argument of one layer, counted from 1 as in messages
    Dense.units                    of every layer of a class, but those that make the answer
    layer 1.kernel_regularizer.l2  an argument of an object that is an argument

Why these keys: ``docs/decisions/0036-what-a-grid-names.md``.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from paribus.errors import UsageError
from paribus.keras_config.graph import head, is_weighted, layers, wrapped
from paribus.records import canonical_json
from paribus.study.document import Arm

_PATH = re.compile(
    r"(?:(?P<optimizer>optimizer)|layer (?P<number>[1-9][0-9]{0,3})|(?P<kind>[A-Z][A-Za-z0-9]*))"
    r"(?P<path>(?:\.[A-Za-z_][A-Za-z0-9_]*)+)"
)
KEYS = '"learning_rate", "dropout", or a path such as "optimizer.momentum", "layer 2.units" or "Dense.units"'


@dataclass(frozen=True, slots=True)
class _Object:
    """A Keras object of a study file or of a config: its class, and its arguments, to be changed in place.

    Attributes:
        kind: its class.
        arguments: in the notation of the study file or of the config.
        whole: whether every argument is listed, as in a config.
        answers: whether it is one of the layers that make the answer.
    """

    kind: str
    arguments: dict[str, Any]
    whole: bool = False
    answers: bool = False


def with_arguments(arm: Arm, values: Mapping[str, Any]) -> Arm:
    """Set arguments of an arm.

    Args:
        arm: the arm.
        values: by key of its grid.

    Returns:
        The arm with these values, and without its grid.

    Raises:
        UsageError: a key names nothing that this arm has, or a value cannot be used there.
    """
    table = copy.deepcopy(arm.model_dump(exclude={"grid"}, exclude_none=True))
    model = None if arm.model is None else _read_config(arm.model)
    optimizer = _Object(*next(iter(table["optimizer"].items())))
    stack = _list_layers(table["layers"]) if model is None else _list_config_layers(model)
    for key, value in values.items():
        objects, path = _find_objects(key, optimizer, stack)
        for target in objects:
            _set_argument(target, path, value)
    if model is not None:
        table["model"] = canonical_json(model)
    try:
        return Arm.model_validate(table)
    except ValidationError as error:
        raise UsageError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None


def _read_config(text: str) -> dict[str, Any]:
    try:
        model = json.loads(text)
        # A config without layers has nothing that a path could name.
        return model if isinstance(model, dict) else {}
    except (ValueError, RecursionError):
        raise UsageError("the arm's `model` is not JSON, so that nothing in it can be named") from None


def _list_layers(stack: tuple[dict[str, dict[str, Any]], ...]) -> list[_Object]:
    """Layers of a study file; those from the last one with weights on make the answer."""
    pairs = [next(iter(layer.items())) for layer in stack]
    weighted = [index for index, (kind, _) in enumerate(pairs) if is_weighted({"class_name": kind})]
    last = weighted[-1] if weighted else len(pairs) - 1
    return [_Object(kind, arguments, answers=index >= last) for index, (kind, arguments) in enumerate(pairs)]


def _list_config_layers(model: dict[str, Any]) -> list[_Object]:
    """Layers of a config, as Keras lists them; inputs are not counted, and what a layer wraps comes after it."""
    answer = head(model)
    return [
        _Object(inner["class_name"], inner["config"], whole=True, answers=id(inner) in answer)
        for _, layer in layers(model)
        for inner in wrapped(layer)
    ]


def _find_objects(key: str, optimizer: _Object, stack: list[_Object]) -> tuple[list[_Object], list[str]]:
    """The objects that a key names, and the path to the argument in each."""
    if key == "learning_rate":
        return [optimizer], ["learning_rate"]
    if key == "dropout":
        matching = [layer for layer in stack if "Dropout" in layer.kind]
        if not matching:
            raise UsageError("the arm has no Dropout layer whose rate could be tuned; leave this key out")
        return matching, ["rate"]
    match = _PATH.fullmatch(key)
    if match is None:
        raise UsageError(f"no argument that can be tuned has this name; write {KEYS}")
    path = match["path"].split(".")[1:]
    if match["optimizer"]:
        return [optimizer], path
    if match["number"]:
        number = int(match["number"])
        if number > len(stack):
            raise UsageError(f"the arm has {len(stack)} layers, counted from 1; there is no layer {number}")
        return [stack[number - 1]], path
    matching = [layer for layer in stack if layer.kind == match["kind"] and not layer.answers]
    if not matching:
        known = ", ".join(dict.fromkeys(layer.kind for layer in stack if not layer.answers)) or "none"
        raise UsageError(
            f"no {match['kind']} layer comes before the answer; the layers that do are {known} "
            f'(the last layer is named by its number, as in "layer {len(stack)}.{path[0]}")'
        )
    return matching, path


def _set_argument(owner: _Object, path: list[str], value: Any) -> None:
    *outer, last = path
    for name in outer:
        inner = _read_object(owner.arguments.get(name))
        if inner is None:
            current = owner.arguments.get(name)
            description = "not set" if current is None else repr(current)
            raise UsageError(
                f"the {name} of {owner.kind} is {description}, which has no arguments to tune; "
                f"write it with its arguments, like {{ Name = {{ {last} = {value} }} }}"
            )
        owner = inner
    if (inner := _read_object(owner.arguments.get(last))) is not None:
        argument = next(iter(inner.arguments), "argument")
        raise UsageError(
            f"the {last} of {owner.kind} is {inner.kind}, which a plain value would replace; tune one of its "
            f'arguments, like "optimizer.{last}.{argument}", or write a plain {last} into the arm'
        )
    if owner.whole and last not in owner.arguments:
        raise UsageError(f"{owner.kind} has no argument '{last}'; it has {', '.join(owner.arguments)}")
    owner.arguments[last] = value


def _read_object(value: Any) -> _Object | None:
    """A Keras object in an argument, as a study file (``{ L2 = { l2 = 0.1 } }``) or as a config has it."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("config"), dict) and "class_name" in value:
        return _Object(str(value["class_name"]), value["config"], whole=True)
    if len(value) == 1 and isinstance(next(iter(value.values())), dict):
        return _Object(*next(iter(value.items())))
    return None
