"""What differs between the configurations of two arms, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from paribus.study.document import Arm

_ABSENT: Final = object()


def arm_differences(a: Arm, b: Arm) -> list[tuple[str, str, str]]:
    """Where two arms differ.

    Args:
        a: one arm.
        b: the other.

    Returns:
        For each difference its place, the value of ``a`` and the value of ``b``, as text.
    """
    return list(list_differences(_settings(a), _settings(b)))


def list_differences(a: Any, b: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two JSON values differ. What only one of them has is "absent" from the other.

    Lists are aligned first: a layer that is inserted is one difference, and does not make all later ones differ.

    Args:
        a: one value.
        b: the other.
        place: the keys that lead to both, separated by spaces.

    Yields:
        The place of a difference, the value of ``a`` and the value of ``b``, as text.
    """
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys((*a, *b)):
            yield from list_differences(a.get(key, _ABSENT), b.get(key, _ABSENT), f"{place} {key}".strip())
    elif isinstance(a, list) and isinstance(b, list):
        yield from _list_differences(a, b, place)
    elif a is _ABSENT or b is _ABSENT or _canonical(a) != _canonical(b):
        yield place, _text(a), _text(b)


def _list_differences(a: list[Any], b: list[Any], place: str) -> Iterator[tuple[str, str, str]]:
    matcher = SequenceMatcher(None, [_canonical(item) for item in a], [_canonical(item) for item in b], autojunk=False)
    for kind, first, last, other_first, other_last in matcher.get_opcodes():
        if kind == "equal":
            continue
        for offset in range(max(last - first, other_last - other_first)):
            item = a[first + offset] if first + offset < last else _ABSENT
            other = b[other_first + offset] if other_first + offset < other_last else _ABSENT
            number = (first if item is not _ABSENT else other_first) + offset + 1
            yield from list_differences(item, other, f"{place} {number}")


def _settings(arm: Arm) -> dict[str, Any]:
    """An arm as its study writes it; a Keras config as values and not as text."""
    settings: dict[str, Any] = arm.model_dump(mode="json", exclude_none=True)
    if arm.model is not None:
        settings["model"] = json.loads(arm.model)
    return settings


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _text(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(_call(key, item) for key, item in value.items()) or "none"
    return str(value)


def _call(key: str, value: Any) -> str:
    """As Python writes it: ``Dense(units=64, activation=relu)``."""
    if isinstance(value, Mapping):
        return f"{key}({_text(value)})" if value else key
    return f"{key}={_text(value)}"
