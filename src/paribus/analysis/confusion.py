"""Confusion of classes, and accuracy class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How often each class was answered for each true class, over all seeds of one arm.

    Attributes:
        counts: shape ``(classes, classes)``: row true class, column answered class, summed over seeds.
        accuracy: share of right answers of each true class, mean over seeds, shape ``(classes,)``; nan for a class
            without examples.
        sd: standard deviation over seeds of that share, shape ``(classes,)``; nan with one seed or without examples.
        seeds: number of seeds.
    """

    counts: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    sd: NDArray[np.float64]
    seeds: int
