"""Tables (CSV, Parquet) as data sets: one column is the label, the others are features."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paribus.data import csv_files, parquet
from paribus.data.columns import Numbers, Table, TableOptions, Words
from paribus.data.dataset import Dataset, build
from paribus.data.features import Column, column_names, feature_values, learn_column
from paribus.data.labels import in_label_order
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.data.rounding import measure_rounding, rounding_note
from paribus.data.split import DEFAULT_TEST_FRACTION, stratified
from paribus.data.table_notes import filled_note, near_unique_note
from paribus.errors import DataError, UsageError
from paribus.records import DataSpec

READERS: dict[str, Callable[[Path, TableOptions], Table]] = {
    ".csv": csv_files.read,
    ".parquet": parquet.read,
    ".pq": parquet.read,
}

COLUMNS_AT_ONCE = 256
"""Columns that are put side by side to be looked at: not one by one, which takes long, nor all, which takes memory."""

_WHOLE_AS_FLOAT = re.compile(r"-?[0-9]{1,18}\.0*")
_FRACTION = re.compile(r"-?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?")


def read(path: Path, spec: DataSpec) -> Dataset:
    """A data set from a table, or from two: ``spec.test`` names the test split's file.

    Without ``spec.test``, a share of the rows (``spec.test_fraction``, a quarter by default) is split off by
    :func:`paribus.data.split.stratified`.

    Numeric columns become one float32 feature each, in the order of the file. Categorical ones become one 0/1 feature
    for each word that occurs **in the training split**, in alphabetical order; a word that only the test split has is
    all zeros. Missing values are filled in as ``spec.impute`` says, with what the training split teaches. Where the
    data is standardized, numbers that float32 is too coarse for are centred first (:mod:`paribus.data.rounding`).
    Classes are the training split's different labels, in numerical order if they are whole numbers, else in
    alphabetical order.

    Args:
        path: the table.
        spec: how it is read.

    Raises:
        UsageError: ``spec.label`` is missing.
        DataError: see the readers; or training and test tables do not agree.
    """
    options = table_options(path, spec)
    table = READERS[path.suffix.lower()](path, options)
    labels = read_label_column(table, options.label)
    if spec.test is None:
        fraction = DEFAULT_TEST_FRACTION if spec.test_fraction is None else spec.test_fraction
        test_table, test_labels = table, labels
        train, test = stratified(labels.codes, fraction, table.source)
    else:
        test_table = read_test_table(Path(spec.test).expanduser(), spec, replace(options, is_test=True), table)
        test_labels = read_label_column(test_table, options.label)
        train, test = np.arange(len(table.places)), np.arange(len(test_table.places))
    names = list_class_names(table.source, labels, train)
    features = [column for column in table.columns if column.name != options.label]
    filled = [learn_column(column, train, spec.impute, table.source) for column in features]
    columns = tuple(fitted.column for fitted in filled)
    check_table_size(table.source, len(train) + len(test), columns)
    offset, rounding_notes = measure_offset(features, columns, train, centred=spec.standardize)
    notes = (*table.notes, *near_unique_note(features), *filled_note(filled, len(train)), *rounding_notes)
    return build(
        path.name,
        str(path),
        x_train=feature_matrix(features, train, columns, offset),
        y_train=class_indices(table, labels, train, names),
        x_test=feature_matrix([test_table.by_name[column.name] for column in features], test, columns, offset),
        y_test=class_indices(test_table, test_labels, test, names),
        class_names=names,
        offset=offset,
        columns=columns,
        notes=notes,
    )


def table_options(path: Path, spec: DataSpec) -> TableOptions:
    """How a table is read.

    Args:
        path: the table, for errors.
        spec: the data as a study says it.

    Raises:
        UsageError: no label is named, or a column is named twice.
    """
    where = f"data {str(path)!r}"
    if spec.label is None:
        raise UsageError(f"{where}: say which column is the class with `label`")
    for option, names in (("label", (spec.label,)), ("categorical", spec.categorical)):
        for name in names:
            if name in spec.drop:
                raise UsageError(f"{where}: column {name!r} is named in `{option}` and in `drop`; keep one of them")
    return TableOptions(spec.label, spec.categorical, spec.drop, may_miss=spec.impute is not None)


def read_test_table(path: Path, spec: DataSpec, options: TableOptions, train: Table) -> Table:
    """The table of the test split, with the columns of the training table.

    Args:
        path: the file of the test split.
        spec: the data as a study says it; ``test`` is the file.
        options: how the training table is read.
        train: the training table.

    Raises:
        UsageError: ``test`` does not name such a file.
        DataError: it cannot be read, or its columns are not those of the training table.
    """
    if path.suffix.lower() not in READERS or not path.is_file():
        raise UsageError(
            f"data {spec.source!r}: `test` is {spec.test!r}; expected a file ending in {', '.join(READERS)}"
        )
    table = READERS[path.suffix.lower()](path, options)
    only = sorted(train.by_name.keys() ^ table.by_name.keys())
    if only:
        listed = ", ".join(map(repr, only[:20])) + (" ..." if len(only) > 20 else "")
        raise DataError(f"{table.source}: other columns than {train.source}: only one of them has {listed}")
    columns = [_same_kind(column, table, train) for column in train.columns]
    return replace(table, columns=tuple(columns))


def _same_kind(column: Numbers | Words, table: Table, train: Table) -> Numbers | Words:
    """The test table's column of that name, which must hold numbers where the training table's does."""
    other = table.by_name[column.name]
    if type(column) is type(other):
        return other
    if isinstance(other, Numbers) and isinstance(column, Words) and np.isnan(other.values).all():
        # No row of the test table has a value, so nothing says which kind it is.
        return Words(column.name, np.full(len(other.values), -1, np.int32), ())
    kinds = ["numbers" if isinstance(values, Numbers) else "words" for values in (column, other)]
    raise DataError(
        f"{table.source}: column {column.name!r} holds {kinds[1]}, but {kinds[0]} in {train.source}. "
        "Correct the values, or name the column in `categorical`"
    )


def check_table_size(source: str, rows: int, columns: Sequence[Column]) -> None:
    """Refuse features that would take too much memory.

    Raises:
        DataError: they would.
    """
    size = 4 * rows * len(column_names(columns))
    if size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{source}: takes {human(size)} with its categorical columns spread out; at most "
            f"{human(MAX_ARRAY_BYTES)} fit. Leave out columns with many different words"
        )


def measure_offset(
    features: Sequence[Numbers | Words], columns: Sequence[Column], rows: NDArray[np.intp], *, centred: bool
) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """What is subtracted from each feature before it is rounded to float32; and a remark where nothing is.

    Args:
        features: the columns, as read.
        columns: how they become features.
        rows: positions of the training rows.
        centred: whether features that float32 is too coarse for are centred.

    Returns:
        float64, shape ``(features,)``, or None; and remarks.
    """
    numeric: list[tuple[int, Numbers, Column]] = []
    position = 0
    for column, fitted in zip(features, columns, strict=True):
        if isinstance(column, Numbers):
            numeric.append((position, column, fitted))
        position += fitted.width
    offset = np.zeros(len(column_names(columns)))
    coarse: dict[str, float] = {}
    for start in range(0, len(numeric), COLUMNS_AT_ONCE):
        block = numeric[start : start + COLUMNS_AT_ONCE]
        rounding = measure_rounding(np.hstack([feature_values(column, rows, fitted)[0] for _, column, fitted in block]))
        for index in np.flatnonzero(rounding.too_coarse):
            place, column, _ = block[index]
            offset[place] = rounding.mean[index]
            coarse[column.name] = float(rounding.moved[index])
    if coarse and centred:
        return offset, ()
    return None, rounding_note(coarse)


def feature_matrix(
    features: Sequence[Numbers | Words],
    rows: NDArray[np.intp],
    columns: Sequence[Column],
    offset: NDArray[np.float64] | None,
) -> NDArray[np.float32]:
    """Some rows of all columns as float32 features; indicators come last.

    Args:
        features: the columns, as read.
        rows: positions of the rows.
        columns: how they become features.
        offset: what is subtracted from each feature in float64; None for nothing.

    Returns:
        Shape ``(rows, features)``.
    """
    matrix = np.empty((len(rows), len(column_names(columns))), np.float32)
    position, last = 0, sum(column.width for column in columns)
    for column, fitted in zip(features, columns, strict=True):
        values, indicator = feature_values(column, rows, fitted)
        place = slice(position, position + fitted.width)
        # Subtracted in float64, then rounded.
        matrix[:, place] = values if offset is None else values - offset[place]
        position += fitted.width
        if indicator is not None:
            matrix[:, last] = indicator
            last += 1
    return matrix


def read_label_column(table: Table, label: str) -> Words:
    """The labels, tidied, their words in numerical order if they are whole numbers, else in alphabetical order.

    Raises:
        DataError: they are numbers with a fraction: quantities, and no classes.
    """
    column = table.by_name[label]
    if not isinstance(column, Words):
        raise TypeError(f"{table.source}: column {label!r} was read as numbers")
    tidied = [word.partition(".")[0] if _WHOLE_AS_FLOAT.fullmatch(word) else word for word in column.words]
    fraction = next((word for word in tidied if _FRACTION.fullmatch(word)), None)
    if fraction is not None:
        raise DataError(
            f"{table.source}: column {label!r} holds {fraction}; a label is a name or a whole number. Predicting "
            "quantities is not supported"
        )
    words = in_label_order(tidied)
    positions = {word: position for position, word in enumerate(words)}
    recoded = np.asarray([positions[word] for word in tidied], np.int32)
    return Words(label, recoded[column.codes], words)


def list_class_names(source: str, labels: Words, train: NDArray[np.intp]) -> tuple[str, ...]:
    """The labels of the training rows, in their order.

    Raises:
        DataError: there is one only.
    """
    names = tuple(labels.words[code] for code in np.unique(labels.codes[train]))
    if len(names) < 2:
        raise DataError(f"{source}: every training row has label {names[0]!r}; expected two classes or more")
    return names


def class_indices(table: Table, labels: Words, rows: NDArray[np.intp], names: tuple[str, ...]) -> NDArray[np.int32]:
    """The class of some rows.

    Args:
        table: the table, for errors.
        labels: its labels.
        rows: positions of the rows.
        names: the names of the classes, by index.

    Returns:
        int32, shape ``(rows,)``.

    Raises:
        DataError: a label does not occur in the training split.
    """
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
