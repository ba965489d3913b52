"""Calibration: do the stated probabilities mean what they say?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.estimates import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Reliability of one arm's confidences, in bins of equal width over [0, 1], pooled over seeds.

    Attributes:
        edges: shape ``(bins + 1,)``. A bin holds lower < confidence <= upper (the first one 0 as well).
        count: answers in each bin, shape ``(bins,)``.
        confidence: mean confidence in each bin, shape ``(bins,)``; nan where the bin is empty.
        accuracy: share of right answers in each bin, shape ``(bins,)``; nan where the bin is empty.
        error: expected calibration error, computed per seed and averaged, with interval over seeds.
        undefined_runs: runs left out because their confidences are not finite (diverged weights).
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: Estimate | None
    undefined_runs: int
