"""IDX, the format of MNIST's files: http://yann.lecun.com/exdb/mnist/ ("The IDX file format").

Two zero bytes, one byte for the type, one for the number of dimensions, then each dimension as a big-endian uint32,
then the values, big-endian, in C order. The file may be gzip-compressed; that is seen from its content.

A header is never believed: its claims are checked against the size of the file before anything is allocated.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from paribus.data.limits import MAX_DEFLATE_RATIO, human
from paribus.data.stream import Stream, promise, read_array
from paribus.errors import DataError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
MAX_DIMENSIONS = 32


@dataclass(frozen=True, slots=True)
class Header:
    """What an IDX header says: type of the values (big-endian), shape, and where the values start, in bytes."""

    kind: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """Bytes that the values take."""
        return self.kind.itemsize * math.prod(self.shape)


def read(path: Path) -> NDArray[Any]:
    """Read an IDX file, gzip-compressed or plain.

    A plain file of one-byte values is memory-mapped, read-only. Everything else is read into memory, in the
    machine's byte order.

    Args:
        path: the file.

    Returns:
        An array of the shape that the header says, of type uint8, int8, int16, int32, float32 or float64.

    Raises:
        DataError: the file cannot be read, is not an IDX file, is truncated, corrupt, or too long; the message names
            the file, what it holds and what was expected.
    """
    source = str(path)
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] == GZIP_MAGIC:
                return _values(file, path.stat().st_size, source)
            header = read_header(file, source)
            length = path.stat().st_size
            _check_plain_size(header, length, source)
            if header.kind.itemsize > 1 or header.size == 0:
                file.seek(0)
                return _values(file, length, source)
        return np.memmap(path, header.kind, "r", header.offset, header.shape)
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror or error}") from error


def decode(content: bytes, source: str) -> NDArray[Any]:
    """Decode the content of an IDX file, gzip-compressed or plain.

    Args:
        content: the bytes of the file.
        source: what errors call it.

    Raises:
        DataError: as :func:`read`.
    """
    return _values(io.BytesIO(content), len(content), source)


def read_header(stream: Stream, source: str) -> Header:
    """Read the header and leave ``stream`` at the first value.

    Args:
        stream: at its first byte.
        source: what errors call it.

    Raises:
        DataError: the magic number, the type or the number of dimensions is none that IDX knows, or it is cut off.
    """
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError(f"{source}: {len(magic)} bytes; an IDX file starts with a header of at least 8")
    if magic[:2] != b"\0\0":
        raise DataError(f"{source}: starts with the bytes {magic.hex(' ')}; an IDX file starts with 00 00")
    if magic[2] not in TYPES:
        known = ", ".join(f"{code:02x}" for code in TYPES)
        raise DataError(f"{source}: unknown IDX type {magic[2]:02x}; expected one of {known}")
    count = magic[3]
    if not 1 <= count <= MAX_DIMENSIONS:
        raise DataError(f"{source}: an IDX header with {count} dimensions; expected 1 to {MAX_DIMENSIONS}")
    dimensions = stream.read(4 * count)
    if len(dimensions) < 4 * count:
        raise DataError(
            f"{source}: the IDX header is cut off: {count} dimensions take {4 * count} bytes, found {len(dimensions)}"
        )
    return Header(np.dtype(TYPES[magic[2]]), struct.unpack(f">{count}I", dimensions), 4 + 4 * count)


def _check_plain_size(header: Header, length: int, source: str) -> None:
    present, expected = length - header.offset, header.size
    promised = promise(header.kind, header.shape)
    if present < expected:
        raise DataError(f"{source}: truncated: the header promises {promised}, found {human(present)}")
    if present > expected:
        raise DataError(f"{source}: {present - expected} bytes too many: the header promises {promised}")


def _values(file: BinaryIO, length: int, source: str) -> NDArray[Any]:
    """Header and values from a stream of ``length`` bytes, compressed or not."""
    compressed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    if not compressed:
        header = read_header(file, source)
        _check_plain_size(header, length, source)
        return _read_values(file, header, source)
    try:
        with gzip.GzipFile(fileobj=file) as stream:
            header = read_header(stream, source)
            promised = promise(header.kind, header.shape)
            if header.size > length * MAX_DEFLATE_RATIO:
                raise DataError(
                    f"{source}: truncated, or its header is wrong: it promises {promised}, "
                    f"more than {human(length)} of gzip can hold"
                )
            return _read_values(stream, header, source)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{source}: the gzip data is corrupt or cut off: {error}") from error


def _read_values(stream: Stream, header: Header, source: str) -> NDArray[Any]:
    array = read_array(stream, header.kind, header.shape, source)
    return array.astype(header.kind.newbyteorder("="), copy=False)
