"""A family of declared contrasts: intervals and p values that hold for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis.compare import compare_terms, parsed_scope
from paribus.analysis.compare_folds import compare_folds
from paribus.analysis.comparison import Comparison, Scope
from paribus.analysis.folds import FoldLayout, FoldRows
from paribus.analysis.groups import Groups
from paribus.analysis.looks import Schedule
from paribus.analysis.metrics import Metric
from paribus.analysis.pairing import Missing, SeedScores, align
from paribus.analysis.shares import checked_weights, holm, weighted_holm
from paribus.analysis.strictness import Strictness
from paribus.analysis.zero_one import Term
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class ContrastScores:
    """A contrast as it was declared, with the scores that have come in for it.

    Attributes:
        a: the first arm's scores, in the metric's own units (a loss as a loss).
        b: the second arm's scores; the difference is a - b.
        metric: what is compared.
        margin: differences smaller than this count as equivalent; None means the metric's ``default_margin``.
    """

    a: SeedScores
    b: SeedScores
    metric: Metric
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class JudgedContrast:
    """Arm ``a`` against arm ``b`` on one metric, as one of a family.

    Attributes:
        a: the first arm.
        b: the second arm; the difference is a - b.
        metric: what is compared.
        comparison: difference, interval, verdict. Interval, ``p_adjusted`` and verdict hold for the whole family
            at once (``comparison.contrasts`` is its size). None where the arms have no scored seed in common.
        p_holm: Holm's step-down p of the same family; it never decides the verdict. None with one seed.
        missing: seeds left out of this contrast because one of the arms has no score for them.
        looks_taken: the numbers of seeds at which it was judged without a planned look, where this is remembered.
        next_step: what would decide it, a sentence; empty where it is decided or nothing can be planned.
        unit: what its rows are, in sentences: seeds, or passes over the folds.
    """

    a: str
    b: str
    metric: Metric
    comparison: Comparison | None
    p_holm: float | None
    missing: tuple[Missing, ...] = ()
    looks_taken: tuple[int, ...] = ()
    next_step: str = ""
    unit: str = "seed"

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other contrasts: both arms and the metric."""
        return (self.a, self.b, self.metric.name)

    @property
    def p_value(self) -> float | None:
        """Raw p of this contrast alone."""
        return self.comparison.p_value if self.comparison else None

    @property
    def p_adjusted(self) -> float | None:
        """P adjusted for the family; p_adjusted <= 1 - level exactly where the verdict is better or worse."""
        return self.comparison.p_adjusted if self.comparison else None


def compare_family(
    declared: Sequence[ContrastScores],
    *,
    level: float = 0.95,
    scope: str = "new data",
    family: int | None = None,
    schedule: Schedule | None = None,
    number: int = 1,
    weights: Sequence[float] | None = None,
    primary: Sequence[bool] | None = None,
    groups: Groups | None = None,
    folds: FoldLayout | None = None,
) -> tuple[JudgedContrast, ...]:
    """Judge all declared contrasts together.

    Args:
        declared: the contrasts, each with its arms' scores; rows are paired by seed.
        level: the level at which all intervals hold at once.
        scope: what the claims are about. Metrics known once per run (one column) are judged over seeds only, whatever
            is asked for, and their comparison says so.
        family: how many contrasts share the allowed error; None means these. Larger where others are judged elsewhere.
        schedule: the planned looks of a study that grows; None for one look.
        number: which look this is. Pass only the scores of the seeds planned for it (``SeedScores.only``).
        weights: each contrast's share of the error 1 - level of the whole study, as :func:`error_shares` divides it;
            they sum to 1 at most. None means 1 / family for each.
        primary: for each contrast whether it is primary, which its sentence says; None means that none is. It changes
            no number: ``weights`` do.
        groups: the groups that the test examples belong to; None where they are independent.
        folds: the folds of cross-validation, whose rows are passes over them; None for one split.

    Returns:
        The contrasts in the order of the arguments.

    Raises:
        UsageError: bad scores, margin, level, scope or weights; a family smaller than the number of contrasts.
    """
    strictness = shared_strictness(len(declared), level, family, schedule, number, weights, primary)
    aligned = [align((item.a, item.b)) for item in declared]
    comparisons = [
        compare_aligned(
            ((1.0, rows.values[0]), (-1.0, rows.values[1])),
            item.metric,
            item.margin,
            strict,
            scope,
            groups,
            None if folds is None else folds.of_rows(rows.seeds, rows.values[0].shape[1]),
        )
        for item, rows, strict in zip(declared, aligned, strictness, strict=True)
    ]
    steps = stepped_down(comparisons, strictness)
    return tuple(
        JudgedContrast(item.a.arm, item.b.arm, item.metric, comparison, p_holm, rows.missing, unit=item.a.unit)
        for item, rows, comparison, p_holm in zip(declared, aligned, comparisons, steps, strict=True)
    )


