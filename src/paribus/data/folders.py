"""Folders that hold a data set in four files: IDX under MNIST's names, or ``.npy``."""

from __future__ import annotations

import math
import os
from pathlib import Path

from paribus.data import idx, known, npy
from paribus.data.dataset import Dataset, build
from paribus.data.features import column_names
from paribus.data.sidecar import SIDECAR, Sidecar
from paribus.errors import DataError

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
NPY_FILES = ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy")


def has_idx(folder: Path) -> bool:
    """Whether any of the four IDX files is there."""
    return any(_idx_file(folder, name) for name in IDX_FILES)


def has_npy(folder: Path) -> bool:
    """Whether any of the four ``.npy`` files is there."""
    return any((folder / name).is_file() for name in NPY_FILES)


def read_idx(
    folder: Path, source: str | None = None, name: str | None = None, class_names: tuple[str, ...] | None = None
) -> Dataset:
    """A data set from four IDX files under MNIST's names, each plain or ``.gz``; ``images-idx3`` or ``images.idx3``.

    Args:
        folder: the folder of the files.
        source: what errors call them; the folder by default.
        name: what to call the data; the folder's name by default.
        class_names: one name a class, where they are known.

    Raises:
        DataError: a file is missing or broken, or the arrays do not agree.
    """
    paths = [_idx_file(folder, file) for file in IDX_FILES]
    missing = [file for file, path in zip(IDX_FILES, paths, strict=True) if path is None]
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} not found, neither plain nor .gz; expected all four of MNIST")
    files = _stamps([path for path in paths if path is not None])
    x_train, y_train, x_test, y_test = (idx.read(path) for path in paths if path is not None)
    return build(
        name or _name(folder),
        source or str(folder),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=class_names,
        files=files,
    )


def read_npy(folder: Path, *, standardize: bool = False) -> Dataset:
    """A data set from ``x_train.npy, y_train.npy, x_test.npy, y_test.npy``, memory-mapped.

    A file ``dataset.json`` beside them (:class:`~paribus.data.sidecar.Sidecar`) may name the data and its classes.

    Args:
        folder: the folder of the files.
        standardize: see :func:`paribus.data.dataset.build`.

    Raises:
        DataError: a file is missing or broken, or the arrays do not agree.
    """
    missing = [name for name in NPY_FILES if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} not found; expected {', '.join(NPY_FILES)}")
    files = _stamps(_npy_paths(folder))
    x_train, y_train, x_test, y_test = (npy.read(folder / name) for name in NPY_FILES)
    sidecar = Sidecar.read(folder / SIDECAR) if os.path.lexists(folder / SIDECAR) else Sidecar(_name(folder), ())
    if sidecar.offset is not None and sidecar.offset.shape != x_train.shape[1:]:
        raise DataError(
            f"{folder / SIDECAR}: `offset` has shape {sidecar.offset.shape}; expected that of an example, "
            f"{x_train.shape[1:]}"
        )
    if sidecar.columns is not None and len(column_names(sidecar.columns)) != math.prod(x_train.shape[1:]):
        raise DataError(f"{folder / SIDECAR}: `columns` describes other features than x_train.npy has")
    return build(
        sidecar.name,
        str(folder),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=sidecar.class_names or None,
        files=files,
        standardize=standardize and sidecar.offset is None,
        offset=sidecar.offset,
        columns=sidecar.columns,
        notes=sidecar.notes,
    )


def pending(folder: Path) -> int:
    """How many bytes of the four files must be read before their fingerprint is known.

    Args:
        folder: the folder.

    Returns:
        Bytes; 0 where it is known already, or where the four files are not there.

    Raises:
        DataError: a file cannot be read.
    """
    paths = _npy_paths(folder) if has_npy(folder) else [_idx_file(folder, file) for file in IDX_FILES]
    present = [path for path in paths if path is not None and path.is_file()]
    if len(present) < len(paths):
        return 0
    files = _stamps(present)
    return 0 if known.fingerprint(files) else sum(size for path, _, size, _ in files if not path.endswith(SIDECAR))


def _npy_paths(folder: Path) -> list[Path]:
    """The files that a folder of arrays is read from."""
    sidecar = folder / SIDECAR
    return [*(folder / name for name in NPY_FILES), *([sidecar] if sidecar.exists() else [])]


def _stamps(paths: list[Path]) -> tuple[known.Stamp, ...]:
    try:
        return known.stamps(paths)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _idx_file(folder: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def _name(folder: Path) -> str:
    return folder.resolve().name or "data"
