"""The smallest margin that a test set can show: no number of seeds removes what its few examples leave open."""

from __future__ import annotations

from paribus.analysis.comparison import Comparison, Scope
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.disagreements import Side

_ENDLESS = 10**6


def smallest_margin(stored: Comparison) -> float | None:
    """The smallest margin within which these arms could ever be called equivalent on this test set.

    With endless seeds and an estimate of exactly zero the two one-sided tests still need a margin above the examples'
    part of the interval at error 1 - level a side (times the comparison's share of it). A smaller margin is out of
    reach of any number of seeds; more test examples make it smaller (decision record 0052).

    Args:
        stored: a comparison of the two arms over at least two seeds.

    Returns:
        The margin in the units of the scores; 0 for claims about one test set, where seeds can show any; None with one
        seed, which leaves the examples' part unknown.
    """
    parts = stored.components
    if parts is None:
        return None
    if stored.scope is Scope.THIS_TEST_SET:
        return 0.0
    alpha = min(2 * (1 - stored.level) * stored.share, 0.999)
    example = max(parts.var_example, 0.0) / parts.examples
    freedom = parts.examples - 1 if stored.example_freedom is None else stored.example_freedom
    variance = TwoPartVariance(0.0, _ENDLESS, example, freedom, stored.disagreements)
    return max(float(half_width(variance, alpha, side)) for side in Side)
