"""Reading exactly as many values from a stream as a header promises."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.errors import DataError

_STEP = 4 << 20


class Stream(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; fewer only at the end."""
        ...


def read_array(stream: Stream, kind: np.dtype[Any], shape: tuple[int, ...], source: str) -> NDArray[Any]:
    """Read the rest of a stream as an array; memory is only filled as bytes really come.

    Args:
        stream: at the first value.
        kind: the type of the values.
        shape: the shape that the header promises.
        source: what errors call the data.

    Returns:
        The array, in the machine's byte order.

    Raises:
        DataError: there are fewer or more bytes than the shape takes, or the array is above the cap.
    """
    size = kind.itemsize * math.prod(shape)
    # A shape may be absurd and empty, such as (0, 2**31, 2**31); NumPy refuses those too.
    largest = kind.itemsize * math.prod(max(1, dimension) for dimension in shape)
    if largest > MAX_ARRAY_BYTES:
        raise DataError(
            f"{source}: the header promises {promise(kind, shape)}; at most "
            f"{human(MAX_ARRAY_BYTES)} are read into memory. Keep larger data in .npy files, which are memory-mapped"
        )
    values = np.empty(size, np.uint8)
    filled = 0
    while filled < size:
        part = stream.read(min(_STEP, size - filled))
        if not part:
            raise DataError(f"{source}: truncated: the header promises {promise(kind, shape)}, found {human(filled)}")
        values[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    # Reading on also makes gzip and zip check their own checksums.
    if stream.read(1):
        raise DataError(f"{source}: more bytes than the header promises ({promise(kind, shape)})")
    return values.view(kind).reshape(shape)


def promise(kind: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """What a header promises, in words: ``'60000 x 28 x 28 values of type uint8, 44.9 MiB'``."""
    size = human(kind.itemsize * math.prod(shape))
    return " x ".join(str(dimension) for dimension in shape) + f" values of type {kind.name}, {size}"
