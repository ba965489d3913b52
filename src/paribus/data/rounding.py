"""Features that float32 is too coarse for: timestamps, degrees with many digits.

A float32 has 24 binary digits. Where a feature's values are large beside their spread, rounding them moves them by a
good part of that spread. Where the data is standardized, such a feature is therefore centred in float64 before it is
rounded: standardizing subtracts a mean anyway, and what is left needs few digits (decision 0068).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.chunked import chunks

TOLERANCE = 2.0**-16
"""How far rounding may move a value, in standard deviations of its feature."""

LISTED = 3
"""How many features a remark names."""


@dataclass(frozen=True, slots=True, eq=False)
class Rounding:
    """What rounding to float32 does to each feature of the training split.

    Attributes:
        mean: float64, the shape of one example.
        too_coarse: whether rounding moves values by more than ``TOLERANCE`` standard deviations, same shape.
        moved: by how many standard deviations, same shape; 0 where nothing is moved.
    """

    mean: NDArray[np.float64]
    too_coarse: NDArray[np.bool_]
    moved: NDArray[np.float64]


def measure_rounding(x_train: NDArray[Any]) -> Rounding:
    """What rounding to float32 would do to training examples.

    Args:
        x_train: shape ``(examples, ...)``; finite.
    """
    shape = x_train.shape[1:]
    if x_train.dtype in (np.float32, np.float16, np.uint8, np.int8, np.uint16, np.int16, np.bool_):
        return Rounding(np.zeros(shape), np.zeros(shape, bool), np.zeros(shape))
    total, moved = np.zeros(shape), np.zeros(shape)
    for part in chunks(x_train):
        values = part.astype(np.float64)
        total += values.sum(axis=0)
        moved = np.maximum(moved, np.abs(values - values.astype(np.float32)).max(axis=0))
    mean = total / len(x_train)
    squares = np.zeros(shape)
    for part in chunks(x_train):
        squares += np.square(part.astype(np.float64) - mean).sum(axis=0)
    deviation = np.sqrt(squares / len(x_train))
    # A feature that never varies tells a network nothing, however it is rounded.
    varies = deviation > np.abs(mean) * np.finfo(np.float64).eps
    share = np.divide(moved, deviation, out=np.zeros(shape), where=varies)
    return Rounding(mean, share > TOLERANCE, share)


def rounding_note(moved: Mapping[str, float]) -> tuple[str, ...]:
    """A remark on features that lose digits; empty without any.

    Args:
        moved: by how many standard deviations each feature's values are moved, by its name.
    """
    if not moved:
        return ()
    names = list(moved)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (
        f"Feature{'' if len(names) == 1 else 's'} {', '.join(names[:LISTED])}{more}: float32 keeps about 7 digits, and "
        f"rounding to them moves values by up to {max(moved.values()):.2g} standard deviations. Standardized "
        "(`standardize = true`), all digits count.",
    )
