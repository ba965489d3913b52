"""Memory-mapped arrays, read so that a process does not come to hold the file.

Pages of a mapped file that were touched count as a process's memory until they are released, and the kernel maps
sixteen pages around each of them. So rows are copied out in blocks, and after each block the map is released. The
pages stay in the kernel's cache, which all processes share.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 64 << 20
AROUND = 2 * 16 * mmap.PAGESIZE
"""What touching one row may map beside the row itself: the pages around its start and its end."""


def mapping(array: NDArray[Any]) -> np.memmap[Any, Any] | None:
    """The memory map that an array is a view of; None for an array of its own."""
    outermost: np.memmap[Any, Any] | None = None
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            outermost = base
        base = base.base
    return outermost if isinstance(base, mmap.mmap) else None


def release(array: NDArray[Any]) -> None:
    """Release the pages behind a memory-mapped array. Nothing is lost: they are mapped again when they are read."""
    mapped = mapping(array)
    memory = None if mapped is None else mapped.base
    if isinstance(memory, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        memory.madvise(mmap.MADV_DONTNEED)


def take(array: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Copies of some rows of a memory-mapped array; ascending rows are read fastest.

    Args:
        array: a memory map, or a view of one.
        rows: positions, shape ``(n,)``.

    Returns:
        Shape ``(n, ...)``.
    """
    copied = np.empty((len(rows), *array.shape[1:]), array.dtype)
    step = max(1, BLOCK_BYTES // (array.dtype.itemsize * max(1, array[:1].size) + AROUND))
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        # "clip" copies straight into place; the rows are known to be inside.
        np.take(array, rows[block], axis=0, out=copied[block], mode="clip")
        release(array)
    return copied


def copy(array: NDArray[Any]) -> NDArray[Any]:
    """A copy of consecutive rows of a memory-mapped array, which is let go of."""
    copied = np.array(array)
    release(array)
    return copied
