"""A classification data set: four arrays that agree with each other, checked here and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import known
from paribus.data.labels import class_indices
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.data.mapped import release
from paribus.errors import DataError
from paribus.records import DataSummary

Examples = NDArray[np.uint8] | NDArray[np.float32]

CHUNK_BYTES = 16 << 20


class Content:
    """The content of a data set, whose fingerprint is computed when somebody asks for it.

    Args:
        arrays: the four arrays, not flattened.
        files: what the arrays lie in, if that is all of it (see :mod:`paribus.data.known`).
        fingerprint: where it is known already.
    """

    def __init__(
        self, arrays: tuple[NDArray[Any], ...], files: tuple[known.Stamp, ...] = (), fingerprint: str | None = None
    ) -> None:
        self._arrays, self._files, self._fingerprint = arrays, files, fingerprint

    def fingerprint(self) -> str:
        """See :attr:`Dataset.fingerprint`."""
        found = self._fingerprint or known.fingerprint(self._files) or content_fingerprint(*self._arrays)
        known.learn_fingerprint(self._files, found)
        self._fingerprint = found
        return found


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
        classes: number of classes; every label lies in [0, classes).
        class_names: one name a class, by index.
    """

    name: str
    content: Content
    x_train: Examples
    y_train: NDArray[np.int32]
    x_test: Examples
    y_test: NDArray[np.int32]
    classes: int
    class_names: tuple[str, ...]

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
        return replace(self, x_train=x_train, x_test=self.x_test.reshape(len(self.x_test), -1))

    def summary(self) -> DataSummary:
        """What a report says about the data."""
        return DataSummary(
            self.name, self.fingerprint, len(self.x_train), len(self.x_test), self.input_shape, self.classes
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
) -> Dataset:
    """Check four arrays and make a :class:`Dataset` of them.

    Examples become uint8 (booleans, and whole numbers that all lie in 0 .. 255) or float32 (everything else).
    The number of classes is that of ``class_names``, else the width of one-hot labels, else the largest training
    label plus one.

    Args:
        name: what to call the data.
        source: what errors call it: a path or a name.
        x_train: numbers, examples first.
        y_train: class indices or one-hot rows (see :func:`paribus.data.labels.class_indices`).
        x_test: like ``x_train``, same example shape.
        y_test: like ``y_train``.
        class_names: one name a class; digits ``'0', '1', ...`` by default.
        fingerprint: the content's fingerprint where the reader knows it already, verified another way.
        files: what the arrays were read from, where they hold everything that the files do.

    Raises:
        DataError: the first thing that is wrong, naming ``source`` and the array.
    """
    _check_shapes(source, x_train, x_test)
    train_labels, width = class_indices(y_train, f"{source}: y_train")
    test_labels, test_width = class_indices(y_test, f"{source}: y_test")
    if width != test_width:
        raise DataError(
            f"{source}: y_train has shape {y_train.shape} and y_test {y_test.shape}; expected the same form, either "
            "class indices or one-hot rows of equal width, in both"
        )
    for split, x, labels in (("train", x_train, train_labels), ("test", x_test, test_labels)):
        if len(x) != len(labels):
            raise DataError(f"{source}: {len(x)} examples in x_{split} but {len(labels)} labels in y_{split}")
    names = _class_names(source, class_names, width, train_labels)
    _check_range(source, len(names), train_labels, test_labels)
    examples, test_examples = _as_examples(source, x_train, x_test, checked=known.is_checked(files))
    known.learn_checked(files)
    return Dataset(
        name,
        Content((examples, train_labels, test_examples, test_labels), files, fingerprint),
        examples,
        train_labels,
        test_examples,
        test_labels,
        len(names),
        names,
    )


def content_fingerprint(*arrays: NDArray[Any]) -> str:
    """The sha256 of arrays' types, shapes and bytes (little-endian, C order), read in chunks of 16 MiB."""
    digest = hashlib.sha256()
    for array in arrays:
        kind = array.dtype.newbyteorder("<")
        digest.update(f"{kind.str}{array.shape}\n".encode())
        for part in chunks(array):
            digest.update(np.ascontiguousarray(part, kind).view(np.uint8).reshape(-1).data)
    return digest.hexdigest()


