"""How many repetitions of cross-validation find a difference: the power of the corrected resampled t test.

Taken for granted: normal differences of the folds with the variance that was seen, as alike as the correction says they
are (``docs/decisions/0115-two-scopes-of-cross-validation.md``). Repetitions lower 1 / J alone, so that a difference may
be out of reach of any number of them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from scipy import special

from paribus.analysis.comparison import Comparison, Scope, Verdict
from paribus.analysis.metrics import Metric
from paribus.analysis.wording import counted, magnitude
from paribus.errors import UsageError

MOST_REPEATS = 100
"""As many repetitions as a study may have."""

_SLICES = (np.arange(2000) + 0.5) / 2000


@dataclass(frozen=True, slots=True)
class RepeatPlan:
    """How many repetitions of the folds find a difference.

    Attributes:
        detect: the true difference that is planned for, in the metric's units.
        power: the chance to find it.
        folds: the number of folds.
        repeats: the fewest repetitions that find it; None where no number up to 100 does.
        runs: the runs of an arm that these are, with the seeds in each fold that were judged; None likewise.
        power_at: the chance to find it with as many repetitions as were judged.
        statement: this in a sentence.
    """

    detect: float
    power: float
    folds: int
    repeats: int | None
    runs: int | None
    power_at: float
    statement: str


def fold_power(difference: float, spread: float, folds: int, repeats: int, alpha: float) -> float:
    """The chance that the corrected interval excludes zero.

    Args:
        difference: the true difference.
        spread: the variance of a fold's difference.
        folds: the number of folds, K.
        repeats: the number of repetitions, R.
        alpha: two-sided error of the interval.

    Returns:
        A probability.
    """
    count = folds * repeats
    factor = 1 / count + 1 / (folds - 1)
    # The mean has the corrected variance; the estimate of that varies with J - 1 degrees of freedom.
    estimated = spread * 2 * special.gammaincinv((count - 1) / 2, _SLICES) / (count - 1)
    half = -float(special.stdtrit(count - 1, alpha / 2)) * np.sqrt(factor * estimated)
    error = math.sqrt(factor * spread)
    return float(np.mean(special.ndtr((difference - half) / error) + special.ndtr((-difference - half) / error)))


def plan_repeats(
    comparison: Comparison, detect: float, metric: Metric, *, power: float = 0.8, level: float = 0.95, share: float = 1
) -> RepeatPlan:
    """Plan the repetitions of cross-validation from a comparison of stored runs.

    Args:
        comparison: of new training sets.
        detect: the true difference to detect, positive, in the metric's units.
        metric: what is compared.
        power: the chance to find it, in (0, 1).
        level: the level of the study's intervals.
        share: the statement's share of the error.

    Returns:
        The plan, with its sentence.

    Raises:
        UsageError: a difference or power that cannot be; another scope; folds without any spread.
    """
    if not (detect > 0 and math.isfinite(detect)):
        raise UsageError(f"detect {detect!r}: a difference to plan for is a positive number, such as 0.005")
    if not 0 < power < 1:
        raise UsageError(f"power {power!r}: a chance lies between 0 and 1, such as 0.8")
    folded = comparison.folded
    if folded is None or comparison.scope is not Scope.NEW_TRAINING_SETS:
        raise UsageError(f'scope "{comparison.scope}": repetitions are planned for "{Scope.NEW_TRAINING_SETS}" alone')
    spread = float(np.var(folded.differences, ddof=1))
    if spread == 0:
        raise UsageError("the arms score alike in every fold: there is no spread to plan from; repeat the folds first")
    alpha = (1 - level) * share
    # The power grows with the repetitions, so that not all of them must be tried.
    numbers = range(1, MOST_REPEATS + 1)
    place = bisect_left(
        numbers, True, key=lambda number: fold_power(detect, spread, folded.folds, number, alpha) >= power
    )
    repeats = numbers[place] if place < len(numbers) else None
    runs = None if repeats is None else repeats * folded.folds * folded.seeds
    size, chance = magnitude(detect, metric.unit), f"{100 * power:.0f} % power"
    if repeats is None:
        statement = (
            f"No number of repetitions of {folded.folds} folds finds a difference of {size} with {chance}; more "
            "examples would, or more folds."
        )
    else:
        statement = (
            f"{counted(repeats, 'repetition')} of {folded.folds} folds, {counted(runs or 0, 'run')} an arm, would find "
            f"a difference of {size} with {chance}."
        )
    at = fold_power(detect, spread, folded.folds, folded.repeats, alpha)
    return RepeatPlan(detect, power, folded.folds, repeats, runs, at, statement)


def next_repeats(comparison: Comparison, metric: Metric) -> str:
    """The next step for an undecided comparison over folds, a sentence; empty where nothing can be planned.

    Args:
        comparison: the undecided comparison.
        metric: what is compared.
    """
    folded, difference = comparison.folded, abs(comparison.difference)
    if comparison.verdict is not Verdict.UNDECIDED or folded is None:
        return ""
    if comparison.scope is not Scope.NEW_TRAINING_SETS or not difference or len(set(folded.differences)) == 1:
        return ""
    plan = plan_repeats(comparison, difference, metric, level=comparison.level, share=comparison.share)
    size = magnitude(difference, metric.unit)
    if plan.repeats is None:
        return f"Next: more repetitions cannot decide it. {plan.statement}"
    repeats = max(plan.repeats, folded.repeats + 1)
    more = (repeats - folded.repeats) * folded.folds * folded.seeds
    return (
        f"Next: `repeats = {repeats}` ({counted(more, 'more run')} an arm) would decide it with 80 % power, if {size} "
        "is the true difference."
    )
