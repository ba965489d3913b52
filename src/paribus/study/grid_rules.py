"""Rules for the grids and the budget of a study: every mistake is listed before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from paribus.errors import Mistake, UsageError
from paribus.study.candidates import SUFFIX, count_combinations, divide_budget
from paribus.study.document import Arm, Tuning
from paribus.study.grid import with_arguments

MAX_BUDGET = 10_000
"""The largest number of trainings an arm."""

_MAX_NAME = 100 - len(SUFFIX) - 3
"""The longest name of a study or arm that leaves space for the suffixes of candidates."""


def find_grid_mistakes(table: Mapping[str, Any]) -> list[Mistake]:
    """List what breaks the rules of tuning in a study. Tables that are invalid in themselves are skipped.

    Args:
        table: the study as its TOML is parsed.
    """
    arms = table.get("arms")
    if not isinstance(arms, Mapping):
        return []
    checked = {str(name): arm for name, raw in arms.items() if (arm := _read_arm(raw)) is not None}
    grids = {name: arm.grid for name, arm in checked.items() if arm.grid}
    if not grids:
        superfluous = "tuning" in table and len(checked) == len(arms)
        return (
            [Mistake("tuning", "no arm has a grid; give one to each arm, or leave [tuning] out")] if superfluous else []
        )
    mistakes = [mistake for name, arm in checked.items() for mistake in _find_arm_mistakes(name, arm, list(grids))]
    mistakes += _find_long_names(table, grids)
    tuning = _read_tuning(table.get("tuning"))
    if not mistakes and tuning is not None:
        mistakes += _find_budget_mistakes({name: count_combinations(grid) for name, grid in grids.items()}, tuning)
    return mistakes


def _read_arm(raw: Any) -> Arm | None:
    try:
        return raw if isinstance(raw, Arm) else Arm.model_validate(raw)
    except ValidationError:
        return None


def _read_tuning(raw: Any) -> Tuning | None:
    try:
        return Tuning.model_validate({} if raw is None else raw)
    except ValidationError:
        return None


def _find_arm_mistakes(name: str, arm: Arm, tuned: list[str]) -> Iterator[Mistake]:
    place = f"arm '{name}'"
    if arm.grid is None:
        others = ", ".join(tuned)
        yield Mistake(
            place,
            f"it has no grid and {others} {'has' if len(tuned) == 1 else 'have'}: a tuned arm would be compared with "
            "one that is not. Give it a grid; or say grid = {} to leave it as it is, and the report will say so",
        )
        return
    for key, values in arm.grid.items():
        yield from (Mistake(f"{place}, grid, {key}", text) for text in _find_key_mistakes(arm, key, values))
    if arm.grid and count_combinations(arm.grid) == 1:
        yield Mistake(
            f"{place}, grid",
            "one combination selects nothing: write its values into the arm, and say grid = {}",
        )


def _find_key_mistakes(arm: Arm, key: str, values: tuple[Any, ...]) -> Iterator[str]:
    if not values:
        yield "no values; list some, like [0.1, 0.2]"
        return
    for value in values:
        text = _check_value(arm, key, value)
        if text is not None:
            yield text
            # A wrong key would be reported once for each of its values.
            return
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        yield f"{twice[0]} is listed twice; list each value once"


def _check_value(arm: Arm, key: str, value: Any) -> str | None:
    if not isinstance(value, bool | int | float | str):
        return f"{value!r}: a number, a text, true or false is expected; of an object, tune its arguments"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value}: a finite number is expected"
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if key == "learning_rate" and (number is None or number <= 0):
        return f"{value!r}: a learning rate is a number above 0"
    if key == "dropout" and (number is None or not 0 <= number < 1):
        return f"{value!r}: a rate lies in [0, 1); 0.2 drops a fifth of the units"
    try:
        with_arguments(arm, {key: value})
    except UsageError as error:
        return str(error)
    return None


def _find_long_names(table: Mapping[str, Any], grids: Mapping[str, Any]) -> Iterator[Mistake]:
    """Candidates are named after their arm and stored under the study's name, which must leave space for a suffix."""
    name = table.get("name")
    if isinstance(name, str) and len(name) > _MAX_NAME:
        yield Mistake("name", f"{len(name)} characters; the name of a study that tunes has at most {_MAX_NAME}")
    for arm in grids:
        if len(arm) > _MAX_NAME:
            yield Mistake(
                f"arm '{arm}'", f"{len(arm)} characters; the name of an arm with a grid has at most {_MAX_NAME}"
            )


def _find_budget_mistakes(sizes: Mapping[str, int], tuning: Tuning) -> Iterator[Mistake]:
    """Every arm spends the same number of trainings, and divides it evenly among its candidates (decision 0037)."""
    largest = max(sizes.values())
    budget = tuning.budget or largest * tuning.seeds
    listed = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    if budget > MAX_BUDGET:
        yield Mistake(
            "tuning, budget",
            f"{budget:,} trainings an arm (combinations: {listed}); at most {MAX_BUDGET:,}: say `budget`, and arms "
            "with more combinations try a sample of them",
        )
    elif budget < 2 * tuning.seeds:
        yield Mistake(
            "tuning, budget",
            f"{budget}: with {tuning.seeds} seeds a candidate this is one candidate, which selects nothing; write "
            f"{2 * tuning.seeds} or more",
        )
    elif not _divides_evenly(sizes, budget, tuning.seeds):
        better = next(
            (more for more in range(budget, MAX_BUDGET + 1) if _divides_evenly(sizes, more, tuning.seeds)), None
        )
        advice = f"say budget = {better}" if better is not None else "list other numbers of values"
        yield Mistake(
            "tuning, budget",
            f"{budget} trainings an arm cannot be divided evenly (combinations: {listed}; at least {tuning.seeds} "
            f"{'seed' if tuning.seeds == 1 else 'seeds'} each), so that budgets would differ: {advice}",
        )


def _divides_evenly(sizes: Mapping[str, int], budget: int, seeds: int) -> bool:
    budgets = (divide_budget(size, budget, seeds) for size in sizes.values())
    return budget % seeds == 0 and all(share.candidates * share.seed_count == budget for share in budgets)
