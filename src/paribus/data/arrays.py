"""Data sets from arrays in memory, and the way to hand them to worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.data.chunked import chunks
from paribus.data.dataset import Dataset, build, content_fingerprint
from paribus.data.features import Column
from paribus.data.folders import NPY_FILES, read_npy
from paribus.data.frames import as_array, check_index, frame_columns, is_frame, pair_by_name
from paribus.data.sidecar import SIDECAR, Sidecar
from paribus.errors import DataError
from paribus.files.temporary import temporary_folder
from paribus.files.whole import sync, write_whole
from paribus.records import DataSpec


def from_arrays(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    y_test: ArrayLike,
    name: str = "arrays",
    class_names: Sequence[str] | None = None,
    *,
    standardize: bool = False,
) -> Dataset:
    """A data set from anything that NumPy takes for an array, pandas frames and series, or sparse matrices.

    Args:
        x_train: numbers, shape ``(train, ...)``. Arrays are not copied: do not write to them afterwards. Two frames are
            paired by the names of their columns.
        y_train: class indices ``(train,)``, one-hot rows ``(train, classes)``, or words ``(train,)``. Labels that
            begin above 0 are names of classes, as words are; a note says so.
        x_test: like ``x_train``.
        y_test: like ``y_train``.
        name: what to call the data.
        class_names: one name a class; the labels themselves by default.
        standardize: whether the data will be standardized: features that float32 is too coarse for (timestamps, say)
            are centred then before they are rounded.

    Returns:
        The checked data set.

    Raises:
        DataError: the arrays are no numbers or do not agree.

    Example:
        >>> data = from_arrays([[0.0, 1.0], [1.0, 0.0]], [0, 1], [[0.5, 0.5]], [1], name="tiny")
        >>> data.classes, data.input_shape
        (2, (2,))
    """
    check_index(x_train, y_train, name, "train")
    check_index(x_test, y_test, name, "test")
    x_train, x_test = pair_by_name(x_train, x_test, name)
    columns = tuple(map(Column, frame_columns(x_train))) if is_frame(x_train) else None
    return build(
        name,
        name,
        x_train=as_array(x_train, f"{name}: x_train"),
        y_train=as_array(y_train, f"{name}: y_train"),
        x_test=as_array(x_test, f"{name}: x_test"),
        y_test=as_array(y_test, f"{name}: y_test"),
        class_names=class_names,
        standardize=standardize,
        columns=columns,
    )


def spool(dataset: Dataset, folder: Path) -> DataSpec:
    """Write a data set as four ``.npy`` files that worker processes memory-map.

    The folder appears whole or not at all: it is written under another name beside, flushed to disk and renamed.
    If it is there already with the same content, nothing is done. What another process left that was killed while it
    did this is removed.

    Args:
        dataset: as loaded without ``flatten`` (the spec that is returned may flatten).
        folder: where to; its parent must exist.

    Returns:
        A spec with the folder as its source; add the preparation with ``dataclasses.replace``.

    Raises:
        DataError: the folder cannot be written or holds something else, is a link, or the data set was flattened.
    """
    if folder.is_symlink():  # a store may be a stranger's: nothing in it is written to through a link
        raise DataError(f"{folder}: a symbolic link, and arrays are not written through one; move it away")
    if _fingerprint(dataset) != dataset.fingerprint:
        raise DataError(f"{dataset.name}: flattened data cannot be spooled; load it with flatten=False")
    spec = DataSpec(str(folder))
    if folder.exists():
        return _reuse(dataset, folder, spec)
    try:
        with temporary_folder(folder.parent) as temporary:
            _write(dataset, temporary)
            temporary.rename(folder)
            sync(folder.parent)
    except OSError as error:
        if folder.exists():
            # Another process was quicker.
            return _reuse(dataset, folder, spec)
        raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return spec


def _fingerprint(dataset: Dataset) -> str:
    offset = () if dataset.offset is None else (dataset.offset,)
    return content_fingerprint(dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test, *offset)


def _reuse(dataset: Dataset, folder: Path, spec: DataSpec) -> DataSpec:
    present = read_npy(folder)
    if (present.fingerprint, present.class_names) != (dataset.fingerprint, dataset.class_names):
        raise DataError(f"{folder}: holds other data already; name another folder, or move this one aside")
    if present.columns != dataset.columns:
        # The same numbers under other names: the description follows, the arrays stay.
        try:
            _replace_sidecar(dataset, folder / SIDECAR)
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return spec


def _replace_sidecar(dataset: Dataset, path: Path) -> None:
    with write_whole(path) as draft:
        Sidecar.of(dataset).write(draft)


def _write(dataset: Dataset, folder: Path) -> None:
    arrays = (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test)
    for name, array in zip(NPY_FILES, arrays, strict=True):
        _save(folder / name, array)
    Sidecar.of(dataset).write(folder / SIDECAR)
    for path in (*sorted(folder.iterdir()), folder):
        sync(path)


def _save(path: Path, array: NDArray[Any]) -> None:
    """As ``np.save``, chunk by chunk: an array that is a memory map itself need not fit into memory."""
    plain = np.lib.format.header_data_from_array_1_0(array) | {"fortran_order": False}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, plain)
        for part in chunks(array):
            part.tofile(file)
