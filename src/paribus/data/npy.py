"""NPY, NumPy's file format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

NumPy's own reader evaluates the header as Python and unpickles objects. This one knows the one form that NumPy
writes for arrays of numbers, and nothing else.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from paribus.data.limits import human
from paribus.data.stream import Stream, promise, read_array
from paribus.errors import DataError

MAGIC = b"\x93NUMPY"
MAX_HEADER = 4096
MAX_DIMENSIONS = 32
NUMBERS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})

_HEADER = re.compile(
    r"\{ *'descr' *: *'([^']*)' *, *'fortran_order' *: *(True|False) *,"
    r" *'shape' *: *\(((?: *[0-9]{1,19} *,)*(?: *[0-9]{1,19})? *)\) *,? *\}[ \n]*"
)


@dataclass(frozen=True, slots=True)
class Header:
    """What an NPY header says, and how many bytes it takes itself."""

    kind: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    offset: int

    @property
    def size(self) -> int:
        """Bytes that the values take."""
        size = self.kind.itemsize
        for dimension in self.shape:
            size *= dimension
        return size


def read(path: Path) -> NDArray[Any]:
    """Memory-map an ``.npy`` file, read-only.

    Args:
        path: the file.

    Raises:
        DataError: the file cannot be read, is not an NPY file, holds no numbers, is truncated or too long.
    """
    source = str(path)
    try:
        with path.open("rb") as file:
            header = read_header(file, source)
            check_size(header, path.stat().st_size, source)
            if header.size == 0:
                return read_values(file, header, source)
        order: Literal["F", "C"] = "F" if header.fortran else "C"
        mapped: NDArray[Any] = np.memmap(path, header.kind, "r", header.offset, header.shape, order)
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror or error}") from error
    return mapped


def read_header(stream: Stream, source: str, *, texts: bool = False) -> Header:
    """Read the header and leave ``stream`` at the first value.

    Args:
        stream: at its first byte.
        source: what errors call it.
        texts: whether an array of texts (NumPy's ``str`` or ``bytes``) is read as well.

    Raises:
        DataError: it is no NPY header, is cut off, or describes anything but an array of real numbers (or texts).
    """
    start = stream.read(8)
    if len(start) < 8 or start[:6] != MAGIC:
        raise DataError(
            f"{source}: starts with the bytes {start[:6].hex(' ')}; an NPY file starts with {MAGIC.hex(' ')}"
        )
    if start[6] not in (1, 2, 3):
        raise DataError(f"{source}: NPY version {start[6]}.{start[7]}; expected 1.0, 2.0 or 3.0")
    width = 2 if start[6] == 1 else 4
    field = stream.read(width)
    length = struct.unpack("<H" if width == 2 else "<I", field)[0] if len(field) == width else MAX_HEADER + 1
    text = stream.read(length) if length <= MAX_HEADER else b""
    if len(text) < length:
        raise DataError(f"{source}: the NPY header is cut off, or longer than {MAX_HEADER} bytes")
    match = _HEADER.fullmatch(text.decode("latin-1"))
    if match is None:
        raise DataError(f"{source}: the NPY header does not describe a plain array: {text[:80].decode('latin-1')!r}")
    shape = tuple(int(part) for part in match[3].split(",") if part.strip(" "))
    if len(shape) > MAX_DIMENSIONS:
        raise DataError(f"{source}: an array of {len(shape)} dimensions; expected at most {MAX_DIMENSIONS}")
    return Header(_kind(match[1], source, texts=texts), shape, match[2] == "True", 8 + width + length)


def check_size(header: Header, length: int, source: str) -> None:
    """Compare what a header promises with the length of the file.

    Args:
        header: the header.
        length: that of the file, in bytes.
        source: what errors call it.

    Raises:
        DataError: there are fewer or more bytes than promised.
    """
    present = length - header.offset
    if present != header.size:
        what = "truncated" if present < header.size else "too long"
        raise DataError(
            f"{source}: {what}: the header promises {promise(header.kind, header.shape)}, found {human(present)}"
        )


def read_values(stream: Stream, header: Header, source: str) -> NDArray[Any]:
    """The values behind a header, in memory.

    Args:
        stream: at the first value.
        header: the header.
        source: what errors call it.

    Raises:
        DataError: as :func:`paribus.data.stream.read_array`.
    """
    if header.fortran:
        return read_array(stream, header.kind, header.shape[::-1], source).transpose()
    return read_array(stream, header.kind, header.shape, source)


_TEXTS = re.compile(r"[<>|]?[US][0-9]{1,6}")


def _kind(descr: str, source: str, *, texts: bool) -> np.dtype[Any]:
    if texts and _TEXTS.fullmatch(descr):
        return np.dtype(descr)
    if descr.lstrip("<>|=") in NUMBERS and len(descr) == 3:
        return np.dtype(descr)
    if descr.endswith("O") and texts:
        raise DataError(
            f"{source}: holds Python objects. Loading them can run code, so they are refused. Save an array of texts, "
            "as array.astype(str) makes it"
        )
    if descr.endswith("O"):
        raise DataError(
            f"{source}: holds Python objects (often a list of examples of unequal length). Loading them can run code, "
            "so they are refused. Pad or crop the examples to one shape and save an array of numbers"
        )
    raise DataError(f"{source}: holds values of type {descr!r}; expected real numbers of at most 8 bytes")
