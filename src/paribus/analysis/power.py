"""The power of a comparison whose variance components are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy  # imports `optimize` where it is first used: a third of a second
from scipy import special

from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.disagreements import Disagreements, Floats, Side

_MOST_SEEDS = 100_000
_ENDLESS = 10**9
# Midpoints of equal slices of probability: the mean over them integrates over the seeds' estimated variance.
_SLICES = (np.arange(2000) + 0.5) / 2000


@lru_cache(maxsize=256)  # 16 KB each; the quantiles take longer than all else here, and every contrast asks for these
def _half_quantiles(freedom: int) -> Floats:
    """Half the chi-square quantiles with so many degrees of freedom, at the middle of each slice."""
    quantiles = np.asarray(special.gammaincinv(freedom / 2, _SLICES), dtype=np.float64)
    quantiles.flags.writeable = False
    return quantiles


@dataclass(frozen=True, slots=True)
class TrueNoise:
    """True variances of one contrast that a plan takes for granted, and the error its test may make.

    Attributes:
        per_seed: variance of a seed's mean difference, var_seed + var_rest / N.
        example: variance of the mean difference that all seeds share, var_example / N; 0 for claims about one test set.
        examples: size of the test set, N.
        alpha: two-sided nominal error of the test.
        disagreements: for scores of 0 and 1 on new data, the disagreeing examples of stored runs: the examples' part of
            an interval is then no smaller than they allow (decision record 0051).
        example_freedom: degrees of freedom of ``example`` where examples belong to groups; None means N - 1.
    """

    per_seed: float
    example: float
    examples: int
    alpha: float
    disagreements: Disagreements | None = None
    example_freedom: float | None = None

    def power(self, difference: float, seeds: int) -> float:
        """The chance that an interval excludes zero.

        The mean and the seeds' estimated variance are independent; the mean is normal, and the variance is integrated
        over its chi-square law. The examples' part, with thousands of degrees of freedom, is taken as known.

        Args:
            difference: the true difference, in the units of the scores.
            seeds: the number of seeds.
        """
        return _chance(difference, self._error(seeds), self._halves(seeds))

    def detectable(self, seeds: int, power: float) -> float:
        """The smallest true difference that so many seeds detect with this power, in the units of the scores."""
        error = self._error(seeds)
        if error == 0:
            return float(np.max(self._half(0.0, seeds - 1)))
        halves, upper = self._halves(seeds), error
        while _chance(upper, error, halves) < power:
            upper *= 2
        return float(scipy.optimize.brentq(lambda size: _chance(size, error, halves) - power, 0.0, upper, rtol=1e-10))

    def seeds_for(self, difference: float, power: float) -> int | None:
        """The smallest number of seeds that detects a true difference with this power; None if no number does."""
        return _first(lambda seeds: self.power(difference, seeds) >= power, _MOST_SEEDS)

    def floor(self, power: float) -> float:
        """The smallest difference that an endless number of seeds detects with this power."""
        half = float(np.max(self._half(0.0, _ENDLESS)))
        if self.example == 0:
            return half
        error = math.sqrt(self.example)
        return error * _excess_power(half / error, power)

    def _error(self, seeds: int) -> float:
        """The standard error of the mean difference."""
        return math.sqrt(self.per_seed / seeds + self.example)

    def _halves(self, seeds: int) -> Floats:
        """Half widths of the interval, one for each slice of the law of the seeds' estimated variance."""
        estimated = self.per_seed / seeds * 2 * _half_quantiles(seeds - 1) / (seeds - 1)
        return self._half(estimated, seeds - 1)

    def _half(self, seed_part: Floats, freedom: int) -> Floats:
        """Half width of the interval; of its two sides, where they differ, the larger one."""
        of_examples = max(self.examples - 1, 1) if self.example_freedom is None else self.example_freedom
        variance = TwoPartVariance(seed_part, freedom, self.example, of_examples, self.disagreements)
        below, above = (half_width(variance, self.alpha, side) for side in Side)
        return np.asarray(np.maximum(below, above), dtype=np.float64)


def _chance(difference: float, error: float, halves: Floats) -> float:
    """The chance that a normal estimate lies farther from zero than half an interval, over equally likely halves."""
    if error == 0:
        return float(np.mean(difference > halves))
    detected = special.ndtr((difference - halves) / error) + special.ndtr((-difference - halves) / error)
    return float(np.mean(detected))


def _excess_power(critical: float, power: float) -> float:
    """The true difference in standard errors at which a normal estimate passes ``critical`` with this power."""

    def missing(shift: float) -> float:
        return float(special.ndtr(shift - critical) + special.ndtr(-shift - critical)) - power

    return float(scipy.optimize.brentq(missing, 0.0, critical + 40.0)) if missing(0.0) < 0 else 0.0


def _first(holds: Callable[[int], bool], most: int) -> int | None:
    """The smallest whole number from 2 to ``most`` for which ``holds``, which stays true once it is."""
    upper = 2
    while not holds(upper):
        if upper == most:
            return None
        upper = min(2 * upper, most)
    lower = upper // 2
    while upper - lower > 1:
        middle = (lower + upper) // 2
        lower, upper = (lower, middle) if holds(middle) else (middle, upper)
    return max(upper, 2)
