"""Columns of a table, checked cell by cell while they fill: a column is numbers throughout or words throughout."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from paribus.data.almost_numbers import is_almost_number
from paribus.data.limits import MAX_CATEGORIES, MAX_CLASSES
from paribus.errors import DataError

BLANK = frozenset({""})
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "<na>", "null", "none", "nil", "?"})
LARGEST = float(np.finfo(np.float32).max)
NO_WORD = -1
"""The code of a missing word."""


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is read.

    Attributes:
        label: the column of the classes; its cells are words.
        categorical: columns whose cells are words even where they look like numbers or like a missing value.
        drop: columns that are not read.
        may_miss: whether features may have missing values.
        is_test: whether this is the file of the test split, which may lack columns that are dropped.
    """

    label: str
    categorical: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    may_miss: bool = False
    is_test: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A numeric column.

    Attributes:
        name: the column's name.
        values: float64, shape ``(rows,)``; finite, and nan where a value is missing.
    """

    name: str
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A categorical column.

    Attributes:
        name: the column's name.
        codes: for each row the index of its word in ``words``; int32, shape ``(rows,)``. ``NO_WORD`` where it is
            missing.
        words: the different words.
    """

    name: str
    codes: NDArray[np.int32]
    words: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """A table read from one file.

    Attributes:
        source: what errors call the file.
        columns: its columns, in the order of the file.
        unit: what a row is called in errors: ``line`` in a CSV file.
        places: the number of each row in that unit, shape ``(rows,)``: with ``unit`` it makes ``line 7``.
        notes: remarks on what was left out.
    """

    source: str
    columns: tuple[Numbers | Words, ...]
    unit: str
    places: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Numbers | Words]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    def place(self, row: int) -> str:
        """Where a row is, in words: ``line 7``."""
        return f"{self.unit} {self.places[row]}"


class Cells:
    """A column that fills with text, cell by cell.

    Args:
        name: the column's name.
        source: what errors call the file.
        options: how the table is read.
    """

    def __init__(self, name: str, source: str, options: TableOptions) -> None:
        self._name, self._source = name, source
        self._is_label = name == options.label
        self._declared = name in options.categorical
        # Who declares a column categorical may mean the word 'none'.
        self._missing_cells = BLANK if self._declared else MISSING
        self._may_miss = options.may_miss and not self._is_label
        self._most = most_words(is_label=self._is_label)
        self._numbers = array("d")
        self._codes = array("i")
        self._positions: dict[str, int] = {}
        self._first_places: list[str] = []
        self._missing_first = 0
        """Missing cells above the first that is there, which decides what kind of column this is."""

    def add(self, cell: str, place: str) -> None:
        """Add the next cell.

        Args:
            cell: its text.
            place: where it is, such as ``line 7``, for errors.

        Raises:
            DataError: it is missing, infinite, or of another kind than the cells before.
        """
        cell = cell.strip()
        if cell.lower() in self._missing_cells:
            self._add_missing(cell, place)
            return
        value = None if self._is_label or self._declared else _number(cell)
        if value is None:
            self._add_word(cell, place)
        elif self._positions:
            raise self._mistake(place, f"{cell!r} is a number, but the rows above hold words", kind_differs=True)
        elif not abs(value) <= LARGEST:
            raise self._mistake(place, f"{cell} is not a finite number that float32 can hold")
        else:
            self._numbers.append(value)

    def column(self) -> Numbers | Words:
        """The column, filled.

        Raises:
            DataError: its words are numbers that are written as no program reads them.
        """
        above = self._missing_first
        if self._positions:
            self._refuse_almost_numbers()
            codes = np.concatenate([np.full(above, NO_WORD, np.int32), np.asarray(self._codes, np.int32)])
            return Words(self._name, codes, tuple(self._positions))
        return Numbers(self._name, np.concatenate([np.full(above, np.nan), np.asarray(self._numbers, np.float64)]))

    def _add_missing(self, cell: str, place: str) -> None:
        if not self._may_miss:
            raise self._mistake(
                place, f"the value is missing ({cell!r}); expected one in every row{self._advice(cell)}"
            )
        if self._positions:
            self._codes.append(NO_WORD)
        elif self._numbers:
            self._numbers.append(np.nan)
        else:
            self._missing_first += 1

    def _advice(self, cell: str) -> str:
        as_a_word = f". If {cell!r} is a word here, name the column in `categorical`" if cell else ""
        return as_a_word if self._is_label else f'{as_a_word}. To have missing values filled in, say impute = "median"'

    def _add_word(self, cell: str, place: str) -> None:
        if self._numbers:
            raise self._mistake(place, f"{cell!r} is not a number, but the rows above hold numbers", kind_differs=True)
        code = self._positions.setdefault(cell, len(self._positions))
        if code >= self._most:
            raise self._mistake(place, too_many_words(self._most))
        if code == len(self._first_places):
            self._first_places.append(place)
        self._codes.append(code)

    def _refuse_almost_numbers(self) -> None:
        if self._is_label or self._declared:
            return
        almost = [(word, code) for word, code in self._positions.items() if is_almost_number(word)]
        if 2 * len(almost) > len(self._positions):
            word, code = almost[0]
            raise self._mistake(
                self._first_places[code],
                f"{word!r} is almost a number, but is not written as one; write digits with a point and nothing else, "
                "such as 1.5. If it is a word here, name the column in `categorical`",
            )

    def _mistake(self, place: str, what: str, *, kind_differs: bool = False) -> DataError:
        advice = ". Correct the value, or name the column in `categorical`" if kind_differs else ""
        return DataError(f"{self._source}: {place}, column {self._name!r}: {what}{advice}")


def most_words(*, is_label: bool) -> int:
    """How many different words a column may hold.

    Args:
        is_label: whether it is the column of the label, whose words are classes.
    """
    return MAX_CLASSES if is_label else MAX_CATEGORIES


def too_many_words(most: int) -> str:
    """The message about a column with more words than that.

    Args:
        most: what :func:`most_words` says of the column.
    """
    return (
        f"more than {most} different words; is this an identifier or free text? Leave it out with `drop`"
        if most == MAX_CATEGORIES
        else f"more than {most} different words; is this an identifier or free text?"
    )


def _number(cell: str) -> float | None:
    # float() also takes '1_000', which no CSV means as a number.
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None
