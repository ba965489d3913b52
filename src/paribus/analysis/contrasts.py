"""A family of declared contrasts: intervals and p values that hold for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis.compare import compare_terms
from paribus.analysis.comparison import Comparison, Scope
from paribus.analysis.looks import Schedule
from paribus.analysis.metrics import Metric
from paribus.analysis.pairing import Missing, SeedScores, align
from paribus.analysis.strictness import Strictness
from paribus.analysis.variance import Term
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class ContrastScores:
    """A contrast as it was declared, with the scores that have come in for it.

    Attributes:
        a: the first arm's scores, in the metric's own units (a loss as a loss).
        b: the second arm's scores; the difference is a - b.
        metric: what is compared.
        margin: differences smaller than this count as equivalent; None means the default of 0.001.
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
        p_holm: Holm's step-down p of the same family, shown beside; it never decides the verdict. None with one seed.
        missing: seeds left out of this contrast because one of the arms has no score for them.
    """

    a: str
    b: str
    metric: Metric
    comparison: Comparison | None
    p_holm: float | None
    missing: tuple[Missing, ...] = ()

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

    Returns:
        The contrasts in the order given.

    Raises:
        UsageError: bad scores, margin, level or scope; a family smaller than the contrasts given.
    """
    strictness = shared_strictness(len(declared), level, family, schedule, number)
    aligned = [align((item.a, item.b)) for item in declared]
    comparisons = [
        compare_aligned(((1.0, rows.values[0]), (-1.0, rows.values[1])), item.metric, item.margin, strictness, scope)
        for item, rows in zip(declared, aligned, strict=True)
    ]
    steps = stepped_down(comparisons, strictness)
    return tuple(
        JudgedContrast(item.a.arm, item.b.arm, item.metric, comparison, p_holm, rows.missing)
        for item, rows, comparison, p_holm in zip(declared, aligned, comparisons, steps, strict=True)
    )


def holm(p_values: Sequence[float], family: int | None = None) -> tuple[float, ...]:
    """Holm's (1979) step-down adjusted p values, in the order given; ``family`` counts hypotheses not listed too."""
    size = family or len(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (size - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def shared_strictness(
    count: int, level: float, family: int | None, schedule: Schedule | None, number: int
) -> Strictness:
    """How strict each of ``count`` contrasts must be.

    Raises:
        UsageError: the family is smaller than ``count``.
    """
    size = max(count, 1) if family is None else family
    if size < count:
        raise UsageError(f"family {family}: {count} contrasts were given; a family counts at least those")
    return Strictness(level, size, schedule, number)


def compare_aligned(
    terms: Sequence[Term], metric: Metric, margin: float | None, strictness: Strictness, scope: str
) -> Comparison | None:
    """Compare rows that are already paired; None where there are none."""
    seeds, examples = terms[0][1].shape
    if seeds == 0:
        return None
    about = scope if metric.per_example and examples > 1 else Scope.THIS_TEST_SET
    return compare_terms(terms, margin, strictness, about, higher_is_better=metric.higher_is_better)


def stepped_down(comparisons: Sequence[Comparison | None], strictness: Strictness) -> tuple[float | None, ...]:
    """Holm's p of each comparison, adjusted for the looks first. One without a p counts as a hypothesis with p = 1."""
    alone = Strictness(strictness.level, 1, strictness.schedule, strictness.number)
    raw = [None if item is None or item.p_value is None else alone.adjusted(item.p_value) for item in comparisons]
    steps = holm([1.0 if p_value is None else p_value for p_value in raw], strictness.contrasts)
    return tuple(None if before is None else after for before, after in zip(raw, steps, strict=True))
