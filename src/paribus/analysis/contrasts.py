"""A family of declared contrasts: intervals and p values that hold for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.analysis.comparison import Comparison
from paribus.analysis.metrics import Metric
from paribus.analysis.pairing import Missing


@dataclass(frozen=True, slots=True)
class Contrast:
    """Arm ``a`` against arm ``b`` on one metric, as one of a family.

    Attributes:
        a: the first arm.
        b: the second arm; the difference is a - b.
        metric: what is compared.
        comparison: difference, interval, verdict. Interval, ``p_adjusted`` and verdict hold for the whole family
            at once (``comparison.contrasts`` is its size).
        p_holm: Holm's step-down p of the same family, shown beside; it never decides the verdict. None with one seed.
        missing: seeds left out of this contrast because one of the arms has no score for them.
    """

    a: str
    b: str
    metric: Metric
    comparison: Comparison
    p_holm: float | None
    missing: tuple[Missing, ...] = ()

    @property
    def p_value(self) -> float | None:
        """Raw p of this contrast alone."""
        return self.comparison.p_value

    @property
    def p_adjusted(self) -> float | None:
        """P adjusted for the family; p_adjusted <= 1 - level exactly where the verdict is better or worse."""
        return self.comparison.p_adjusted
