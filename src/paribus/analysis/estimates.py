"""Estimates of one arm's metrics: mean, interval, spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from paribus.analysis.compare import parsed_scope, variance_of_mean
from paribus.analysis.comparison import Scope
from paribus.analysis.critical import half_width
from paribus.analysis.scores import checked_scores
from paribus.analysis.strictness import Strictness
from paribus.analysis.variance import decompose
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of one arm over its seeds. ``low``, ``high`` and ``sd`` are None with one seed.

    Attributes:
        mean: mean over seeds, in the metric's units (accuracies are fractions of 1).
        low: lower limit of the interval for the mean.
        high: upper limit of the interval for the mean.
        sd: standard deviation of the seeds' values (divisor n - 1).
        n: number of seeds.
        scope: what the interval is about; metrics known only as one value per seed always say "this test set".
        level: level of the interval.
    """

    mean: float
    low: float | None
    high: float | None
    sd: float | None
    n: int
    scope: Scope
    level: float


def estimate_scores(scores: ArrayLike, level: float = 0.95, scope: str = "new data") -> Estimate:
    """Estimate an arm's metric from per-example scores of shape ``(seeds, examples)``.

    The interval is that of :func:`paribus.analysis.compare_scores` for one arm alone. On new data it is wider than what
    tells two arms apart, because paired arms share their seeds and examples: never compare arms by whether such
    intervals overlap.

    Raises:
        UsageError: bad scores, level or scope, or fewer than 2 examples for a claim about new data.
    """
    values = checked_scores(scores, "scores")
    about = parsed_scope(scope)
    strictness = Strictness(level)
    if about is Scope.NEW_DATA and values.shape[1] < 2:
        raise UsageError("scores have 1 example: claims about new data need at least 2")
    parts = decompose(((1.0, values),))
    low = high = sd = None
    if parts.seeds > 1:
        variance, _ = variance_of_mean(parts, about)
        half = float(half_width(variance, strictness.alpha))
        low, high = parts.mean - half, parts.mean + half
        sd = float(np.std(parts.seed_means, ddof=1))
    return Estimate(parts.mean, low, high, sd, parts.seeds, about, level)


def estimate_values(values: Sequence[float] | ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate an arm's metric that is known once per run, such as its train accuracy: a t interval over the seeds.

    Raises:
        UsageError: no values, a value that is not finite, or a level outside (0, 1).
    """
    column = np.asarray(values)
    if column.ndim != 1:
        raise UsageError(f"values have shape {column.shape}: one value per run is needed, shape (seeds,)")
    return estimate_scores(column[:, None], level, Scope.THIS_TEST_SET)
