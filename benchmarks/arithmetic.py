"""The arithmetic of the benchmarks: medians with their spread, geometric means, lines. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """What repeated measurements of one thing say: their median, the smallest and the largest."""

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        if not values:
            raise ValueError("no values: nothing was measured")
        return cls(statistics.median(values), min(values), max(values), len(values))


def ratios(theirs: Mapping[int, float], ours: Mapping[int, float]) -> Spread:
    """How many times as long they take, round by round: only rounds that both have count."""
    return Spread.of([theirs[number] / ours[number] for number in sorted(theirs.keys() & ours.keys())])


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean of positive values."""
    if not values:
        raise ValueError("no values: nothing was measured")
    return math.exp(statistics.fmean(math.log(value) for value in values))


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points by least squares; ``residual`` is the largest distance from it, as a share of the value."""

    intercept: float
    slope: float
    residual: float

    @classmethod
    def through(cls, x: Sequence[float], y: Sequence[float]) -> Line:
        """The line of y over x."""
        slope, intercept = statistics.linear_regression(x, y)
        residual = max(abs(value - intercept - slope * at) / value for at, value in zip(x, y, strict=True))
        return cls(intercept, slope, residual)


def overhead_per_run(wall_per_run: float, workers: int, engine_seconds: float) -> float:
    """What a run costs beside its training: wall time of one more run on all workers, less the engine's own seconds."""
    return wall_per_run * workers - engine_seconds
