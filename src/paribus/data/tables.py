"""Tables (CSV, Parquet) as data sets: one column is the label, the others are features."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paribus.data import csv_files, parquet
from paribus.data.columns import Numbers, Table, Words
from paribus.data.dataset import Dataset, build
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.data.split import DEFAULT_TEST_FRACTION, stratified
from paribus.errors import DataError, UsageError
from paribus.records import DataSpec

READERS: dict[str, Callable[[Path, str, tuple[str, ...]], Table]] = {
    ".csv": csv_files.read,
    ".parquet": parquet.read,
    ".pq": parquet.read,
}

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_WHOLE_AS_FLOAT = re.compile(r"-?[0-9]{1,18}\.0*")
_FRACTION = re.compile(r"-?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True, eq=False)
class _Feature:
    """A column in both splits, the words learnt from the training split, and how many features it becomes."""

    train: Numbers | Words
    test: Numbers | Words
    learnt: tuple[str, ...]
    width: int


def read(path: Path, spec: DataSpec) -> Dataset:
    """A data set from a table, or from two: ``spec.test`` names the test split's file.

    Without ``spec.test``, a share of the rows (``spec.test_fraction``, a quarter by default) is split off by
    :func:`paribus.data.split.stratified`.

    Numeric columns become one float32 feature each, in the order of the file. Categorical ones become one 0/1 feature
    for each word that occurs **in the training split**, in alphabetical order; a word that only the test split has is
    all zeros. Classes are the training split's different labels, in numerical order if they are whole numbers, else in
    alphabetical order.

    Raises:
        UsageError: ``spec.label`` is not given.
        DataError: see the readers; or training and test tables do not agree.
    """
    if spec.label is None:
        raise UsageError(f"data {str(path)!r}: say which column is the class with `label`")
    table = READERS[path.suffix.lower()](path, spec.label, spec.categorical)
    labels = _label_column(table, spec.label)
    if spec.test is None:
        fraction = DEFAULT_TEST_FRACTION if spec.test_fraction is None else spec.test_fraction
        test_table, test_labels = table, labels
        train, test = stratified(labels.codes, fraction, table.source)
    else:
        test_table = _test_table(Path(spec.test).expanduser(), spec, table)
        test_labels = _label_column(test_table, spec.label)
        train, test = np.arange(len(table.places)), np.arange(len(test_table.places))
    names = _class_names(table.source, labels, train)
    features = [
        _feature(table.column(column.name), test_table.column(column.name), train)
        for column in table.columns
        if column.name != spec.label
    ]
    size = 4 * (len(train) + len(test)) * sum(feature.width for feature in features)
    if size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{table.source}: takes {human(size)} with its categorical columns spread out; at most "
            f"{human(MAX_ARRAY_BYTES)} fit. Leave out columns with many different words"
        )
    return build(
        path.name,
        str(path),
        x_train=np.concatenate([_values(feature.train, train, feature.learnt) for feature in features], axis=1),
        y_train=_classes(table, labels, train, names),
        x_test=np.concatenate([_values(feature.test, test, feature.learnt) for feature in features], axis=1),
        y_test=_classes(test_table, test_labels, test, names),
        class_names=names,
    )


def _test_table(path: Path, spec: DataSpec, train: Table) -> Table:
    if path.suffix.lower() not in READERS or not path.is_file():
        raise UsageError(
            f"data {spec.source!r}: `test` is {spec.test!r}; expected a file ending in {', '.join(READERS)}"
        )
    table = READERS[path.suffix.lower()](path, spec.label or "", spec.categorical)
    ours, theirs = {column.name for column in train.columns}, {column.name for column in table.columns}
    if ours != theirs:
        only = ", ".join(repr(name) for name in sorted(ours ^ theirs))
        raise DataError(f"{table.source}: other columns than {train.source}: only one of them has {only}")
    for column in train.columns:
        other = table.column(column.name)
        if type(column) is not type(other):
            kinds = ["numbers" if isinstance(each, Numbers) else "words" for each in (column, other)]
            raise DataError(
                f"{table.source}: column {column.name!r} holds {kinds[1]}, but {kinds[0]} in {train.source}. "
                "Mend the values, or name the column in `categorical`"
            )
    return table


def _feature(train: Numbers | Words, test: Numbers | Words, rows: NDArray[np.intp]) -> _Feature:
    if isinstance(train, Numbers):
        return _Feature(train, test, (), 1)
    learnt = tuple(sorted({train.words[code] for code in np.unique(train.codes[rows])}))
    return _Feature(train, test, learnt, len(learnt))


def _values(column: Numbers | Words, rows: NDArray[np.intp], learnt: tuple[str, ...]) -> NDArray[np.float32]:
    """Some rows of a column as float32 features, shape (rows, width)."""
    if isinstance(column, Numbers):
        return column.values[rows, None].astype(np.float32)
    positions = {word: position for position, word in enumerate(learnt)}
    # One row a word that the column knows; words that were not learnt stay all zeros.
    one_hot = np.zeros((len(column.words), len(learnt)), np.float32)
    for code, word in enumerate(column.words):
        if word in positions:
            one_hot[code, positions[word]] = 1.0
    spread: NDArray[np.float32] = one_hot[column.codes[rows]]
    return spread


def _label_column(table: Table, label: str) -> Words:
    """The labels, tidied, their words in numerical order if they are whole numbers, else in alphabetical order."""
    column = table.column(label)
    if not isinstance(column, Words):
        raise TypeError(f"{table.source}: column {label!r} was read as numbers")
    tidied = [word.partition(".")[0] if _WHOLE_AS_FLOAT.fullmatch(word) else word for word in column.words]
    fraction = next((word for word in tidied if _FRACTION.fullmatch(word)), None)
    if fraction is not None:
        raise DataError(
            f"{table.source}: column {label!r} holds {fraction}; a label is a name or a whole number. Predicting "
            "quantities is not supported"
        )
    whole = all(_WHOLE.fullmatch(word) for word in tidied)
    # Words of equal value, such as 7 and 07, need an order too.
    words = sorted(set(tidied), key=lambda word: (int(word) if whole else 0, word))
    positions = {word: position for position, word in enumerate(words)}
    recoded = np.asarray([positions[word] for word in tidied], np.int32)
    return Words(label, recoded[column.codes], tuple(words))


def _class_names(source: str, labels: Words, train: NDArray[np.intp]) -> tuple[str, ...]:
    names = tuple(labels.words[code] for code in np.unique(labels.codes[train]))
    if len(names) < 2:
        raise DataError(f"{source}: every training row has label {names[0]!r}; expected two classes or more")
    return names


def _classes(table: Table, labels: Words, rows: NDArray[np.intp], names: tuple[str, ...]) -> NDArray[np.int32]:
    positions = {name: position for position, name in enumerate(names)}
    of_code = np.asarray([positions.get(word, -1) for word in labels.words], np.int32)
    indices: NDArray[np.int32] = of_code[labels.codes[rows]]
    unknown = np.flatnonzero(indices < 0)
    if unknown.size:
        row = int(rows[unknown[0]])
        raise DataError(
            f"{table.source}: {table.place(row)}, column {labels.name!r}: label {labels.words[labels.codes[row]]!r} "
            f"does not occur in the training split, which has {', '.join(names[:12])}"
        )
    return indices
