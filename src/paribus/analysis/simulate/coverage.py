"""Coverage of the intervals, and errors of the verdicts, for one comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from paribus.analysis.comparison import Scope
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.simulate.settings import MIXES, Mix

# Margins of the equivalence tests, in true standard errors of the difference.
_MARGINS = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Rates:
    """The results for one size and one mix.

    Attributes:
        mix: how the variance splits.
        coverage: of the interval at the level.
        false_difference: share of "better" or "worse" where the true difference is zero.
        false_equivalence: largest share of held equivalence tests, over several margins, where the true difference is
            the margin.
    """

    mix: Mix
    coverage: float
    false_difference: float
    false_equivalence: float


def coverage(
    seeds: int, examples: int, scope: Scope, draws: int, generator: np.random.Generator, level: float = 0.95
) -> Iterator[Rates]:
    """Simulate all mixes at one size.

    The mean is independent of the mean squares, so each draw of the mean squares adds the exact probability of its
    interval to cover; the simulation's own error is then far below 0.1 points.

    Args:
        seeds: number of seeds, S.
        examples: number of examples, N.
        scope: "new data" or "this test set".
        draws: number of simulated studies.
        generator: draws them.
        level: level of the intervals.

    Yields:
        The rates of each mix.
    """
    for mix in MIXES:
        if scope is Scope.THIS_TEST_SET and mix.seed == mix.rest == 0:
            continue
        variance, error = drawn_variance(mix, seeds, examples, scope, draws, generator)
        half = half_width(variance, 1 - level) / error
        missed = float(np.mean(2 * stats.norm.sf(half)))
        one_sided = half_width(variance, 2 * (1 - level)) / error
        equivalent = max(_held(one_sided, margin) for margin in _MARGINS)
        yield Rates(mix, 1 - missed, missed, equivalent)


def drawn_variance(
    mix: Mix, seeds: int, examples: int, scope: Scope, draws: int, generator: np.random.Generator
) -> tuple[TwoPartVariance, float]:
    """Estimated variances of the mean of many studies, and the true standard error.

    Args:
        mix: how the variance of the mean splits.
        seeds: number of seeds, S.
        examples: number of examples, N.
        scope: "new data" or "this test set".
        draws: number of simulated studies.
        generator: draws them.

    Returns:
        The variances, whose parts have shape ``(draws,)``; the standard error.
    """
    freedom = (seeds - 1) * (examples - 1)
    rest = mix.rest * generator.chisquare(freedom, draws) / freedom
    by_seed = (mix.seed + mix.rest) * _spread_chi_square(seeds - 1, draws, generator)
    by_example = (mix.example + mix.rest) * generator.chisquare(examples - 1, draws) / (examples - 1)
    if scope is Scope.THIS_TEST_SET:
        return TwoPartVariance(by_seed, seeds - 1), float(np.sqrt(mix.seed + mix.rest))
    example_part = np.maximum(by_example - rest, 0.0)
    return TwoPartVariance(by_seed, seeds - 1, example_part, examples - 1), 1.0


def _spread_chi_square(freedom: int, draws: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A chi-square over its degrees of freedom, one draw from each of as many equal slices of probability, shuffled.

    With few seeds this factor makes nearly all of the simulation's own error; slices leave next to nothing of it.
    """
    chances = (generator.permutation(draws) + generator.random(draws)) / draws
    return np.asarray(stats.chi2.ppf(chances, freedom) / freedom, dtype=np.float64)


def _held(half: float | NDArray[np.float64], margin: float) -> float:
    """Chance that |estimate| + half <= margin where the true difference is the margin, all in standard errors."""
    slack = np.maximum(margin - half, 0.0)
    return float(np.mean(stats.norm.cdf(slack - margin) - stats.norm.cdf(-slack - margin)))
