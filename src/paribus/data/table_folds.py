"""Tables for cross-validation: all rows, and the data set of some of them to train on and others to test on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paribus.data import tables
from paribus.data.columns import Numbers, Table, Words
from paribus.data.dataset import Dataset, build
from paribus.data.features import Column, Filled, learn_column
from paribus.data.table_notes import filled_note, near_unique_note
from paribus.errors import DataError, UsageError, unknown_name
from paribus.records import DataSpec


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """All rows of a table, with those of its test table if there is one.

    Attributes:
        table: the table.
        spec: how it is read.
        features: the columns that become features: neither the label's nor the groups'.
        layout: how they do so over all rows: every word has a feature.
        labels: class indices, int32, shape ``(rows,)``.
        class_names: one name a class.
        groups: the index of each row's group, shape ``(rows,)``; None without groups.
        notes: remarks on how the table was read.
        own_test: the number of rows of the test table, which come last; 0 without one.
    """

    table: Table
    spec: DataSpec
    features: tuple[Numbers | Words, ...]
    layout: tuple[Column, ...]
    labels: NDArray[np.int32]
    class_names: tuple[str, ...]
    groups: NDArray[np.intp] | None
    notes: tuple[str, ...]
    own_test: int


def read_rows(path: Path, spec: DataSpec, group: str | None) -> TableRows:
    """All rows of a table, and of the table of its test split if there is one.

    Args:
        path: the table.
        spec: how it is read.
        group: the column of groups; it becomes no feature.

    Raises:
        UsageError: no label is named, or the label is the group.
        UnknownNameError: there is no such column of groups.
        DataError: see :func:`paribus.data.tables.read`; or a row without a group.
    """
    options = tables.table_options(path, spec)
    table = tables.READERS[path.suffix.lower()](path, options)
    first = len(table.places)
    if spec.test is not None:
        test = Path(spec.test).expanduser()
        table = _joined(table, tables.read_test_table(test, spec, dataclasses.replace(options, is_test=True), table))
    if group is not None and group not in table.by_name:
        raise unknown_name("column", group, list(table.by_name), f"data {spec.source!r}: `group`")
    if group == spec.label:
        raise UsageError(f"data {spec.source!r}: `group` and `label` are both {group!r}; groups are another column")
    every = np.arange(len(table.places))
    labels = tables.read_label_column(table, options.label)
    names = tables.list_class_names(table.source, labels, every)
    features = tuple(column for column in table.columns if column.name not in (options.label, group))
    filled = [learn_column(column, every, spec.impute, table.source) for column in features]
    return TableRows(
        table,
        spec,
        features,
        tuple(fitted.column for fitted in filled),
        tables.class_indices(table, labels, every, names),
        names,
        None if group is None else _groups(table, group),
        (*table.notes, *near_unique_note(features), *filled_note(filled, len(every), in_folds=True)),
        len(table.places) - first,
    )


def build_fold(rows: TableRows, train: NDArray[np.intp], test: NDArray[np.intp]) -> Dataset:
    """The data set that trains on some rows and tests on others; nothing is learned from the test rows.

    Args:
        rows: all rows.
        train: positions of those that are trained on.
        test: positions of those that are tested on.

    Raises:
        DataError: as :func:`paribus.data.tables.read`.
    """
    source, spec = rows.table.source, rows.spec
    learned = [learn_column(column, train, spec.impute, source) for column in rows.features]
    # What was learned from the training part, with the features that the whole table has.
    columns = tuple(
        dataclasses.replace(fitted.column, words=layout.words, indicator=layout.indicator)
        for layout, fitted in zip(rows.layout, learned, strict=True)
    )
    known = [_silenced(column, fitted) for column, fitted in zip(rows.features, learned, strict=True)]
    tables.check_table_size(source, len(train) + len(test), columns)
    offset, rounding_notes = tables.measure_offset(known, columns, train, centred=spec.standardize)
    x_train, x_test = (tables.feature_matrix(known, part, columns, offset) for part in (train, test))
    # An indicator that the training part has no use for: a value is missing in the test part alone.
    indicators = [
        fitted.column.indicator for fitted, layout in zip(learned, rows.layout, strict=True) if layout.indicator
    ]
    for place, used in enumerate(indicators, x_test.shape[1] - len(indicators)):
        if not used:
            x_test[:, place] = 0
    return build(
        Path(spec.source).name,
        spec.source,
        x_train=x_train,
        y_train=rows.labels[train],
        x_test=x_test,
        y_test=rows.labels[test],
        class_names=rows.class_names,
        offset=offset,
        columns=columns,
        notes=(*rows.notes, *rounding_notes),
    )


def _silenced(column: Numbers | Words, learned: Filled) -> Numbers | Words:
    """A column of words without those that the training part does not know: they are no word, and no missing one."""
    if isinstance(column, Numbers):
        return column
    known = learned.column.words or ()
    # A word that no feature has is zeros everywhere, as in a test split. No cell holds a control character.
    return dataclasses.replace(column, words=tuple(word if word in known else f"\0{word}" for word in column.words))


def _joined(train: Table, test: Table) -> Table:
    """The rows of both tables; errors name rows by their place in the file that they come from."""
    columns = tuple(_joined_columns(column, test.by_name[column.name]) for column in train.columns)
    notes = tuple(dict.fromkeys((*train.notes, *test.notes)))
    return Table(
        f"{train.source} and {test.source}", columns, train.unit, np.concatenate([train.places, test.places]), notes
    )


def _joined_columns(first: Numbers | Words, second: Numbers | Words) -> Numbers | Words:
    if isinstance(first, Numbers):
        assert isinstance(second, Numbers), "a test table has the same kinds of columns"
        return Numbers(first.name, np.concatenate([first.values, second.values]))
    assert isinstance(second, Words), "a test table has the same kinds of columns"
    words = tuple(dict.fromkeys((*first.words, *second.words)))
    positions = {word: position for position, word in enumerate(words)}
    # The last entry is that of a missing word, whose code is -1.
    recoded = np.asarray([*(positions[word] for word in second.words), -1], np.int32)
    return Words(first.name, np.concatenate([first.codes, recoded[second.codes]]), words)


def _groups(table: Table, group: str) -> NDArray[np.intp]:
    column = table.by_name[group]
    values: Sequence[object] | NDArray[np.generic] = column.values if isinstance(column, Numbers) else column.codes
    array = np.asarray(values)
    missing = np.isnan(array) if isinstance(column, Numbers) else array < 0
    if missing.any():
        raise DataError(
            f"{table.source}: {table.place(int(np.argmax(missing)))}, column {group!r}: no value; every row belongs to "
            "a group"
        )
    return np.unique(array, return_inverse=True)[1].reshape(-1)
