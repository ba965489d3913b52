"""Data for cross-validation: all examples of a source, and the split of every fold (decision 0116).

A fold is an ordinary data set, whose test split is that fold and whose training split is all others. So whatever is
fitted to a training split is fitted inside the fold's training part, by the same code. Of a table the words of
categories, what fills in missing values and what is subtracted are learned from the training part; so that all folds
have the same features, every word of the table has one, which is 0 where the training part does not know the word.
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from paribus.data import mapped, table_folds, tables
from paribus.data.chunked import chunks
from paribus.data.dataset import Content, Dataset
from paribus.data.limits import human
from paribus.data.partition import make_partition
from paribus.data.split import mixed_order
from paribus.errors import DataError, UsageError
from paribus.records import DataSpec, DataSummary, Folds, FoldSummary

MOST_BYTES = 1 << 30
"""Examples of files that are memory-mapped are read whole for folds, up to this many bytes."""


class Pooled(ABC):
    """All examples of a source, divided into folds.

    Attributes:
        folds: how they are divided.
        labels: class indices, int32, shape ``(examples,)``.
        codes: the fold of each example in each repetition, shape ``(repeats, examples)``.
        own_test: the number of examples of the test split that the source has, which come last; 0 without one.
        class_names: one name a class.
        examples: all of them as the source has them, not flattened; None for the rows of a table.
    """

    folds: Folds
    labels: NDArray[np.int32]
    codes: NDArray[np.intp]
    own_test: int
    class_names: tuple[str, ...]
    examples: NDArray[np.generic] | None

    def split(self, repeat: int, fold: int) -> Dataset:
        """The data set of one fold. Test examples are in their order, training examples in a mixed one.

        Args:
            repeat: the number of the repetition, from 0.
            fold: the number of the fold, from 0.

        Raises:
            DataError: a training part cannot be used as a training split.
        """
        in_test = self.codes[repeat] == fold
        order = mixed_order(len(self.labels), repeat + 1)
        return self._dataset(order[~in_test[order]], np.flatnonzero(in_test))

    def summary(self) -> DataSummary:
        """The summary of the data, with that of every fold."""
        digest, summaries, first = hashlib.sha256(), [], None
        for repeat in range(self.folds.repeats):
            for fold in range(self.folds.count):
                split = self.split(repeat, fold)
                one, present = split.summary(), len(np.unique(split.y_test))
                first = first or one
                summaries.append(FoldSummary(one.fingerprint, one.train, one.test, present))
                digest.update(f"{one.fingerprint}\n".encode())
        assert first is not None, "there is a fold"
        return dataclasses.replace(first, fingerprint=digest.hexdigest(), folds=tuple(summaries))

    @abstractmethod
    def _dataset(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> Dataset:
        """The data set with these rows."""


def divide(spec: DataSpec, read: Callable[[DataSpec], Dataset]) -> Pooled:
    """All examples of a source, divided into folds.

    Args:
        spec: names the source and its folds.
        read: reads a source without folds.

    Returns:
        All examples with the fold of each.

    Raises:
        UsageError, DataError: the source cannot be divided so; or as ``read``.
    """
    folds = spec.folds
    assert folds is not None, "the data has folds"
    if spec.test_fraction is not None:
        raise UsageError(
            f"data {spec.source!r}: `test_fraction` beside `folds`, which test every example; leave it out"
        )
    path = Path(spec.source).expanduser()
    if path.suffix.lower() in tables.READERS and path.is_file():
        return PooledTable(path, spec, folds)
    if folds.group is not None:
        raise UsageError(f"data {spec.source!r}: `group` names a column of a table, and this is none; leave it out")
    return PooledArrays(read(dataclasses.replace(spec, folds=None, flatten=False)), folds, spec.source)


@final
class PooledArrays(Pooled):
    """The examples of both splits of a data set, the training split first."""

    def __init__(self, dataset: Dataset, folds: Folds, source: str) -> None:
        if dataset.offset is not None:
            raise DataError(
                f"{source}: some features have more digits than float32 holds, and their centre would be that of all "
                "folds; subtract a fixed number from them first"
            )
        size = dataset.x_train.nbytes + dataset.x_test.nbytes
        if size > MOST_BYTES and mapped.mapping(dataset.x_train) is not None:
            raise DataError(
                f"{source}: {human(size)} of examples; folds are held in memory, up to {human(MOST_BYTES)}. Data of "
                "this size has no need of them: study it on a fixed split"
            )
        self.folds, self._whole, self._source = folds, dataset, source
        self.labels = np.concatenate([dataset.y_train, dataset.y_test])
        self.own_test = len(dataset.y_test)
        self._x = np.concatenate([*chunks(dataset.x_train), *chunks(dataset.x_test)])
        self.examples, self.class_names = self._x, dataset.class_names
        self.codes = make_partition(self.labels, folds, source, dataset.class_names)

    def _dataset(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> Dataset:
        arrays = self._x[train], self.labels[train], self._x[test], self.labels[test]
        return dataclasses.replace(
            self._whole,
            content=Content(arrays),
            x_train=arrays[0],
            y_train=arrays[1],
            x_test=arrays[2],
            y_test=arrays[3],
            own_validation=0,
        )


@final
class PooledTable(Pooled):
    """The rows of a table, and of the table of its test split if there is one."""

    def __init__(self, path: Path, spec: DataSpec, folds: Folds) -> None:
        self.folds = folds
        self._rows = table_folds.read_rows(path, spec, group=folds.group)
        self.labels = self._rows.labels
        self.own_test = self._rows.own_test
        self.examples, self.class_names = None, self._rows.class_names
        self.codes = make_partition(
            self.labels, folds, self._rows.table.source, self._rows.class_names, self._rows.groups
        )

    def _dataset(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> Dataset:
        return table_folds.build_fold(self._rows, train, test)
