"""The argument ``grid``: one grid for all arms, or one for each arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from paribus.errors import UsageError, unknown_name
from paribus.study.document import Arm

_EXAMPLE = '{"learning_rate": [0.001, 0.01]} for all arms, or {"arm": {"learning_rate": [0.001, 0.01]}}'


def add_grids(arms: Mapping[str, Arm], grid: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arms as tables of a study file, with their grids.

    Args:
        arms: by name.
        grid: lists of values by key, for every arm; or such a mapping for each arm by its name, an empty one for an arm
            that stays as it is.

    Returns:
        A table for each arm, by its name.

    Raises:
        UsageError: it is neither.
        UnknownNameError: it names an arm that is not there.
    """
    if grid is None:
        return dict(arms)
    if not isinstance(grid, Mapping) or not grid:
        raise UsageError(f"grid {grid!r}: lists of values by key are expected, like {_EXAMPLE}")
    per_arm = [isinstance(value, Mapping) for value in grid.values()]
    if any(per_arm) and not all(per_arm):
        raise UsageError(f"grid: a mapping has either arms or arguments as its keys, not both; write {_EXAMPLE}")
    if not all(per_arm):
        return {name: _add_grid(arm, grid) for name, arm in arms.items()}
    for name in grid:
        if name not in arms:
            raise unknown_name("arm", name, arms, "grid")
    return {name: _add_grid(arm, grid[name]) if name in grid else arm for name, arm in arms.items()}


def _add_grid(arm: Arm, grid: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: _list_values(key, values) for key, values in grid.items()}
    return {**arm.model_dump(exclude_none=True), "grid": plain}


def _list_values(key: str, values: Any) -> list[Any]:
    """A list of plain values; numbers of NumPy become Python's."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UsageError(f"grid, {key}: {values!r}; a list of values is expected, like [0.1, 0.2]")
    return [value.item() if hasattr(value, "item") else value for value in values]
