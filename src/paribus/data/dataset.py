"""A classification data set: four arrays that agree with each other, checked here and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import known
from paribus.data.chunked import chunks
from paribus.data.examples import Examples, check_shapes, convert_examples
from paribus.data.features import Column
from paribus.data.labels import read_labels
from paribus.errors import DataError
from paribus.records import DataSummary


class Content:
    """The content of a data set, whose fingerprint is computed when somebody asks for it.

    Args:
        arrays: the four arrays, not flattened, and what was subtracted from the examples, if anything.
        files: the files that the arrays are read from, if they are all of it (see :mod:`paribus.data.known`).
        fingerprint: where it is known already.
    """

    def __init__(
        self, arrays: tuple[NDArray[Any], ...], files: tuple[known.Stamp, ...] = (), fingerprint: str | None = None
    ) -> None:
        self._arrays, self._files, self._fingerprint = arrays, files, fingerprint

    def fingerprint(self) -> str:
        """See :attr:`Dataset.fingerprint`."""
        digest = self._fingerprint or known.fingerprint(self._files) or content_fingerprint(*self._arrays)
        known.learn_fingerprint(self._files, digest)
        self._fingerprint = digest
        return digest


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Training and test examples with their class indices. Made by :func:`build`, which checks them.

    Attributes:
        name: what to call the data.
        content: what the fingerprint is taken of.
        x_train: uint8 or float32, shape ``(train, *input_shape)``; may be a read-only memory map.
        y_train: int32 class indices, shape ``(train,)``.
        x_test: like ``x_train``.
        y_test: like ``y_train``.
        classes: number of classes; every label is in [0, classes).
        class_names: one name a class, by index.
        offset: what was subtracted from each example in float64 before it was rounded to float32, shape of one example;
            None where nothing was (see :mod:`paribus.data.rounding`).
        columns: how the columns of a table became features, in their order; None where the source has no columns.
        own_validation: how many of the last training examples the source itself sets aside for validation.
        notes: remarks on how the data was read, one plain sentence each.
    """

    name: str
    content: Content
    x_train: Examples
    y_train: NDArray[np.int32]
    x_test: Examples
    y_test: NDArray[np.int32]
    classes: int
    class_names: tuple[str, ...]
    offset: NDArray[np.float64] | None = None
    columns: tuple[Column, ...] | None = None
    own_validation: int = 0
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """sha256 (hexadecimal) of the content before ``flatten``: type, shape and bytes of the arrays."""
        return self.content.fingerprint()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(self.x_train.shape[1:])

    def flattened(self) -> Dataset:
        """The same data with each example as one vector; the fingerprint stays, for the content does."""
        x_train = self.x_train.reshape(len(self.x_train), -1)
        offset = None if self.offset is None else self.offset.reshape(-1)
        return replace(self, x_train=x_train, x_test=self.x_test.reshape(len(self.x_test), -1), offset=offset)

    def summary(self) -> DataSummary:
        """What a report says about the data."""
        numbered = self.class_names == tuple(map(str, range(self.classes)))
        return DataSummary(
            self.name,
            self.fingerprint,
            len(self.x_train),
            len(self.x_test),
            self.input_shape,
            self.classes,
            self.notes,
            () if numbered else self.class_names,
        )


def build(
    name: str,
    source: str,
    *,
    x_train: NDArray[Any],
    y_train: NDArray[Any],
    x_test: NDArray[Any],
    y_test: NDArray[Any],
    class_names: Sequence[str] | None = None,
    fingerprint: str | None = None,
    files: tuple[known.Stamp, ...] = (),
    standardize: bool = False,
    offset: NDArray[np.float64] | None = None,
    columns: tuple[Column, ...] | None = None,
    own_validation: int = 0,
    notes: Sequence[str] = (),
) -> Dataset:
    """Check four arrays and make a :class:`Dataset` of them.

    Examples become uint8 (booleans, and whole numbers that are all in 0 .. 255) or float32 (everything else).
    The classes are those of ``class_names``, else the columns of one-hot labels, else what
    :func:`paribus.data.labels.read_labels` makes of the labels.

    Args:
        name: what to call the data.
        source: what errors call it: a path or a name.
        x_train: numbers, examples first.
        y_train: class indices, one-hot rows or words (see :func:`paribus.data.labels.read_labels`).
        x_test: like ``x_train``, same example shape.
        y_test: like ``y_train``.
        class_names: one name a class; the labels themselves by default.
        fingerprint: the content's fingerprint where the reader knows it already, verified another way.
        files: what the arrays were read from, where they hold everything that the files do.
        standardize: whether the examples will be standardized: features that float32 is too coarse for are centred
            then before they are rounded.
        offset: what was subtracted from the examples already.
        columns: see :class:`Dataset`; so are the next two.
        own_validation: how many of the last training examples validate.
        notes: remarks of the reader.

    Returns:
        The data set.

    Raises:
        DataError: the first thing that is wrong, naming ``source`` and the array.
    """
    check_shapes(source, x_train, x_test)
    labels = read_labels(source, y_train, y_test, class_names)
    for split, x, indices in (("train", x_train, labels.train), ("test", x_test, labels.test)):
        if len(x) != len(indices):
            raise DataError(f"{source}: {len(x)} examples in x_{split} but {len(indices)} labels in y_{split}")
    checked = known.is_checked(files)
    examples = convert_examples(source, x_train, x_test, checked=checked, standardize=standardize)
    if not standardize:
        known.learn_checked(files)
    offset = examples.offset if offset is None else offset
    arrays = (examples.train, labels.train, examples.test, labels.test, *(() if offset is None else (offset,)))
    return Dataset(
        name,
        # Centred data is not what its files hold.
        Content(arrays, () if examples.offset is not None else files, fingerprint),
        examples.train,
        labels.train,
        examples.test,
        labels.test,
        len(labels.names),
        labels.names,
        offset,
        columns,
        own_validation,
        tuple(dict.fromkeys((*notes, *labels.notes, *examples.notes))),
    )


def content_fingerprint(*arrays: NDArray[Any]) -> str:
    """The sha256 of arrays' types, shapes and bytes (little-endian, C order), read in chunks of 16 MiB.

    Args:
        *arrays: the arrays, memory maps included.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for array in arrays:
        kind = array.dtype.newbyteorder("<")
        digest.update(f"{kind.str}{array.shape}\n".encode())
        for part in chunks(array):
            digest.update(np.ascontiguousarray(part, kind).view(np.uint8).reshape(-1).data)
    return digest.hexdigest()
