"""Mutated files: a DataError or valid data, never another exception. (IDX has its own in data/test_idx.py.)"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_files import GOOD_CSV, archive, good_arrays, jpeg, npy_bytes, png, table_bytes
from paribus.data import Dataset, load, npy, read_image
from paribus.errors import DataError
from paribus.records import DataSpec


@st.composite
def mutations(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One of the seeds with a few bytes changed, inserted or cut off."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(content) - 1)) if content else 0
        match draw(st.sampled_from(["set", "flip", "insert", "cut", "copy"])):
            case "set" if content:
                content[place] = draw(st.sampled_from([0, 1, 127, 128, 255]))
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                content[place:place] = draw(st.binary(max_size=8))
            case "cut":
                del content[place : place + draw(st.integers(1, 40))]
            case "copy":
                content[place:place] = content[: draw(st.integers(0, 40))]
    return bytes(content)


def outcome(read: Callable[[], object]) -> object:
    """What comes of it; any error other than a DataError goes through and fails the test."""
    try:
        return read()
    except DataError as error:
        return error


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=300, deadline=None)
@given(content=mutations([npy_bytes(array) for array in good_arrays().values()]))
def test_npy(folder: Path, content: bytes):
    path = folder / "x.npy"
    path.write_bytes(content)
    assert isinstance(outcome(lambda: npy.read(path)), DataError | np.ndarray)


@settings(max_examples=300, deadline=None)
@given(content=mutations([archive(packed=False), archive(packed=True)]))
def test_npz(folder: Path, content: bytes):
    path = folder / "x.npz"
    path.write_bytes(content)
    found = outcome(lambda: load(DataSpec(str(path))))
    assert isinstance(found, DataError | Dataset)
    if isinstance(found, Dataset):
        assert np.isfinite(found.x_train).all()


@settings(max_examples=300, deadline=None)
@given(content=mutations([png(9, 9, fill=5), png(9, 9, "RGB"), png(9, 9, "P"), png(9, 9, "RGBA"), jpeg()]))
def test_images(folder: Path, content: bytes):
    path = folder / "x.png"
    path.write_bytes(content)
    found = outcome(lambda: read_image(path))
    assert isinstance(found, DataError) or found.dtype == np.uint8


@settings(max_examples=300, deadline=None)
@given(content=mutations([GOOD_CSV.encode(), b'a,"b ""c""\n",class\n' + b"1,2,3\n4,5,6\n" * 4]))
def test_csv(folder: Path, content: bytes):
    path = folder / "x.csv"
    path.write_bytes(content)
    found = outcome(lambda: load(DataSpec(str(path), label="class")))
    assert isinstance(found, DataError | Dataset)
    if isinstance(found, Dataset):
        assert np.isfinite(found.x_train).all()


@settings(max_examples=300, deadline=None)
@given(content=mutations(table_bytes()))
def test_parquet(folder: Path, content: bytes):
    path = folder / "x.parquet"
    path.write_bytes(content)
    found = outcome(lambda: load(DataSpec(str(path), label="class")))
    assert isinstance(found, DataError | Dataset)
