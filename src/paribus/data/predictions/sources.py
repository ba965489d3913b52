"""Where a table of predictions comes from: a CSV, Parquet or npz file, a frame, or a mapping of arrays.

A source is read in batches of rows, so that a hundred runs of 100,000 answers need little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from paribus.data.predictions.words import MISSING, WordCodes
from paribus.errors import DataError

MATRIX, CLASSES = "probabilities", "classes"
"""Names of a matrix with a column of probabilities for each class, and of the classes' names."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: for each column of words its codes, for each column of numbers its values (float64, nan if missing).

    ``first`` is the number of the first row, from 0 on.
    """

    first: int
    words: Mapping[str, NDArray[np.int32]]
    numbers: Mapping[str, NDArray[np.float64]]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.words.values())))


class Source(Protocol):
    """A table that is read in batches."""

    @property
    def name(self) -> str:
        """What errors and reports call it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""

    def batches(self, words: Mapping[str, WordCodes], numbers: tuple[str, ...]) -> Iterator[Batch]:
        """Read columns of words, each with its codes, and columns of numbers.

        Args:
            words: for each column of words its codes, which grow with the words that are read.
            numbers: the names of the columns of numbers.

        Yields:
            The rows, batch by batch, in the order of the table.

        Raises:
            DataError: the table cannot be read, or a number is not one.
        """

    def place(self, row: int) -> str:
        """The place of a row in words: ``line 7``."""


@dataclass(frozen=True, slots=True, eq=False)
class ArraySource:
    """Arrays by the names of their columns, shape ``(rows,)``."""

    name: str
    arrays: Mapping[str, NDArray[Any]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the arrays."""
        return tuple(self.arrays)

    def batches(self, words: Mapping[str, WordCodes], numbers: tuple[str, ...]) -> Iterator[Batch]:
        """All rows in one batch."""
        yield Batch(
            0,
            {name: _encode_array(codes, self.arrays[name]) for name, codes in words.items()},
            {name: to_numbers(self.arrays[name], f"{self.name}: column {name!r}", self.place) for name in numbers},
        )

    def place(self, row: int) -> str:
        """``row 7``, counted from 1."""
        return f"row {row + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class FrameSource:
    """A pandas frame, whose columns may be of any type. Its index is not looked at."""

    name: str
    frame: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(str(name) for name in self.frame.columns)

    def batches(self, words: Mapping[str, WordCodes], numbers: tuple[str, ...]) -> Iterator[Batch]:
        """All rows in one batch."""
        by_name = dict(zip(self.columns, self.frame.columns, strict=True))
        coded = {}
        for name, codes in words.items():
            indices, distinct = self.frame[by_name[name]].factorize()
            coded[name] = codes.translate(np.asarray(indices), list(distinct))
        yield Batch(
            0,
            coded,
            {
                name: to_numbers(self.frame[by_name[name]], f"{self.name}: column {name!r}", self.place)
                for name in numbers
            },
        )

    def place(self, row: int) -> str:
        """``row 7``, counted from 1."""
        return f"row {row + 1}"


def open_arrays(name: str, arrays: Mapping[str, Any]) -> ArraySource:
    """A source from arrays of equal length; a matrix ``probabilities`` becomes a column for each of ``classes``.

    Args:
        name: what errors call it.
        arrays: by the names of their columns.

    Raises:
        DataError: lengths differ, or an array has another shape.
    """
    columns: dict[str, NDArray[Any]] = {}
    for column, values in arrays.items():
        array = np.asarray(values)
        if column == MATRIX and array.ndim == 2:
            columns |= _spread(name, array, arrays.get(CLASSES))
        elif column == CLASSES and MATRIX in arrays:
            continue
        elif array.ndim != 1:
            raise DataError(
                f"{name}: {column!r} has shape {array.shape}; expected one value a row, shape (rows,). Only "
                f"'{MATRIX}' may have two dimensions, (rows, classes)"
            )
        else:
            columns[column] = array
    lengths = {column: len(array) for column, array in columns.items()}
    if len(set(lengths.values())) > 1:
        listing = ", ".join(f"{column} {length:,}" for column, length in lengths.items())
        raise DataError(f"{name}: columns of unequal length ({listing}); expected one value a row in each")
    return ArraySource(name, columns)


def to_numbers(values: Any, where: str, place: Callable[[int], str]) -> NDArray[np.float64]:
    """A column as float64; nan where a value is missing.

    Args:
        values: the column.
        where: what errors call it.
        place: where a row is, in words.

    Raises:
        DataError: a value is not a number; the message names its row.
    """
    try:
        if hasattr(values, "to_numpy"):
            return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        row, value = next((row, value) for row, value in enumerate(values) if not _is_number(value))
        raise DataError(f"{where}: {place(row)} holds {value!r}; expected a number") from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def open_frame(frame: Any) -> Source:
    """A frame as a source; a column of lists named ``probabilities`` becomes a column for each class.

    Args:
        frame: a pandas frame.

    Raises:
        DataError: the lists hold something else than numbers, or differ in length.
    """
    names = [str(name) for name in frame.columns]
    if names.count(MATRIX) != 1 or not len(frame):
        return FrameSource("frame", frame)
    try:
        matrix = np.asarray([np.asarray(row, np.float64) for row in frame[frame.columns[names.index(MATRIX)]]])
    except (TypeError, ValueError) as error:
        raise DataError(f"frame: column '{MATRIX}': expected a list of numbers of one length in each row") from error
    if matrix.ndim != 2:
        raise DataError(f"frame: column '{MATRIX}': expected a list with a number for each class in each row")
    rest = frame.drop(columns=[frame.columns[names.index(MATRIX)]])
    return FrameSource("frame", rest.assign(**_spread("frame", matrix, None)))


def _spread(name: str, matrix: NDArray[Any], classes: Any) -> dict[str, NDArray[Any]]:
    names = range(matrix.shape[1]) if classes is None else np.asarray(classes).tolist()
    if len(names) != matrix.shape[1]:
        raise DataError(f"{name}: {len(names)} {CLASSES} for {matrix.shape[1]} columns of '{MATRIX}'")
    return {f"p_{cls}": matrix[:, index] for index, cls in enumerate(names)}


def _encode_array(codes: WordCodes, array: NDArray[Any]) -> NDArray[np.int32]:
    """The codes of an array, its distinct values numbered as they first come."""
    if array.dtype.kind == "O":
        from paribus.data.predictions.words import to_text

        return codes.encode([to_text(value) for value in array.tolist()])
    distinct, first, indices = np.unique(array, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return codes.translate(rank[indices.reshape(-1)], distinct[order].tolist())


def missing_row(codes: NDArray[np.int32]) -> int | None:
    """The first row whose word is missing; None where there is none."""
    rows = np.flatnonzero(codes == MISSING)
    return int(rows[0]) if rows.size else None
