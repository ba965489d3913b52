"""Other ways to do it, for the decision records: why the methods are what they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from paribus.analysis.critical import TwoPartVariance, half_width

Floats = NDArray[np.float64]
Method = Callable[[Floats, float, int, float], Floats]
"""Half width from (A, B, degrees of freedom of A, two-sided error), with B known."""


def satterthwaite(seed: Floats, example: float, freedom: int, alpha: float) -> Floats:
    """One t quantile with Satterthwaite's degrees of freedom."""
    total = seed + example
    effective = np.minimum(total**2 / (seed**2 / freedom), 1e7)
    return np.asarray(-special.stdtrit(effective, alpha / 2) * np.sqrt(total))


def cochran_cox(seed: Floats, example: float, freedom: int, alpha: float) -> Floats:
    """The mean of both parts' t quantiles, weighted by the parts (Cochran and Cox 1950)."""
    critical = (-special.stdtrit(freedom, alpha / 2) * seed - special.ndtri(alpha / 2) * example) / (seed + example)
    return np.asarray(critical * np.sqrt(seed + example))


def banerjee(seed: Floats, example: float, freedom: int, alpha: float) -> Floats:
    """Root of the sum of both parts' squared half widths (Banerjee 1960)."""
    squared = special.stdtrit(freedom, alpha / 2) ** 2 * seed + special.ndtri(alpha / 2) ** 2 * example
    return np.asarray(np.sqrt(squared))


def ours(seed: Floats, example: float, freedom: int, alpha: float) -> Floats:
    """What paribus does."""
    return np.asarray(half_width(TwoPartVariance(seed, freedom, example, 10**9), alpha))


METHODS: tuple[tuple[str, Method], ...] = (
    ("Satterthwaite", satterthwaite),
    ("Cochran and Cox", cochran_cox),
    ("Banerjee", banerjee),
    ("paribus", ours),
)


def error_range(method: Method, seeds: int, alpha: float) -> tuple[float, float]:
    """Smallest and largest error over all splits of the variance, for an endless number of examples.

    The seeds' mean square is integrated over its chi-square law at midpoints of equal slices of probability.

    Args:
        method: the half width as a function.
        seeds: number of seeds.
        alpha: the nominal two-sided error.
    """
    freedom = seeds - 1
    law = stats.chi2.ppf((np.arange(4_000) + 0.5) / 4_000, freedom) / freedom
    errors = [
        float(np.mean(2 * special.ndtr(-method(share * law, 1 - share, freedom, alpha))))
        for share in np.linspace(0.02, 0.98, 25)
    ]
    return min(errors), max(errors)


def estimated_correlation_error(arms: int, seeds: int, draws: int, generator: np.random.Generator) -> float:
    """Share of studies of equal arms with any false difference, by max-|t| with the estimated correlation.

    All pairs, on one test set; the bound is the 95 % point of the largest |t| of a multivariate t with seeds - 1
    degrees of freedom and the correlation of the seeds' differences (Hothorn, Bretz and Westfall 2008).
    """
    first, second = np.array(list(combinations(range(arms), 2))).T
    wrong = 0
    for _ in range(draws):
        scores = generator.standard_normal((arms, seeds))
        differences = scores[first] - scores[second]
        statistics = differences.mean(axis=1) / differences.std(axis=1, ddof=1) * np.sqrt(seeds)
        centered = differences - differences.mean(axis=1, keepdims=True)
        scaled = centered / np.linalg.norm(centered, axis=1, keepdims=True)
        normal = generator.standard_normal((4000, seeds)) @ scaled.T
        chi = np.sqrt(generator.chisquare(seeds - 1, (4000, 1)) / (seeds - 1))
        wrong += bool(np.abs(statistics).max() > np.quantile(np.abs(normal / chi).max(axis=1), 0.95))
    return wrong / draws
