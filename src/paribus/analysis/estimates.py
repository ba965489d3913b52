"""Estimates of one arm's metrics: mean, interval, spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.analysis.compare import limits_of_mean, parsed_scope, variance_of_mean
from paribus.analysis.comparison import Scope
from paribus.analysis.folds import FoldRows, fold_parts
from paribus.analysis.groups import Groups
from paribus.analysis.scores import checked_scores
from paribus.analysis.strictness import Strictness
from paribus.analysis.variance import decompose
from paribus.analysis.zero_one import is_zero_one
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of one arm over its seeds. ``low``, ``high`` and ``sd`` are None with one seed.

    A proportion lies in [0, 1]: limits beyond are cut there, which loses no coverage as the mean lies there too. An
    interval that reaches over all of [0, 1] says nothing: ``low`` and ``high`` are then None as with one seed, and
    ``too_few_seeds`` is true (``docs/decisions/0054-intervals-of-one-arm.md``).

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

    @property
    def too_few_seeds(self) -> bool:
        """Whether so few seeds say nothing about where the mean lies."""
        return self.low is None


def estimate_scores(
    scores: ArrayLike,
    level: float = 0.95,
    scope: str = "new data",
    *,
    proportion: bool = False,
    groups: Groups | None = None,
    folds: FoldRows | None = None,
) -> Estimate:
    """Estimate an arm's metric from per-example scores of shape ``(seeds, examples)``.

    The interval is that of :func:`paribus.analysis.compare_scores` for one arm alone. On new data it is wider than what
    tells two arms apart, because paired arms share their seeds and examples: never compare arms by whether such
    intervals overlap.

    Args:
        scores: shape ``(seeds, examples)``.
        level: level of the interval.
        scope: what it is about.
        proportion: whether the metric lies in [0, 1]; scores of 0 and 1 are known to.
        groups: the groups that examples belong to; None where they are independent.
        folds: the folds of the scores' rows and columns, in cross-validation; ``sd`` is that over all runs there.

    Returns:
        The estimate; with one seed without limits and ``sd``.

    Raises:
        UsageError: bad scores, level or scope, or fewer than 2 examples for a claim about new data.
    """
    values = checked_scores(scores, "scores")
    about = parsed_scope(scope)
    strictness = Strictness(level)
    if folds is not None:
        return _estimate_folds(values, folds, about, strictness, proportion=proportion)
    if about.is_of_folds:
        raise UsageError(f'scope "{about}" is that of cross-validation, and these scores are of one split')
    one_seed = about is Scope.THESE_NETWORKS
    if about is not Scope.THIS_TEST_SET and values.shape[1] < 2:
        raise UsageError("scores have 1 example: claims about new data need at least 2")
    parts = decompose(((1.0, values),), groups=groups, one_seed=one_seed)
    low: float | None = None
    high: float | None = None
    sd = None
    if parts.seeds > 1 or one_seed:
        variance, _ = variance_of_mean(parts, about)
        low, high = limits_of_mean(parts.mean, variance, strictness.alpha)
        if is_zero_one(values) or (proportion and values.min() >= 0 and values.max() <= 1):
            low, high = _within_bounds(low, high)
        sd = float(np.std(parts.seed_means, ddof=1)) if parts.seeds > 1 else None
    return Estimate(parts.mean, low, high, sd, parts.seeds, about, level)


def estimate_values(values: Sequence[float] | ArrayLike, level: float = 0.95, *, proportion: bool = False) -> Estimate:
    """Estimate an arm's metric that is known once per run, such as its train accuracy: a t interval over the seeds.

    Args:
        values: one value a run, shape ``(seeds,)``.
        level: level of the interval.
        proportion: whether the metric lies in [0, 1].

    Returns:
        The estimate; its scope is always "this test set".

    Raises:
        UsageError: no values, a value that is not finite, or a level outside (0, 1).
    """
    column = np.asarray(values)
    if column.ndim != 1:
        raise UsageError(f"values have shape {column.shape}: one value per run is needed, shape (seeds,)")
    return estimate_scores(column[:, None], level, Scope.THIS_TEST_SET, proportion=proportion)


def _estimate_folds(
    values: NDArray[np.generic], rows: FoldRows, about: Scope, strictness: Strictness, *, proportion: bool
) -> Estimate:
    if values.shape[1] == rows.folds:
        about = Scope.NEW_TRAINING_SETS
    parts = fold_parts(((1.0, values),), rows, about)
    low: float | None
    high: float | None
    low, high = limits_of_mean(parts.mean, parts.variance, strictness.alpha)
    if parts.disagreements is not None or (proportion and values.min() >= 0 and values.max() <= 1):
        low, high = _within_bounds(low, high)
    sd = float(np.std(parts.run_means, ddof=1))
    return Estimate(parts.mean, low, high, sd, parts.run_means.size, about, strictness.level)


def _within_bounds(low: float, high: float) -> tuple[float | None, float | None]:
    return (None, None) if low <= 0 and high >= 1 else (max(low, 0.0), min(high, 1.0))
