"""The examples that a run trains on and is measured on: held in memory, or streamed from memory-mapped files.

Both ways the same program sees the same batches in the same order, so the bits are the same. Held in memory, an epoch
is one chunk: all examples, and the order in which they are trained on. Streamed, it is a sequence of chunks of whole
batches (the last batch may be short); each is read by a thread while the one before it is trained on.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import jax
import numpy as np
from numpy.typing import NDArray

from paribus import machine
from paribus.data import Standardization, mapped, standardization
from paribus.data.dataset import Dataset
from paribus.data.training import Rows, divide_training_split
from paribus.errors import DataError, UsageError

CHUNK_BYTES = 32 << 20
RESIDENT_BYTES = 512 << 20
RESIDENT_SHARE = 16
RESIDENT_VARIABLE = "PARIBUS_RESIDENT"


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A part of an epoch: examples, their labels, and the order in which they are trained on, int32.

    With lanes the order has a row for each; so have examples and labels if the split's ``lane_axis`` is 0.
    """

    order: NDArray[np.int32]
    x: Any
    labels: Any


class Split(ABC):
    """Examples with their labels.

    Attributes:
        x: the examples as they are stored, shape ``(examples, ...)``.
        labels: int32, shape ``(examples,)``.
        lane_axis: None where all lanes share the examples of a chunk, 0 where each has its own.
    """

    x: NDArray[Any]
    labels: NDArray[np.int32]
    lane_axis: int | None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(self.x.shape[1:])

    @abstractmethod
    def lengths(self, batch_size: int) -> tuple[int, ...]:
        """The number of examples that are trained on in each chunk of an epoch.

        Args:
            batch_size: the number of examples of a batch.
        """

    @abstractmethod
    def epoch(self, order: NDArray[np.int32], batch_size: int) -> Iterator[Chunk]:
        """The examples of one epoch, in chunks of whole batches; the last batch may be short.

        Args:
            order: the examples' indices, int32 ``(examples,)``; with lanes ``(lanes, examples)``.
            batch_size: the number of examples of a batch.

        Raises:
            DataError: a streamed file has changed since it was opened.
        """

    def standardization(self) -> Standardization:
        """Mean and standard deviation of each feature over these examples."""
        return standardization(self.x)

    @abstractmethod
    def rows(self, start: int, stop: int) -> Any:
        """Consecutive examples, shape ``(stop - start, ...)``.

        Raises:
            DataError: a streamed file has changed since it was opened.
        """


@final
class Resident(Split):
    """Examples in memory. On a CPU, JAX reads them where they are."""

    lane_axis = None

    def __init__(self, x: NDArray[Any], labels: NDArray[np.int32]) -> None:
        self.x, self.labels = x, labels
        self._on_device: tuple[jax.Array, jax.Array] | None = None

    def lengths(self, batch_size: int) -> tuple[int, ...]:  # noqa: ARG002 - one chunk, whatever the batches
        """One chunk."""
        return (len(self),)

    def epoch(self, order: NDArray[np.int32], batch_size: int) -> Iterator[Chunk]:  # noqa: ARG002 - one chunk
        """One chunk; the examples are put on the device the first time."""
        if self._on_device is None:
            self._on_device = jax.device_put(self.x), jax.device_put(self.labels)
        yield Chunk(order, *self._on_device)

    def rows(self, start: int, stop: int) -> Any:
        """A view."""
        return self.x[start:stop]


