"""The arguments ``contrasts``, ``baseline`` and ``primary``, translated into tables of a study file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paribus.errors import UsageError, unknown_name

_EXAMPLE = '("dropout", "none"), ("dropout", "none", "test_auc"), or {"a": "dropout", "b": "none", "margin": 0.002}'


def declare_contrasts(
    arms: Sequence[str], contrasts: Sequence[Any] | None, baseline: str | None, primary: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    """Make the ``[[contrasts]]`` of a study file, and its list of primary effects.

    Args:
        arms: the arms, in their order.
        contrasts: pairs of arms, triples with a metric, or mappings like ``[[contrasts]]``; None for those with the
            baseline, or none.
        baseline: the arm that every other one is compared with.
        primary: a pair or triple, an effect by its factor, or a list of those.

    Returns:
        The tables, and the primary effects by factor.

    Raises:
        UsageError: something is none of these.
        UnknownNameError: there is no such arm.
    """
    if contrasts is None:
        others = [arm for arm in arms if baseline not in (None, arm)]
        declared: list[dict[str, Any]] = [{"a": arm, "b": baseline} for arm in others]
    else:
        declared = [_read_contrast(item, arms) for item in contrasts]
    effects: list[str] = []
    for item in _list_statements(primary):
        if isinstance(item, str):
            effects.append(item)
            continue
        statement = _read_contrast(item, arms)
        matching = [c for c in declared if _contrast_key(c) == _contrast_key(statement)]
        if not matching:
            declared.append(statement)
        (matching or [statement])[0]["primary"] = True
    return declared, effects


def _list_statements(primary: Any) -> list[Any]:
    """One statement, or several."""
    if primary is None:
        return []
    if isinstance(primary, str | Mapping):
        return [primary]
    items = list(primary)
    return [tuple(items)] if items and all(isinstance(item, str) for item in items) and len(items) in (2, 3) else items


def _read_contrast(item: Any, arms: Sequence[str]) -> dict[str, Any]:
    if isinstance(item, Mapping):
        table = dict(item)
    elif isinstance(item, list | tuple) and len(item) in (2, 3) and all(isinstance(part, str) for part in item):
        table = dict(zip(("a", "b", "metric"), item, strict=False))
    else:
        raise UsageError(f"contrast {item!r}: two arms, or two arms and a metric, are expected, like {_EXAMPLE}")
    for side in ("a", "b"):
        if table.get(side) not in arms:
            raise unknown_name("arm", str(table.get(side)), arms, "contrasts")
    return table


def _contrast_key(contrast: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    return frozenset((contrast["a"], contrast["b"])), contrast.get("metric", "test_accuracy")
