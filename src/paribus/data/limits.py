"""How much a data file may ask for. The claims of headers are checked against these before anything is allocated."""

from __future__ import annotations

GIB = 1 << 30

MAX_ARRAY_BYTES = 8 * GIB
"""The largest array read into memory. Larger ones belong into ``.npy`` files, which are memory-mapped."""

MAX_DEFLATE_RATIO = 1032
"""No deflate stream (gzip, zip) expands further: https://zlib.net/zlib_tech.html, "Maximum Compression Factor"."""

MAX_CLASSES = 65_536
"""Above this, labels are taken for something else (prices, identifiers)."""


MAX_CATEGORIES = 1000
"""Above this, a categorical column is taken for something else (identifiers, free text)."""

MAX_TABLE_BYTES = 2 * GIB
"""The largest CSV file that is parsed; Parquet is for larger ones."""

MAX_COLUMNS = 100_000
"""The widest table that is read; wider ones are matrices, which belong into ``.npy`` files."""

MAX_IMAGE_PIXELS = 1 << 24
"""The largest image that is decoded: 4096 x 4096."""


def human(count: int) -> str:
    """A number of bytes in words, such as ``'54.9 MiB'``; small numbers exactly."""
    if count < 10_000:
        return f"{count} bytes"
    if count >= 1 << 60:
        return "more bytes than any machine has"
    power = (count.bit_length() - 1) // 10
    return f"{count / 1024**power:.1f} {'KMGTP'[power - 1]}iB"
