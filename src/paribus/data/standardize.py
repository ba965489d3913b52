"""Mean and standard deviation of the training split, for ``standardize = true``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data.chunked import chunks
from paribus.data.examples import Examples
from paribus.data.training import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Standardization:
    """What to subtract and divide by, feature by feature.

    Attributes:
        mean: float32, the shape of one example.
        deviation: float32, the shape of one example; 1 for features that never vary.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


def standardization(x_train: Examples, rows: Rows = slice(None)) -> Standardization:
    """Mean and population standard deviation of every feature over the examples.

    The same as scikit-learn's ``StandardScaler``: computed in float64, in two passes over chunks of about 16 MiB,
    so that a memory map is never held whole. Test examples are never seen.

    Args:
        x_train: the training examples as they are stored (not scaled), shape ``(examples, ...)``.
        rows: which of them are trained on.

    Returns:
        Mean and deviation of each feature.
    """
    positions = None if isinstance(rows, slice) else rows
    x_train = x_train[rows] if isinstance(rows, slice) else x_train
    count, shape = len(x_train) if positions is None else len(positions), x_train.shape[1:]
    total = np.zeros(shape)
    smallest, largest = np.full(shape, np.inf), np.full(shape, -np.inf)
    for part in chunks(x_train, positions):
        total += part.sum(axis=0, dtype=np.float64)
        smallest = np.minimum(smallest, part.min(axis=0))
        largest = np.maximum(largest, part.max(axis=0))
    # Judged by the extremes, for rounding gives a constant's squares a tiny sum.
    constant = smallest == largest
    mean = total / count
    squares = np.zeros(shape)
    for part in chunks(x_train, positions):
        squares += np.square(part - mean).sum(axis=0)
    deviation = np.where(constant, 1.0, np.sqrt(squares / count))
    return Standardization(mean.astype(np.float32), deviation.astype(np.float32))
