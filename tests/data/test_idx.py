import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paribus.data import idx, stream
from paribus.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def write(array: np.ndarray) -> bytes:
    code = CODES[array.dtype.newbyteorder("<").str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def decoded(content: bytes) -> np.ndarray | DataError:
    """What comes of it; any error other than a DataError goes through and fails the test."""
    try:
        return idx.decode(content, "mutated")
    except DataError as error:
        return error


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda kind: hnp.arrays(np.dtype(kind), hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)


@settings(deadline=None)
@given(arrays)
def test_round_trip(tmp_path_factory, array):
    folder = tmp_path_factory.mktemp("idx")
    content = write(array)
    (folder / "plain").write_bytes(content)
    (folder / "packed.gz").write_bytes(gzip.compress(content))
    read = [idx.read(folder / "plain"), idx.read(folder / "packed.gz"), idx.decode(content, "content")]
    for found in read:
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert np.array_equal(found, array, equal_nan=array.dtype.kind == "f")


def test_a_plain_file_of_bytes_is_mapped_read_only(tmp_path: Path):
    path = tmp_path / "plain"
    path.write_bytes(write(np.arange(12, dtype=np.uint8).reshape(3, 4)))
    found = idx.read(path)
    assert isinstance(found, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


@settings(max_examples=400, deadline=None)
@given(arrays, st.data())
def test_mutated_bytes_give_a_data_error_or_an_array(array, data):
    content = bytearray(gzip.compress(write(array), mtime=0) if data.draw(st.booleans()) else write(array))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        if data.draw(st.booleans()) and place < len(content):
            content[place] = data.draw(st.integers(0, 255))
        else:
            content[place:place] = data.draw(st.binary(max_size=4))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    found = decoded(bytes(content))
    assert str(found).startswith("mutated: ") if isinstance(found, DataError) else found.dtype.str[1:] in CODES


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.sampled_from([b"", b"\0\0\x08\x03", b"\0\0\x0d\x02", b"\x1f\x8b\x08\0\0\0\0\0\0\0"]))
def test_any_bytes_give_a_data_error_or_an_array(content, start):
    found = decoded(start + content)
    assert isinstance(found, np.ndarray) or str(found).startswith("mutated: ")


def test_a_header_that_lies_is_refused_before_anything_is_allocated(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("allocated"))
    lie = struct.pack(">BBBBII", 0, 0, 8, 2, 2**31, 2**31) + b"\0" * 100
    path = tmp_path / "lie"
    for content in (lie, gzip.compress(lie)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"2147483648 x 2147483648 values of type uint8"):
            idx.read(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch):
    # 100 KiB of gzip that claim and hold 64 MiB, with a cap of 1 MiB.
    monkeypatch.setattr(stream, "MAX_ARRAY_BYTES", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 1, 64 << 20) + bytes(64 << 20)))
    with pytest.raises(DataError, match=r"64.0 MiB; at most 1.0 MiB are read into memory"):
        idx.read(path)