def chunks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Consecutive rows of an array in parts of about 16 MiB, so that a memory map is never held whole."""
    rows = max(1, CHUNK_BYTES // max(1, array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=object))))
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        release(array)


def _check_shapes(source: str, x_train: NDArray[Any], x_test: NDArray[Any]) -> None:
    for split, x in (("x_train", x_train), ("x_test", x_test)):
        if x.ndim < 2:
            raise DataError(
                f"{source}: {split} has shape {x.shape}; expected examples first and at least one more dimension, "
                "such as (60000, 28, 28) or (150, 4)"
            )
        if 0 in x.shape:
            raise DataError(f"{source}: {split} has shape {x.shape}: it is empty; expected at least one example")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{source}: examples have shape {x_train.shape[1:]} in x_train but {x_test.shape[1:]} in x_test; "
            "expected the same"
        )


def _class_names(
    source: str, class_names: Sequence[str] | None, width: int | None, labels: NDArray[np.int32]
) -> tuple[str, ...]:
    if class_names is None:
        names = tuple(str(index) for index in range(width or int(labels.max()) + 1))
    else:
        names = tuple(class_names)
        if width is not None and width != len(names):
            raise DataError(f"{source}: {len(names)} class names for one-hot labels of width {width}")
    if len(names) < 2:
        raise DataError(f"{source}: every training label is 0; expected at least two classes")
    return names


def _check_range(source: str, classes: int, train_labels: NDArray[np.int32], test_labels: NDArray[np.int32]) -> None:
    for split, labels in (("y_train", train_labels), ("y_test", test_labels)):
        bad = np.flatnonzero(labels >= classes)
        if bad.size:
            index = int(bad[0])
            raise DataError(
                f"{source}: label {labels[index]} of example {index} in {split} is out of range; the training data "
                f"has {classes} classes, so labels lie in 0 .. {classes - 1}"
            )


def _as_examples(
    source: str, x_train: NDArray[Any], x_test: NDArray[Any], *, checked: bool
) -> tuple[Examples, Examples]:
    for split, x in (("x_train", x_train), ("x_test", x_test)):
        if x.dtype.kind == "O":
            raise DataError(
                f"{source}: {split} holds Python objects (often a list of examples of unequal length); expected an "
                "array of numbers. Pad or crop the examples to one shape"
            )
        if x.dtype.kind not in "uifb":
            raise DataError(f"{source}: {split} has type {x.dtype}; expected real numbers")
    if all(x.dtype.kind in "uib" and _fits_uint8(x) for x in (x_train, x_test)):
        whole = np.dtype(np.uint8)
        return _native(source, "x_train", x_train, whole), _native(source, "x_test", x_test, whole)
    if not checked:
        _check_float32(source, "x_train", x_train)
        _check_float32(source, "x_test", x_test)
    kind = np.dtype(np.float32)
    return _native(source, "x_train", x_train, kind), _native(source, "x_test", x_test, kind)


def _fits_uint8(x: NDArray[Any]) -> bool:
    if x.dtype in (np.uint8, np.bool_):
        return True
    return all(part.min() >= 0 and part.max() <= 255 for part in chunks(x))


def _check_float32(source: str, split: str, x: NDArray[Any]) -> None:
    largest = min(np.finfo(np.float32).max, np.finfo(x.dtype).max) if x.dtype.kind == "f" else 0
    exact = 1 << 24
    start = 0
    for part in chunks(x):
        if x.dtype.kind == "f":
            # Written so that nan counts as bad.
            bad, rule = ~(np.abs(part) <= largest), "a finite number that float32 can hold"
        else:
            bad, rule = (part > exact) | (part < -exact), f"whole numbers up to {exact} in size, exact in float32"
        if bad.any():
            place = np.unravel_index(int(bad.argmax()), part.shape)
            where = ", ".join(str(int(index)) for index in (place[0] + start, *place[1:]))
            raise DataError(f"{source}: value {part[place]} at {split}[{where}]; expected {rule}")
        start += len(part)


def _native(source: str, split: str, x: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """``x`` itself if it is of that type and in C order, else a copy."""
    if x.dtype == kind and x.flags.c_contiguous:
        return x
    if x.size * kind.itemsize > MAX_ARRAY_BYTES:
        raise DataError(
            f"{source}: {split} is {x.dtype} and would take {human(x.size * kind.itemsize)} in memory as {kind}. Store "
            "it as uint8 or float32 in C order, which is memory-mapped"
        )
    return np.ascontiguousarray(x, kind)
