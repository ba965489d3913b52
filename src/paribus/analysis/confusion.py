"""Confusion of classes, and accuracy class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.errors import UsageError


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


def confuse(predicted: ArrayLike, labels: ArrayLike, classes: int) -> Confusion:
    """Count which class was answered for which, and accuracy by class.

    Args:
        predicted: answered classes, shape ``(seeds, examples)``.
        labels: true classes, shape ``(examples,)``.
        classes: number of classes; all answers and labels lie in [0, classes).

    Returns:
        The counts, and the accuracy of each class.

    Raises:
        UsageError: shapes that do not fit, no run at all, or a class outside the range.
    """
    answered, true = np.asarray(predicted), np.asarray(labels)
    if answered.ndim != 2 or true.shape != answered.shape[1:] or not len(answered):
        raise UsageError(
            f"predicted has shape {answered.shape} and labels {true.shape}: they need (seeds, examples) and (examples,)"
        )
    for name, values in (("predicted", answered), ("labels", true)):
        if values.size and not (values.min() >= 0 and values.max() < classes):
            raise UsageError(f"{name} spans {values.min()} to {values.max()}: classes lie in [0, {classes})")
    counts = np.zeros((classes, classes), dtype=np.int64)
    shares = np.empty((len(answered), classes))
    size = np.bincount(true, minlength=classes)
    for seed, row in enumerate(answered):
        table = np.bincount(true.astype(np.int64) * classes + row, minlength=classes * classes)
        table = table.reshape(classes, classes)
        counts += table
        shares[seed] = table.diagonal() / np.where(size > 0, size, np.nan)
    sd = shares.std(axis=0, ddof=1) if len(answered) > 1 else np.full(classes, np.nan)
    return Confusion(counts, shares.mean(axis=0), sd, len(answered))
