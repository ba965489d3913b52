"""Columns of a table, checked cell by cell while they fill: a column is numbers throughout or words throughout."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data.limits import MAX_CATEGORIES, MAX_CLASSES
from paribus.errors import DataError

BLANK = frozenset({""})
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "<na>", "null", "none", "nil", "?"})
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A numeric column: float64 values, shape (rows,), finite."""

    name: str
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A categorical column: for each row the position of its word in ``words``."""

    name: str
    codes: NDArray[np.int32]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table read from one file. ``unit`` and ``places`` say where a row lies: ``'line 7'`` of a CSV file."""

    source: str
    columns: tuple[Numbers | Words, ...]
    unit: str
    places: NDArray[np.int64]

    def place(self, row: int) -> str:
        """Where a row lies, in words."""
        return f"{self.unit} {self.places[row]}"

    def column(self, name: str) -> Numbers | Words:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


class Cells:
    """A column that fills with text, cell by cell.

    Args:
        name: the column's name.
        source: what errors call the file.
        words: True where every cell is a word, even if it looks like a number (labels, declared categories);
            False where the first cell decides.
        missing: cells (in small letters) that mean that there is no value.
        most: how many different words there may be.
    """

    def __init__(self, name: str, source: str, *, words: bool, missing: frozenset[str], most: int) -> None:
        self._name, self._source, self._words, self._missing, self._most = name, source, words, missing, most
        self._numbers = array("d")
        self._codes = array("i")
        self._known: dict[str, int] = {}

    def add(self, cell: str, place: str) -> None:
        """Add the next cell.

        Raises:
            DataError: it is missing, infinite, or of another kind than the cells before.
        """
        cell = cell.strip()
        if cell.lower() in self._missing:
            raise self._mistake(place, f"the value is missing ({cell!r}); expected one in every row")
        value = None if self._words else _number(cell)
        if value is None:
            self._add_word(cell, place)
        elif self._known:
            raise self._mistake(place, f"{cell!r} is a number, but the rows above hold words", mend=True)
        elif not abs(value) <= LARGEST:
            raise self._mistake(place, f"{cell} is not a finite number that float32 can hold")
        else:
            self._numbers.append(value)

    def column(self) -> Numbers | Words:
        """The column, filled."""
        if self._known:
            return Words(self._name, np.asarray(self._codes, np.int32), tuple(self._known))
        return Numbers(self._name, np.asarray(self._numbers, np.float64))

    def _add_word(self, cell: str, place: str) -> None:
        if self._numbers:
            raise self._mistake(place, f"{cell!r} is no number, but the rows above hold numbers", mend=True)
        code = self._known.setdefault(cell, len(self._known))
        if code >= self._most:
            raise self._mistake(place, f"more than {self._most} different words; is this an identifier or free text?")
        self._codes.append(code)

    def _mistake(self, place: str, what: str, *, mend: bool = False) -> DataError:
        advice = ". Mend the value, or name the column in `categorical`" if mend else ""
        return DataError(f"{self._source}: {place}, column {self._name!r}: {what}{advice}")


def most_words(*, is_label: bool) -> int:
    """How many different words a column may hold."""
    return MAX_CLASSES if is_label else MAX_CATEGORIES


def _number(cell: str) -> float | None:
    # float() also takes '1_000', which no CSV means as a number.
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None
