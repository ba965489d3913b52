"""Arrays in parts of about 16 MiB, so that a memory map is never held whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import mapped

CHUNK_BYTES = 16 << 20


def chunks(array: NDArray[Any], rows: NDArray[np.intp] | None = None) -> Iterator[NDArray[Any]]:
    """Consecutive rows of an array in parts of about 16 MiB.

    Args:
        array: shape ``(rows, ...)``; may be a memory map.
        rows: only these, ascending; all by default.

    Yields:
        Arrays of shape ``(some rows, ...)``, in order.
    """
    count = len(array) if rows is None else len(rows)
    step = max(1, CHUNK_BYTES // max(1, array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=object))))
    for start in range(0, count, step):
        yield array[start : start + step] if rows is None else mapped.take(array, rows[start : start + step])
        mapped.release(array)