@final
class Streamed(Split):
    """Examples in a memory-mapped file, of which a process never holds more than a few chunks (a lane)."""

    lane_axis = 0

    def __init__(self, x: NDArray[Any], labels: NDArray[np.int32], places: NDArray[np.intp] | None = None) -> None:
        """``places`` are the rows of ``x`` that the labels are of, ascending; None for all."""
        self.x, self.labels, self._places = x, labels, places
        file = mapped.mapping(x)
        assert file is not None, "only memory maps are streamed"
        self._file = Path(str(file.filename))
        self._stamp = self._now()

    def lengths(self, batch_size: int) -> tuple[int, ...]:
        """As many whole batches a chunk as about 32 MiB hold, and what is left."""
        batch_bytes = self.x.dtype.itemsize * math.prod(self.example_shape) * batch_size
        size = max(1, CHUNK_BYTES // batch_bytes) * batch_size
        whole, rest = divmod(len(self), size)
        return (size,) * whole + ((rest,) if rest else ())

    def epoch(self, order: NDArray[np.int32], batch_size: int) -> Iterator[Chunk]:
        """Chunk by chunk, one read ahead.

        Raises:
            DataError: the file has changed since it was opened.
        """
        ends = np.cumsum(self.lengths(batch_size))[:-1]
        with ThreadPoolExecutor(1, "paribus-reader") as reader:
            coming = None
            for part in np.split(order, ends, axis=-1):
                chunk, coming = coming, reader.submit(self._chunk, part)
                if chunk is not None:
                    yield chunk.result()
            if coming is not None:
                yield coming.result()

    def rows(self, start: int, stop: int) -> Any:
        """A copy.

        Raises:
            DataError: the file has changed since it was opened.
        """
        self._check()
        if self._places is not None:
            return mapped.take(self.x, self._places[start:stop])
        return mapped.copy(self.x[start:stop])

    def standardization(self) -> Standardization:
        """See :meth:`Split.standardization`."""
        return standardization(self.x, slice(None) if self._places is None else self._places)

    def _chunk(self, order: NDArray[np.int32]) -> Chunk:
        self._check()
        if order.ndim > 1:
            lanes = [self._chunk(row) for row in order]
            return Chunk(*(np.stack([getattr(lane, name) for lane in lanes]) for name in ("order", "x", "labels")))
        # Read in the order of the file, trained on in the order of the epoch.
        by_place = np.argsort(order)
        positions = np.empty_like(order)
        positions[by_place] = np.arange(len(order), dtype=np.int32)
        rows = order[by_place]
        return Chunk(positions, mapped.take(self.x, self._in_file(rows)), self.labels[rows])

    def _in_file(self, rows: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
        return rows if self._places is None else self._places[rows]

    def _now(self) -> tuple[int, int, int]:
        try:
            status = self._file.stat()
        except OSError as error:
            raise DataError(f"{self._file}: cannot be read any more: {error.strerror or error}") from error
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _check(self) -> None:
        if self._now() != self._stamp:
            raise DataError(f"{self._file}: has changed while it was trained on; run again once it is complete")


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """A dataset as the engine trains on it.

    Attributes:
        train: the examples that are trained on: the training split without what validates.
        validation: the part of the training split that validates; None where there is none.
        test: the test split.
        class_names: the name of each class, by index.
    """

    train: Split
    validation: Split | None
    test: Split
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        """How many classes the data has."""
        return len(self.class_names)

    @property
    def every(self) -> tuple[Split, ...]:
        """The splits that there are."""
        return tuple(split for split in (self.train, self.validation, self.test) if split is not None)


def splits(data: Dataset, validation_split: float, validation: str | None = None) -> Splits:
    """Set the validation split aside before any shuffling: the last examples, as Keras, or each class in proportion.

    Args:
        data: the data.
        validation_split: the share that validates.
        validation: see :func:`paribus.data.training.divide_training_split`.

    Returns:
        The splits, each held in memory or streamed (see :func:`resident_bytes`).

    Raises:
        UsageError: the split leaves nothing to train on or to validate on, or leaves out a class.
    """
    parts = divide_training_split(data, validation_split, validation)
    most = resident_bytes()
    train = _split(data.x_train, data.y_train, parts.trained, most)
    set_aside = None if parts.validated is None else _split(data.x_train, data.y_train, parts.validated, most)
    test = _split(data.x_test, data.y_test, slice(None), most)
    return Splits(train, set_aside, test, data.class_names)


def resident_bytes() -> int:
    """The size in bytes up to which memory-mapped examples are held in memory: ``$PARIBUS_RESIDENT``, in MiB.

    By default 512 MiB, or a sixteenth of the machine's memory if that is less.

    Raises:
        UsageError: the variable is no whole number of MiB.
    """
    setting = os.environ.get(RESIDENT_VARIABLE, "")
    if not setting:
        return min(RESIDENT_BYTES, machine.read_memory_limit() // RESIDENT_SHARE)
    if not setting.isdecimal():
        raise UsageError(
            f"{RESIDENT_VARIABLE}={setting}: expected a whole number of MiB, such as 2048; 0 streams every .npy file"
        )
    return int(setting) << 20


def _split(x: NDArray[Any], labels: NDArray[np.int32], rows: Rows, most: int) -> Split:
    if isinstance(rows, slice):
        x, labels = x[rows], labels[rows]
        return Streamed(x, labels) if x.nbytes > most and mapped.mapping(x) is not None else Resident(x, labels)
    if mapped.mapping(x) is None:
        return Resident(x[rows], labels[rows])
    if len(rows) * x[:1].nbytes > most:
        return Streamed(x, labels[rows], rows)
    return Resident(mapped.take(x, rows), labels[rows])
