"""Labels in the forms people have them (indices, one-hot rows, a column, words) turned into class indices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.limits import MAX_CLASSES
from paribus.errors import DataError

LISTED = 12
"""How many classes a message names."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of both splits as class indices.

    Attributes:
        train: int32, shape ``(train,)``.
        test: int32, shape ``(test,)``.
        names: the name of each class, by index.
        notes: remarks on how the labels were understood.
    """

    train: NDArray[np.int32]
    test: NDArray[np.int32]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_labels(
    source: str, y_train: NDArray[Any], y_test: NDArray[Any], class_names: Sequence[str] | None = None
) -> Labels:
    """Turn the labels of both splits into class indices.

    Whole numbers are class indices. Where they begin above 0 and the classes have no names, they are names instead:
    labels 1, 2, 3 are three classes, and a note says so. Words are names: the classes are the training split's
    different ones, in the order of :func:`in_label_order`.

    Args:
        source: what errors call the data.
        y_train: integers of shape ``(n,)`` or ``(n, 1)`` (also booleans and floats that are whole numbers), one-hot
            rows of shape ``(n, classes)``, or words of shape ``(n,)`` or ``(n, 1)``.
        y_test: likewise, in the same form.
        class_names: one name a class; the labels themselves by default.

    Returns:
        Class indices of both splits, and the names of the classes.

    Raises:
        DataError: the labels have another form, do not agree, or there are fewer than two classes.
    """
    if any(_holds_words(y) for y in (y_train, y_test)):
        return _from_words(source, y_train, y_test, class_names)
    train, width = class_indices(y_train, f"{source}: y_train")
    test, test_width = class_indices(y_test, f"{source}: y_test")
    if width != test_width:
        raise DataError(
            f"{source}: y_train has shape {y_train.shape} and y_test {y_test.shape}; expected the same form, either "
            "class indices or one-hot rows of equal width, in both"
        )
    if class_names is None and width is None and min(train.min(initial=1), test.min(initial=1)) > 0 < len(train):
        return _from_numbers_above_0(source, train, test)
    names = _names(source, class_names, width, train)
    _check_range(source, len(names), train, test)
    absent = np.flatnonzero(np.bincount(train, minlength=len(names)) == 0)
    return Labels(train, test, names, _absent_note([names[index] for index in absent]))


def class_indices(y: NDArray[Any], where: str) -> tuple[NDArray[np.int32], int | None]:
    """Turn labels that are numbers into class indices.

    Args:
        y: as in :func:`read_labels`, no words.
        where: what to call these labels in an error, such as ``'data.npz: y_train'``.

    Returns:
        int32 indices of shape ``(n,)``, and the number of classes where the form tells it (one-hot), else None.

    Raises:
        DataError: the labels have another shape or type, are not whole, or are outside of [0, 65,536).
    """
    if y.dtype.kind not in "uifb":
        raise DataError(
            f"{where}: labels of type {y.dtype}; expected whole numbers 0, 1, 2 ..., words, or one-hot rows"
        )
    if y.ndim == 2 and y.shape[1] > 1:
        return _from_one_hot(y, where), int(y.shape[1])
    y = _column(y, where)
    bad = np.flatnonzero(_not_an_index(y))
    if bad.size:
        index = int(bad[0])
        raise DataError(
            f"{where}: label {y[index]} of example {index}; expected a class index, a whole number from 0 to "
            f"{MAX_CLASSES - 1}. Classes are numbered 0, 1, 2 ...; other numbers become names with y.astype(str)"
        )
    return y.astype(np.int32), None


def in_label_order(words: Iterable[str]) -> tuple[str, ...]:
    """Different labels in numerical order if all are whole numbers, else in alphabetical order."""
    distinct = set(words)
    whole = all(_WHOLE.fullmatch(word) for word in distinct)
    # Words of equal value, such as 7 and 07, need an order too.
    return tuple(sorted(distinct, key=lambda word: (int(word) if whole else 0, word)))


def _holds_words(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "US" or (y.dtype.kind == "O" and any(isinstance(label, str) for label in y.reshape(-1)))


def _column(y: NDArray[Any], where: str) -> NDArray[Any]:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{where}: labels of shape {y.shape}; expected (examples,) with class indices or (examples, classes) "
            "with one-hot rows"
        )
    return y


def _from_words(source: str, y_train: NDArray[Any], y_test: NDArray[Any], class_names: Sequence[str] | None) -> Labels:
    words = [_words(y, f"{source}: {split}") for split, y in (("y_train", y_train), ("y_test", y_test))]
    names = in_label_order(words[0]) if class_names is None else tuple(class_names)
    if len(names) > MAX_CLASSES:
        raise DataError(f"{source}: y_train has {len(names)} different words; expected at most {MAX_CLASSES} classes")
    if len(names) < 2:
        raise DataError(f"{source}: every training label is {names[0]!r}; expected at least two classes")
    positions = {name: index for index, name in enumerate(names)}
    train, test = (
        _positions(source, split, labels, positions) for split, labels in zip(("y_train", "y_test"), words, strict=True)
    )
    absent = np.flatnonzero(np.bincount(train, minlength=len(names)) == 0)
    return Labels(train, test, names, _absent_note([names[index] for index in absent]))


def _words(y: NDArray[Any], where: str) -> list[str]:
    words = [label.decode() if isinstance(label, bytes) else label for label in _column(y, where).tolist()]
    for index, word in enumerate(words):
        if not isinstance(word, str) or not word.strip():
            raise DataError(
                f"{where}: label {word!r} of example {index} among words; expected a word for every example. A missing "
                "label cannot be learned: leave that example out"
            )
    return words


def _from_numbers_above_0(source: str, train: NDArray[np.int32], test: NDArray[np.int32]) -> Labels:
    """Labels that never are 0, which is the first class: they are numbered as their owner numbers them."""
    distinct = [str(label) for label in np.unique(train)]
    if len(distinct) < 2:
        raise DataError(f"{source}: every training label is {distinct[0]}; expected at least two classes")
    positions = {name: index for index, name in enumerate(distinct)}
    indices = [
        _positions(source, split, [str(label) for label in labels], positions)
        for split, labels in (("y_train", train), ("y_test", test))
    ]
    note = (
        f"Label 0 never occurs: the {len(distinct)} classes are the labels {_listed(distinct)}, in this order, and a "
        f"network needs {len(distinct)} outputs."
    )
    return Labels(indices[0], indices[1], tuple(distinct), (note,))


def _positions(source: str, split: str, labels: Sequence[str], positions: dict[str, int]) -> NDArray[np.int32]:
    for index, label in enumerate(labels):
        if label not in positions:
            raise DataError(
                f"{source}: label {label!r} of example {index} in {split} is none of the training classes "
                f"{_listed(list(positions))}"
            )
    return np.asarray([positions[label] for label in labels], np.int32)


def _names(
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
                f"has {classes} classes, so labels are in 0 .. {classes - 1}"
            )


def _absent_note(names: Sequence[str]) -> tuple[str, ...]:
    """A remark on classes that no training example has."""
    if not names:
        return ()
    few = len(names) == 1
    return (f"Class{'' if few else 'es'} {_listed(names)} never occur{'s' if few else ''} in the training split.",)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (" ..." if len(names) > LISTED else "")


def _not_an_index(y: NDArray[Any]) -> NDArray[np.bool_]:
    if y.dtype.kind == "b":
        return np.zeros(y.shape, bool)
    # Written so that nan counts as bad.
    outside: NDArray[np.bool_] = ~((y >= 0) & (y < MAX_CLASSES))
    return outside | (y != np.floor(y)) if y.dtype.kind == "f" else outside


def _from_one_hot(y: NDArray[Any], where: str) -> NDArray[np.int32]:
    if y.shape[1] > MAX_CLASSES:
        raise DataError(f"{where}: one-hot labels with {y.shape[1]} columns; expected at most {MAX_CLASSES} classes")
    ones = y == 1
    bad = np.flatnonzero((ones.sum(axis=1) != 1) | ((y == 0).sum(axis=1) != y.shape[1] - 1))
    if bad.size:
        index = int(bad[0])
        row = np.array2string(y[index], threshold=12, max_line_width=200)
        raise DataError(
            f"{where}: row {index} of the one-hot labels is {row}; expected exactly one 1 and zeros elsewhere. "
            "Soft and multi-label targets are not supported"
        )
    indices: NDArray[np.int32] = ones.argmax(axis=1).astype(np.int32)
    return indices
