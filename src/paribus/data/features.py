"""From the columns of a table to the features that a network reads, and the description that a stranger needs for it.

Everything that is fitted (the words of a category, what fills in a missing value, the mean that is subtracted) is
fitted to the training split alone; validation examples are part of it (decision 0066).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.columns import NO_WORD, Numbers, Words
from paribus.errors import DataError
from paribus.records import Imputation

MISSING_WORD = "missing_value"
"""The word that fills in a missing one under the strategy "constant", as scikit-learn has it."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a column of a table becomes features.

    Attributes:
        name: the column's name.
        words: for a column of words, those that have a 0/1 feature, in the order of the features; None for numbers.
        fill: what replaces a missing value; None where the table has none and none is expected.
        indicator: whether a 0/1 feature says that the value was missing. All indicators come after all other features.
    """

    name: str
    words: tuple[str, ...] | None = None
    fill: float | str | None = None
    indicator: bool = False

    @property
    def width(self) -> int:
        """How many features it becomes, the indicator left out."""
        return 1 if self.words is None else len(self.words)


@dataclass(frozen=True, slots=True)
class Filled:
    """What imputation did to a column: how many rows of the training split had no value."""

    column: Column
    missing: int


def learn_column(column: Numbers | Words, rows: NDArray[np.intp], imputation: Imputation | None, source: str) -> Filled:
    """Learn from the training split how a column becomes features.

    Args:
        column: as read.
        rows: those of the training split.
        imputation: how missing values are filled in, if at all.
        source: what errors call the file.

    Returns:
        The fitted column, and how many training rows had no value.

    Raises:
        DataError: no training row has a value.
    """
    missing = _missing(column, rows)
    count = int(missing.sum())
    if count == len(rows):
        raise DataError(
            f"{source}: column {column.name!r} has no value in any row of the training split; leave it out with `drop`"
        )
    if isinstance(column, Numbers):
        fill = None if imputation is None else _number_to_fill_in(column, rows, imputation)
        return Filled(Column(column.name, None, fill, _indicates(imputation, count)), count)
    present = column.codes[rows][~missing]
    words = {column.words[code] for code in np.unique(present)}
    word = None if imputation is None else _word_to_fill_in(column, present, imputation)
    if count and word is not None:
        words.add(word)
    return Filled(Column(column.name, tuple(sorted(words)), word, _indicates(imputation, count)), count)


def column_names(columns: Sequence[Column]) -> tuple[str, ...]:
    """One name a feature, in their order: ``age``, ``city=Rome``, ``age missing``."""
    return tuple(_names(columns))


def feature_values(
    column: Numbers | Words, rows: NDArray[np.intp], fitted: Column
) -> tuple[NDArray[np.float64] | NDArray[np.float32], NDArray[np.float32] | None]:
    """The features of some rows of a column. Words that are not in the training split are zeros everywhere.

    Args:
        column: as read.
        rows: the positions of the rows.
        fitted: how the column becomes features.

    Returns:
        Shape ``(rows, width)``, and the indicator of missing values, shape ``(rows,)``, if the column has one.
    """
    missing = _missing(column, rows)
    indicator = missing.astype(np.float32) if fitted.indicator else None
    if isinstance(column, Numbers):
        values = column.values[rows]
        if fitted.fill is not None:
            values = np.where(missing, fitted.fill, values)
        return values[:, None], indicator
    words = fitted.words or ()
    positions = {word: position for position, word in enumerate(words)}
    # One row a word that the column knows, and a last one for a missing word, whose code is NO_WORD.
    one_hot = np.zeros((len(column.words) + 1, len(words)), np.float32)
    for code, word in (*enumerate(column.words), (NO_WORD, fitted.fill)):
        if word in positions:
            one_hot[code, positions[str(word)]] = 1.0
    return one_hot[column.codes[rows]], indicator


def _names(columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        if column.words is None:
            yield column.name
        else:
            yield from (f"{column.name}={word}" for word in column.words)
    yield from (f"{column.name} missing" for column in columns if column.indicator)


def _missing(column: Numbers | Words, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = (
        np.isnan(column.values[rows]) if isinstance(column, Numbers) else column.codes[rows] == NO_WORD
    )
    return missing


def _indicates(imputation: Imputation | None, missing: int) -> bool:
    return imputation is not None and imputation.indicator and missing > 0


def _number_to_fill_in(column: Numbers, rows: NDArray[np.intp], imputation: Imputation) -> float:
    constant = imputation.fill_value if isinstance(imputation.fill_value, int | float) else 0.0
    return float(_fit(column.values[rows], imputation.strategy, constant))


def _word_to_fill_in(column: Words, present: NDArray[np.int32], imputation: Imputation) -> str:
    if imputation.strategy == "constant":
        return imputation.fill_value if isinstance(imputation.fill_value, str) else MISSING_WORD
    # Of equally frequent words scikit-learn takes the smallest, so they are numbered in alphabetical order.
    alphabetical = sorted(set(column.words))
    rank = np.asarray([alphabetical.index(word) for word in column.words], np.float64)
    return alphabetical[int(_fit(rank[present], "most_frequent", 0.0))]


def _fit(values: NDArray[np.float64], strategy: str, fill: Any) -> Any:
    """What scikit-learn's imputer learns from a column, missing values being nan."""
    from sklearn.impute import SimpleImputer

    constant = {"fill_value": fill} if strategy == "constant" else {}
    return SimpleImputer(strategy=strategy, **constant).fit(values[:, None]).statistics_[0]
