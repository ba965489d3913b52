"""Estimates of one arm's metrics: mean, interval, spread over seeds."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.analysis.comparison import Scope


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
