"""Partitions for cross-validation: every example in one fold of each repetition, each class in proportion.

Like the split of data without a test split they are always the same, whatever the version of NumPy
(:mod:`paribus.data.split`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.split import mixed_order
from paribus.errors import DataError
from paribus.records import Folds


def make_partition(
    labels: NDArray[np.integer[Any]],
    folds: Folds,
    source: str,
    class_names: Sequence[str],
    groups: NDArray[np.integer[Any]] | None = None,
) -> NDArray[np.intp]:
    """The fold of each example in each repetition.

    Args:
        labels: class indices, shape ``(examples,)``.
        folds: the number of folds and of repetitions, or the file of a partition.
        source: what errors call the data.
        class_names: one name a class.
        groups: the index of the group of each example; None where examples do not belong together.

    Returns:
        Shape ``(repeats, examples)``.

    Raises:
        DataError: too few examples or groups; the training part of some fold would lack a class; a file of a partition
            that is none of these examples.
    """
    count = len(labels) if groups is None else int(groups.max()) + 1
    if folds.count > count:
        raise DataError(
            f"{source}: {folds.count} folds of {count} {'examples' if groups is None else 'groups'}; every fold has at "
            "least one. Take fewer folds"
        )
    if folds.partition is not None:
        codes = _read_partition(folds, len(labels))
    else:
        codes = np.array(
            [
                _stratified(labels, folds.count, repeat)
                if groups is None
                else _stratified_groups(labels, groups, folds.count, repeat)
                for repeat in range(folds.repeats)
            ]
        )
    _check_classes(labels, codes, folds, source, class_names)
    return codes


def _stratified(labels: NDArray[np.integer[Any]], count: int, repeat: int) -> NDArray[np.intp]:
    """Class by class in a mixed order, dealt out to the folds in turn: classes and folds differ by one at most."""
    order = mixed_order(len(labels), repeat + 1)
    by_class = order[np.argsort(labels[order], kind="stable")]
    codes = np.empty(len(labels), np.intp)
    codes[by_class] = np.arange(len(labels)) % count
    return codes


def _stratified_groups(
    labels: NDArray[np.integer[Any]], groups: NDArray[np.integer[Any]], count: int, repeat: int
) -> NDArray[np.intp]:
    """Group by group, large ones first, each to the fold where the classes then differ least from an even share."""
    classes, members = int(labels.max()) + 1, int(groups.max()) + 1
    table = np.zeros((members, classes))
    np.add.at(table, (groups, labels), 1)
    order = mixed_order(members, repeat + 1)
    order = order[np.argsort(-table[order].sum(axis=1), kind="stable")]
    # Rare classes weigh as much as frequent ones.
    table = table / np.maximum(table.sum(axis=0), 1)
    sums = np.zeros((count, classes))
    of_group = np.empty(members, np.intp)
    for place, group in enumerate(order):
        empty = np.flatnonzero(~sums.any(axis=1))
        left = members - place
        if empty.size >= left:
            fold = int(empty[0])  # no fold stays without a group
        else:
            # Adding to a fold raises the sum of squared shares least where the fold has least of these classes.
            fold = int(np.argmin(sums @ table[group]))
            ties = np.flatnonzero(sums @ table[group] == (sums @ table[group])[fold])
            fold = int(ties[np.argmin(sums[ties].sum(axis=1))])
        sums[fold] += table[group]
        of_group[group] = fold
    codes: NDArray[np.intp] = of_group[groups]
    return codes


def _read_partition(folds: Folds, examples: int) -> NDArray[np.intp]:
    path = Path(str(folds.partition))
    try:
        codes: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not an .npy file with the fold of each example: {error}") from error
    expected = (folds.repeats, examples)
    if codes.shape != expected or codes.dtype.kind not in "ui":
        raise DataError(
            f"{path}: {codes.dtype} of shape {codes.shape}; expected the fold of each example as whole numbers, shape "
            f"(repeats, examples), here {expected}"
        )
    for repeat, row in enumerate(codes):
        present = np.unique(row)
        if not np.array_equal(present, np.arange(folds.count)):
            raise DataError(
                f"{path}: repetition {repeat} has the folds {', '.join(map(str, present[:12]))}; expected every fold "
                f"of 0 to {folds.count - 1}"
            )
    return codes.astype(np.intp)


def _check_classes(
    labels: NDArray[np.integer[Any]],
    codes: NDArray[np.intp],
    folds: Folds,
    source: str,
    class_names: Sequence[str],
) -> None:
    """Every class must be trained on in every fold."""
    sizes = np.bincount(labels)
    for repeat, row in enumerate(codes):
        for fold in range(folds.count):
            inside = np.bincount(labels[row == fold], minlength=len(sizes))
            absent = np.flatnonzero((sizes > 0) & (inside == sizes))
            if absent.size:
                size = int(sizes[absent[0]])
                few = "1 example" if size == 1 else f"{size} examples, all of one group or fold"
                raise DataError(
                    f"{source}: class {class_names[absent[0]]!r} has {few}, so that repetition {repeat} of the folds "
                    f"would train without it when fold {fold} is tested; leave the class out, or collect more of it"
                )
