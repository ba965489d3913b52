"""NPZ archives: a zip file of NPY files. The zip directory and the headers are checked before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from paribus.data import npy
from paribus.data.dataset import Dataset, build
from paribus.data.limits import MAX_ARRAY_BYTES, MAX_DEFLATE_RATIO, human
from paribus.errors import DataError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
LISTED = 12


def read(path: Path, *, standardize: bool = False) -> Dataset:
    """A data set from the arrays ``x_train, y_train, x_test, y_test`` of an NPZ file (Keras's ``mnist.npz`` is one).

    Other arrays in the file are not looked at; a note says so.

    Args:
        path: the file.
        standardize: see :func:`paribus.data.dataset.build`.

    Raises:
        DataError: the archive is corrupt or states a wrong size, an array is missing or is no array of numbers, or
            the arrays do not agree (see :func:`paribus.data.dataset.build`).
    """
    source = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            x_train, y_train, x_test, y_test = (_array(archive, name, source) for name in ARRAYS)
            others = [member.filename.removesuffix(".npy") for member in archive.infolist()]
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror or error}") from error
    # NotImplementedError and RuntimeError: a compression or encryption that zipfile does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{source}: the zip data is corrupt or cut off: {error}") from error
    ignored = ", ".join(sorted(set(others) - set(ARRAYS))[:LISTED])
    return build(
        path.name,
        source,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        standardize=standardize,
        notes=(f"Not read from {path.name}: {ignored}. A validation split is taken from x_train.",) if ignored else (),
    )


def _array(archive: zipfile.ZipFile, name: str, source: str) -> NDArray[Any]:
    members = [member for member in archive.infolist() if member.filename == f"{name}.npy"]
    if len(members) != 1:
        present = ", ".join(sorted({member.filename.removesuffix(".npy") for member in archive.infolist()})[:LISTED])
        count = "no array" if not members else f"{len(members)} arrays"
        raise DataError(
            f"{source}: {count} named {name}; expected one each of {', '.join(ARRAYS)}, found {present or 'nothing'}"
        )
    return read_member(archive, members[0], f"{source}: {name}")


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str, *, texts: bool = False) -> NDArray[Any]:
    """Read one array of an archive.

    Args:
        archive: the archive, opened.
        member: which of its files.
        where: what errors call the array.
        texts: whether it may be an array of texts.

    Raises:
        DataError: it is encrypted, lies about its size, or is no array of numbers (or texts).
    """
    _check_member(member, where)
    with archive.open(member) as stream:
        header = npy.read_header(stream, where, texts=texts)
        npy.check_size(header, member.file_size, where)
        return npy.read_values(stream, header, where)


def _check_member(member: zipfile.ZipInfo, where: str) -> None:
    if member.flag_bits & 1:
        raise DataError(f"{where}: is encrypted; expected a plain NPZ file")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{where}: zip compression {member.compress_type}; expected stored or deflated, as NumPy writes"
        )
    if member.file_size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{where}: unpacks to {human(member.file_size)}; at most {human(MAX_ARRAY_BYTES)} are read into memory. "
            "Keep larger data in a folder of .npy files, which are memory-mapped"
        )
    if member.file_size > (member.compress_size + 1) * MAX_DEFLATE_RATIO:
        raise DataError(
            f"{where}: a wrong zip directory: {human(member.compress_size)} cannot unpack to {human(member.file_size)}"
        )
