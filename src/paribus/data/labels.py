"""Labels in the forms people have them (indices, one-hot rows, a column) turned into class indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.limits import MAX_CLASSES
from paribus.errors import DataError


def class_indices(y: NDArray[Any], where: str) -> tuple[NDArray[np.int32], int | None]:
    """Turn labels into class indices.

    Args:
        y: integers of shape ``(n,)`` or ``(n, 1)`` (also booleans and floats that are whole numbers), or one-hot
            rows of shape ``(n, classes)``.
        where: what to call these labels in an error, such as ``'data.npz: y_train'``.

    Returns:
        int32 indices of shape ``(n,)``, and the number of classes where the form tells it (one-hot), else None.

    Raises:
        DataError: the labels have another shape or type, are not whole, or lie outside of [0, 65,536).
    """
    if y.dtype.kind not in "uifb":
        raise DataError(
            f"{where}: labels of type {y.dtype}; expected whole numbers 0, 1, 2 ... or one-hot rows. "
            "Map names to numbers first, for example with numpy.unique(y, return_inverse=True)"
        )
    if y.ndim == 2 and y.shape[1] > 1:
        return _from_one_hot(y, where), int(y.shape[1])
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{where}: labels of shape {y.shape}; expected (examples,) with class indices or (examples, classes) "
            "with one-hot rows"
        )
    bad = np.flatnonzero(_not_an_index(y))
    if bad.size:
        index = int(bad[0])
        raise DataError(
            f"{where}: label {y[index]} of example {index}; expected a class index, a whole number from 0 to "
            f"{MAX_CLASSES - 1}. Classes are numbered 0, 1, 2 ..."
        )
    return y.astype(np.int32), None


def _not_an_index(y: NDArray[Any]) -> NDArray[np.bool_]:
    if y.dtype.kind == "b":
        return np.zeros(y.shape, bool)
    # Written so that nan counts as bad.
    outside: NDArray[np.bool_] = ~((y >= 0) & (y < MAX_CLASSES))
    return outside | (y != np.floor(y)) if y.dtype.kind == "f" else outside


def _from_one_hot(y: NDArray[Any], where: str) -> NDArray[np.int32]:
    if y.shape[1] > MAX_CLASSES:
        raise DataError(f"{where}: one-hot labels with {y.shape[1]} columns; expected at most {MAX_CLASSES} classes")
    ones = y == 1
    bad = np.flatnonzero((ones.sum(axis=1) != 1) | ((y == 0).sum(axis=1) != y.shape[1] - 1))
    if bad.size:
        index = int(bad[0])
        row = np.array2string(y[index], threshold=12, max_line_width=200)
        raise DataError(
            f"{where}: row {index} of the one-hot labels is {row}; expected exactly one 1 and zeros elsewhere. "
            "Soft and multi-label targets are not supported"
        )
    indices: NDArray[np.int32] = ones.argmax(axis=1).astype(np.int32)
    return indices
