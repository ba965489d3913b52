"""Calibration: do the stated probabilities mean what they say?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.analysis.estimates import Estimate, estimate_values
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Reliability of one arm's confidences, in bins of equal width over [0, 1], pooled over seeds.

    Attributes:
        edges: shape ``(bins + 1,)``. A bin holds lower < confidence <= upper (the first one 0 as well).
        count: answers in each bin, shape ``(bins,)``.
        confidence: mean confidence in each bin, shape ``(bins,)``; nan where the bin is empty.
        accuracy: share of right answers in each bin, shape ``(bins,)``; nan where the bin is empty.
        error: expected calibration error, computed per seed and averaged, with interval over seeds; None where no run
            has finite confidences.
        undefined_runs: runs left out because their confidences are not finite (diverged weights).
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: Estimate | None
    undefined_runs: int


def calibrate(confidence: ArrayLike, right: ArrayLike, *, bins: int = 15, level: float = 0.95) -> Calibration:
    """Compare confidences with how often the answers are right.

    The expected calibration error of a run is the mean over its answers of ``|accuracy - confidence|`` of their bin
    (Guo, Pleiss, Sun, Weinberger 2017). It is computed run by run: pooled over seeds, errors would cancel.

    Args:
        confidence: probability of the answered class, shape ``(seeds, examples)``, in [0, 1]; runs with nan
            (diverged weights) are counted and left out.
        right: whether each answer is right, same shape.
        bins: number of bins.
        level: level of the interval of the error.

    Returns:
        The bins with their counts, and the error with its interval.

    Raises:
        UsageError: shapes differ, a confidence outside [0, 1], or fewer than 1 bin.
    """
    confidences, correct = np.asarray(confidence), np.asarray(right)
    if confidences.ndim != 2 or confidences.shape != correct.shape:
        raise UsageError(
            f"confidence has shape {confidences.shape} and right {correct.shape}: both need (seeds, examples)"
        )
    if bins < 1:
        raise UsageError(f"bins {bins}: at least one bin is needed")
    count = np.zeros(bins, dtype=np.int64)
    confident, accurate = np.zeros(bins), np.zeros(bins)
    errors: list[float] = []
    for seed, row in enumerate(confidences):
        if not np.isfinite(row).all():
            continue
        if row.min() < 0 or row.max() > 1:
            raise UsageError(f"confidence[{seed}] spans {row.min()} to {row.max()}: a probability lies in [0, 1]")
        place = np.clip(np.ceil(row.astype(np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)
        stated = np.bincount(place, weights=row, minlength=bins)
        hits = np.bincount(place, weights=correct[seed], minlength=bins)
        count += np.bincount(place, minlength=bins)
        confident += stated
        accurate += hits
        errors.append(float(np.abs(hits - stated).sum() / len(row)))
    filled = np.where(count > 0, count, np.nan)
    return Calibration(
        edges=np.linspace(0.0, 1.0, bins + 1),
        count=count,
        confidence=confident / filled,
        accuracy=accurate / filled,
        error=estimate_values(errors, level) if errors else None,
        undefined_runs=len(confidences) - len(errors),
    )
