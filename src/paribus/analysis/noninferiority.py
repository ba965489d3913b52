"""Non-inferiority: is a new arm not worse than an old one by more than a margin (``paribus check``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from paribus.analysis.compare import limits_of_mean, variance_of_mean
from paribus.analysis.comparison import Comparison
from paribus.analysis.contrasts import compare_aligned
from paribus.analysis.critical import above_p, below_p
from paribus.analysis.folds import FoldLayout, fold_parts
from paribus.analysis.groups import Groups
from paribus.analysis.metrics import Metric
from paribus.analysis.pairing import Missing, SeedScores, align
from paribus.analysis.strictness import Strictness
from paribus.analysis.variance import decompose
from paribus.errors import UsageError


class CheckAnswer(StrEnum):
    """The answer of a check: it holds, it does not, or the runs cannot say."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """A check that the new arm is not worse than the old one by the margin or more.

    Attributes:
        new: the new arm.
        old: the old arm.
        metric: what is compared.
        margin: the loss that would be too much, in the metric's units; positive.
        answer: ``HOLDS`` if a loss as large as the margin is ruled out at the level, one-sided; ``FAILS`` if a loss
            smaller than the margin is; else ``UNDECIDED``.
        worst: one-sided limit of how the new arm may compare at worst (new - old): the lower limit where higher is
            better, the upper one for losses; None with one seed.
        p_value: one-sided p of "worse by the margin or more"; None with one seed.
        comparison: the two-sided comparison of new with old, for information.
        missing: seeds left out because one of the arms has no score for them.
    """

    new: str
    old: str
    metric: Metric
    margin: float
    answer: CheckAnswer
    worst: float | None
    p_value: float | None
    comparison: Comparison
    missing: tuple[Missing, ...] = ()


def check_not_worse(
    new: SeedScores,
    old: SeedScores,
    metric: Metric,
    margin: float,
    *,
    level: float = 0.95,
    scope: str = "new data",
    groups: Groups | None = None,
    folds: FoldLayout | None = None,
) -> NonInferiority:
    """Check that ``new`` is not worse than ``old`` by ``margin`` or more; rows are paired by seed.

    One-sided test of the difference against the margin with error 1 - level, the same variance as in
    :func:`paribus.analysis.compare_scores`.

    Args:
        new: the new arm's scores, in the metric's own units (a loss as a loss).
        old: the old arm's scores.
        metric: what is compared.
        margin: the loss that would be too much, in the metric's units; positive.
        level: 1 minus the chance that the check holds where the loss is as large as the margin.
        scope: what the claim is about, "new data" or "this test set".
        groups: the groups that the examples belong to; None where they are independent.
        folds: the folds of cross-validation, for each seed; None for one test split.

    Returns:
        The answer with its limit and its p.

    Raises:
        UsageError: no seed in common, or bad scores, margin, level or scope.
    """
    if not 0.5 < level < 1:
        raise UsageError(f"level {level!r}: the level of a check lies between 0.5 and 1, such as 0.95")
    rows = align((new, old))
    if not rows.seeds:
        raise UsageError(
            f"arms {new.arm!r} and {old.arm!r} have no scored seed in common: run both with the same seeds"
        )
    terms = ((1.0, rows.values[0]), (-1.0, rows.values[1]))
    fold_rows = None if folds is None else folds.of_rows(rows.seeds, rows.values[0].shape[1])
    comparison = compare_aligned(terms, metric, margin, Strictness(level), scope, groups, fold_rows)
    assert comparison is not None, "there are common seeds"
    answer, worst, p_value = CheckAnswer.UNDECIDED, None, None
    if comparison.seeds > 1 and comparison.low is not None:
        if fold_rows is None:
            parts = decompose(terms, offset_by_run=metric.offset_by_run, groups=groups)
            variance, _ = variance_of_mean(parts, comparison.scope)
        else:
            variance = fold_parts(terms, fold_rows, comparison.scope).variance
        low, high = limits_of_mean(comparison.difference, variance, 2 * (1 - level))
        # Where lower is better, the new arm is at worst as far above the old one as the upper limit.
        if metric.higher_is_better:
            worst, distance, not_worse, much_worse = low, comparison.difference + margin, above_p, below_p
        else:
            worst, distance, not_worse, much_worse = high, margin - comparison.difference, below_p, above_p
        p_value = not_worse(distance, variance)
        if p_value <= 1 - level:
            answer = CheckAnswer.HOLDS
        elif much_worse(-distance, variance) <= 1 - level:
            answer = CheckAnswer.FAILS
    return NonInferiority(new.arm, old.arm, metric, margin, answer, worst, p_value, comparison, rows.missing)
