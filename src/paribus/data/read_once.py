"""Data sets that this process has read already: one command asks for the same data several times.

A data set is known by how it is read and by the stamps of its files (name, inode, size, time of change in ns), taken
before and after reading: a file that has changed is read again. Nothing is held beyond the process (decision 0070).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from paribus.data import known
from paribus.data.dataset import Dataset
from paribus.records import DataSpec

MOST = 2
"""Data sets that are held."""

MOST_BYTES = 1 << 30
"""Bytes of all that are held together: above this, reading again costs less than the memory does."""

_Key = tuple[DataSpec, tuple[known.Stamp, ...]]


class ReadData:
    """Data sets by what they were read from."""

    def __init__(self) -> None:
        self._datasets: OrderedDict[_Key, Dataset] = OrderedDict()
        self._most = MOST

    def hold_nothing(self) -> None:
        """From now on every call reads: a worker reads once anyway, and holds its data itself."""
        self._most = 0
        self._datasets.clear()

    def clear(self) -> None:
        """Forget what was read."""
        self._datasets.clear()

    def read(self, spec: DataSpec, files: Callable[[], Sequence[Path]], reader: Callable[[], Dataset]) -> Dataset:
        """The data set of a spec, read where it is not held or its files have changed.

        Args:
            spec: how it is read.
            files: lists the files that it is read from.
            reader: reads it; raises what is wrong with it.

        Returns:
            The data set; callers share its arrays.

        Raises:
            ParibusError: whatever ``reader`` raises.
        """
        key = self._key(spec, files) if self._most else None
        if key is None:
            return reader()
        if key in self._datasets:
            self._datasets.move_to_end(key)
            return self._datasets[key]
        dataset = reader()
        if self._key(spec, files) == key:
            self._hold(key, dataset)
        return dataset

    @staticmethod
    def _key(spec: DataSpec, files: Callable[[], Sequence[Path]]) -> _Key | None:
        try:
            # Neither changes what is read.
            return replace(spec, flatten=False, scale=None), known.stamps(files())
        except OSError:
            return None  # its reader says what is wrong

    def _hold(self, key: _Key, dataset: Dataset) -> None:
        # Whoever asks next gets these very arrays.
        for array in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
            array.setflags(write=False)
        self._datasets[key] = dataset
        while len(self._datasets) > self._most or sum(map(_size, self._datasets.values())) > MOST_BYTES:
            self._datasets.popitem(last=False)


def _size(dataset: Dataset) -> int:
    return dataset.x_train.nbytes + dataset.x_test.nbytes


READ_DATA = ReadData()
"""What this process has read."""