def shared_strictness(
    count: int,
    level: float,
    family: int | None,
    schedule: Schedule | None,
    number: int,
    weights: Sequence[float] | None = None,
    primary: Sequence[bool] | None = None,
) -> tuple[Strictness, ...]:
    """How strict each of ``count`` statements must be (decision records 0011 and 0050).

    Args:
        count: the number of statements that are judged.
        level: the level at which all intervals of the family hold at once.
        family: how many statements share the allowed error; None means these.
        schedule: the planned looks of a study that grows; None for one look.
        number: which look this is, from 1.
        weights: each statement's share of the error 1 - level; None means 1 / family for each.
        primary: for each statement whether it is primary; None means that none is.

    Returns:
        One for each statement, in their order.

    Raises:
        UsageError: the family is smaller than ``count``, or there is not one weight and one flag for each statement.
    """
    size = max(count, 1) if family is None else family
    if size < count:
        raise UsageError(f"family {family}: there are {count} contrasts, and a family counts at least those")
    shares = (None,) * count if weights is None else checked_weights(weights, count)
    flags = (False,) * count if primary is None else tuple(primary)
    if len(flags) != count:
        raise UsageError(f"primary has {len(flags)} entries for {count} statements: each statement has one")
    return tuple(
        Strictness(level, size, schedule, number, share, flag) for share, flag in zip(shares, flags, strict=True)
    )


def compare_aligned(
    terms: Sequence[Term],
    metric: Metric,
    margin: float | None,
    strictness: Strictness,
    scope: str,
    groups: Groups | None = None,
    folds: FoldRows | None = None,
) -> Comparison | None:
    """Compare rows that are already paired; None where there are none.

    Args:
        terms: weights and scores of shape ``(seeds, examples)``, rows paired by seed.
        metric: what is compared.
        margin: differences smaller than this count as equivalent; None means the metric's ``default_margin``.
        strictness: the promised level, and the family and looks it is shared among.
        scope: what the claim is about; a metric with one value a run is always judged on "this test set".
        groups: the groups that the examples belong to; None where they are independent.
        folds: the folds of the rows, for cross-validation; None for one test split.

    Returns:
        The comparison, or None where no seed is common to all arms.

    Raises:
        UsageError: as :func:`paribus.analysis.compare_scores`.
    """
    seeds, examples = terms[0][1].shape
    if seeds == 0:
        return None
    if folds is not None:
        limit = metric.default_margin if margin is None else margin
        return compare_folds(
            terms, folds, limit, strictness, parsed_scope(scope), higher_is_better=metric.higher_is_better
        )
    about = scope if metric.per_example and examples > 1 else Scope.THIS_TEST_SET
    return compare_terms(
        terms,
        metric.default_margin if margin is None else margin,
        strictness,
        about,
        higher_is_better=metric.higher_is_better,
        offset_by_run=metric.offset_by_run,
        groups=groups,
    )


def stepped_down(
    comparisons: Sequence[Comparison | None], strictness: Sequence[Strictness]
) -> tuple[float | None, ...]:
    """Holm's p of each comparison, adjusted for the looks first; with unequal shares the weighted one.

    A comparison without a p counts as a hypothesis with p = 1, so that its share goes to no other.

    Args:
        comparisons: the comparisons of one family; None for statements without scores.
        strictness: how strict each of them is, in the same order.

    Returns:
        The p of each in the same order; None where there is none to adjust.
    """
    raw = [
        None if item is None or item.p_value is None else strict.alone.adjusted(item.p_value)
        for item, strict in zip(comparisons, strictness, strict=True)
    ]
    p_values = [1.0 if p_value is None else p_value for p_value in raw]
    if all(strict.divisor == strict.contrasts for strict in strictness):
        steps = holm(p_values, strictness[0].contrasts if strictness else None)
    else:
        steps = weighted_holm(p_values, [strict.share for strict in strictness])
    return tuple(None if before is None else after for before, after in zip(raw, steps, strict=True))
