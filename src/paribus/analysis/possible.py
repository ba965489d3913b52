"""How large a difference can be, and limits of intervals that go beyond it, in print (decision 0131)."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.analysis.metrics import Metric


@dataclass(frozen=True, slots=True)
class PrintedLimits:
    """Limits of an interval as sentences, tables and figures have them.

    Attributes:
        low: lower limit, in the metric's units.
        high: upper limit.
        cut: how many of the two go beyond every possible difference and are printed as the largest one.
    """

    low: float
    high: float
    cut: int


def largest_difference(metric: Metric, factors: int = 1) -> float | None:
    """The largest difference that two arms can have, in the metric's units; None where there is no bound.

    Args:
        metric: what is compared. Proportions lie in [0, 1], the generalization gap in [-1, 1].
        factors: how many factors an effect has: an interaction is a difference of differences.
    """
    if metric.proportion:
        return 2.0 ** (factors - 1)
    return 2.0**factors if metric.name == "generalization_gap" else None


def print_limits(metric: Metric, low: float, high: float, factors: int = 1) -> PrintedLimits:
    """The limits of an interval, cut at the largest possible difference. It covers the true one as often as before.

    Args:
        metric: what is compared.
        low: lower limit, in the metric's units.
        high: upper limit.
        factors: how many factors the effect has; see ``largest_difference``.

    Returns:
        The limits to print, and how many of them were cut.
    """
    largest = largest_difference(metric, factors)
    if largest is None:
        return PrintedLimits(low, high, 0)
    return PrintedLimits(max(low, -largest), min(high, largest), (low < -largest) + (high > largest))
