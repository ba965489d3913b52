r"""Half widths and p values for a mean whose variance has two estimated parts.

The variance of the mean difference is estimated by A + B: A from the seeds' means, with S - 1 degrees of freedom, and B
from the examples, with N - 1. One t distribution with Satterthwaite's degrees of freedom is too hopeful when S is small
and both parts matter: at S = 3 the 95 % interval covers 92 %, and a 99.5 % one, as several contrasts need it, errs
five times as often as it says. Here the critical value is a power mean of the two parts' own t quantiles,

.. math:: c = \left(\frac{A t_A^q + B t_B^q}{A + B}\right)^{1/q}.

q = 1 is the approximation of Cochran and Cox (1950). q = 2 is the interval of Banerjee (1960), whose coverage is never
below nominal: with x = chi-square of one degree of freedom, P(x <= y) is concave in y, so by Jensen's inequality the
coverage is at least the mean of the two parts' own coverages. q rises from 1.25 at the 95 % level to 2 at 99.5 % and
above, which keeps the error at or below nominal at all levels without covering above 97.5 % at the usual one. The
numbers are in ``docs/decisions/0010-two-way-interval.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy  # imports `optimize` where it is first used: a third of a second
from scipy import special

from paribus.analysis.disagreements import Disagreements, Floats, Side

SMALLEST_P = 1e-100
"""The smallest p or nominal level: below, SciPy's t quantiles turn infinite or wrong (seen from 1e-200 on)."""

_LARGEST_LOG_P = -1e-12
_SMALLEST_T = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class TwoPartVariance:
    """The estimated variance of a mean, in its two parts; arrays of parts are handled element by element.

    Attributes:
        seed: part A, from the seeds; >= 0.
        seed_freedom: its degrees of freedom.
        example: part B, from the examples; >= 0; 0 for claims about one test set.
        example_freedom: its degrees of freedom.
        disagreements: for scores of 0 and 1, the examples that tell the arms apart: part B is never taken smaller than
            they allow, and the two ends of an interval may then lie at different distances. None for other scores.
        least: likewise, but the whole half width is never smaller than they allow, as the examples' part is in the
            variance already.
    """

    seed: Floats
    seed_freedom: float
    example: Floats = 0.0
    example_freedom: float = 1
    disagreements: Disagreements | None = None
    least: Disagreements | None = None

    @property
    def total(self) -> Floats:
        """A + B."""
        return self.seed + self.example


def exponent(alpha: float, seed_freedom: float) -> float:
    """The exponent q for a two-sided error ``alpha``: 1.25 from 0.05 upward, 2 from 0.005 downward.

    Args:
        alpha: the two-sided error.
        seed_freedom: degrees of freedom of the seeds' part.
    """
    if seed_freedom == 1:
        return 2.0
    return min(max(1.25 + 0.75 * math.log10(0.05 / alpha), 1.25), 2.0)


def half_width(variance: TwoPartVariance, alpha: float, side: Side = Side.LOWER) -> Floats:
    """The distance between the mean and one end of its interval.

    Both sides are alike unless the variance rests on few disagreeing examples (decision records 0010 and 0051).

    Args:
        variance: the estimated variance of the mean, in its two parts.
        alpha: the error of the two-sided interval, in (0, 1).
        side: which end.

    Returns:
        The distance; an array where the parts are arrays.
    """
    alpha = max(alpha, SMALLEST_P)
    t_seed = -float(special.stdtrit(variance.seed_freedom, alpha / 2))
    t_example = -float(special.stdtrit(variance.example_freedom, alpha / 2))
    q = exponent(alpha, variance.seed_freedom)
    example = variance.example
    if variance.disagreements is not None:
        # Just below alpha = 1 SciPy rounds the quantiles to 0.
        t_seed, t_example = max(t_seed, _SMALLEST_T), max(t_example, _SMALLEST_T)
        example = np.maximum(example, (variance.disagreements.reach(side, alpha) / t_example) ** 2)
    total = variance.seed + example
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, variance.seed / np.where(total > 0, total, 1.0), 1.0)
    # Relative to the larger quantile: t ** 2 of one degree of freedom overflows for the tiniest alphas otherwise.
    ratio = t_example / t_seed if t_seed > 0 else 1.0
    critical = t_seed * (share + (1 - share) * ratio**q) ** (1 / q)
    result = critical * np.sqrt(total)
    if variance.least is not None:
        result = np.maximum(result, variance.least.reach(side, alpha))
    return result if np.ndim(result) else float(result)


def two_sided_p(distance: float, variance: TwoPartVariance) -> float:
    """The smallest ``alpha`` whose interval around a mean ``distance`` above a point does not reach that point.

    Where ``distance`` is negative, the mean lies below the point and the interval's upper end is meant. Exactly the p
    of a t test where B is zero; in [1e-100, 1]. The total variance must be positive.

    Args:
        distance: mean minus point.
        variance: the estimated variance of the mean, in its two parts.
    """
    side = Side.LOWER if distance > 0 else Side.UPPER
    distance = abs(distance)
    if distance == 0:
        return 1.0
    if variance.disagreements is None and variance.least is None and float(variance.example) == 0:
        p_value = float(2 * special.stdtr(variance.seed_freedom, -distance / math.sqrt(float(variance.seed))))
        return max(p_value, SMALLEST_P)

    def excess(log_alpha: float) -> float:
        return float(half_width(variance, math.exp(log_alpha), side)) - distance

    lowest = math.log(SMALLEST_P)
    if excess(lowest) <= 0:
        return SMALLEST_P
    # At alpha = 1 the half width is 0: a distance below what rounding leaves just before that is none.
    if excess(_LARGEST_LOG_P) >= 0:
        return 1.0
    return math.exp(float(scipy.optimize.brentq(excess, lowest, _LARGEST_LOG_P, xtol=1e-13, rtol=1e-14)))


def above_p(distance: float, variance: TwoPartVariance) -> float:
    """P of the one-sided test that the true mean lies above a point; the estimate is ``distance`` above it."""
    return _tail(two_sided_p(distance, variance), distance)


def below_p(distance: float, variance: TwoPartVariance) -> float:
    """P of the one-sided test that the true mean lies below a point; the estimate is ``distance`` below it."""
    return _tail(two_sided_p(-distance, variance), distance)


def _tail(p_value: float, distance: float) -> float:
    """Half of a two-sided p; for an estimate that speaks against the claim the rest of it, above one half."""
    return p_value / 2 if distance >= 0 else max(1 - p_value / 2, math.nextafter(0.5, 1.0))
