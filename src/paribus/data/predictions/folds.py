"""The folds of predictions that were made in cross-validation elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.data.labels import in_label_order
from paribus.data.predictions.complete import Keys
from paribus.errors import DataError


def number_passes(
    arms: NDArray[np.int32], repeats: NDArray[np.int32], folds: NDArray[np.int32], seeds: NDArray[np.int32]
) -> tuple[NDArray[np.int32], int]:
    """Number the passes over the folds of a table with several seeds in each fold of a repetition.

    The runs of a fold are ordered by their seeds: the first of every fold are the first pass of a repetition.

    Args:
        arms: the arm of each row, as an index; likewise:
        repeats: its repetition.
        folds: its fold.
        seeds: its seed.

    Returns:
        The pass of each row, first those of all repetitions by their first seeds; and the number of passes.
    """
    place = (arms.astype(np.int64) * (int(repeats.max()) + 1) + repeats) * (int(folds.max()) + 1) + folds
    runs, run = np.unique(place * (int(seeds.max()) + 1) + seeds, return_inverse=True)
    places = runs // (int(seeds.max()) + 1)
    rank = np.arange(len(runs)) - np.searchsorted(places, places)
    number = rank[run.reshape(-1)] * (int(repeats.max()) + 1) + repeats
    return number.astype(np.int32), int(number.max()) + 1


def read_folds(
    keys: Keys,
    codes: NDArray[np.int32],
    words: tuple[str, ...],
    groups: NDArray[np.int32] | None,
    repeats: int,
) -> NDArray[np.int32]:
    """The fold of each example in each repetition, which is the same for all arms.

    Passes over the folds that all have one partition are seeds of it; where each has its own, they are repetitions.

    Args:
        keys: which run and example each row is about; its seeds are passes over all folds.
        codes: the code of each row's fold.
        words: the names of the folds, by code.
        groups: the index of each example's group, if examples belong to groups.
        repeats: the number of repetitions that are declared; pass ``n`` is then one of repetition ``n % repeats``.

    Returns:
        Shape ``(repeats, examples)``, folds numbered from 0.

    Raises:
        DataError: arms have an example in different folds; a fold is empty or the only one; some passes have the same
            partition and others do not; a group is in several folds.
    """
    name, passes, examples = keys.source.name, len(keys.seeds), len(keys.examples)
    if len(words) < 2:
        raise DataError(f"{name}: fold {words[0]!r} is the only one; leave the column out where there is one test set")
    rank = {word: index for index, word in enumerate(in_label_order(words))}
    folds = np.asarray([rank[word] for word in words], np.int32)[codes]
    cells = keys.seed.astype(np.int64) * examples + keys.example
    by_cell = np.empty(passes * examples, np.int32)
    by_cell[cells[::-1]] = folds[::-1]
    differing = np.flatnonzero(by_cell[cells] != folds)
    if differing.size:
        row = int(differing[0])
        raise DataError(
            f"{name}: {keys.place(row)} ({keys.describe_run(row)}): example {keys.examples[keys.example[row]]!r} is in "
            f"fold {words[codes[row]]!r}, and in another one in another arm; arms are compared on the same folds"
        )
    table = by_cell.reshape(passes, examples)
    for number, row_folds in enumerate(table):
        if len(np.unique(row_folds)) < len(words):
            raise DataError(
                f"{name}: pass {keys.seeds[number]} has no example in some of the {len(words)} folds; every pass goes "
                "over the same number of folds"
            )
    distinct = np.unique(table, axis=0)
    if groups is not None:
        _check_groups(name, table, groups)
    if len(distinct) == 1:
        return table[:1].copy()
    if len(distinct) == repeats < passes and (table == table[np.arange(passes) % repeats]).all():
        return table[:repeats].copy()
    if len(distinct) < passes:
        raise DataError(
            f"{name}: {passes} passes over the folds have {len(distinct)} different partitions; either all have the "
            "same one, or each has its own"
        )
    return table


def _check_groups(name: str, table: NDArray[np.int32], groups: NDArray[np.int32]) -> None:
    first = np.zeros(int(groups.max()) + 1, np.int32)
    for row in table:
        first[groups[::-1]] = row[::-1]
        if (first[groups] != row).any():
            raise DataError(
                f"{name}: some examples of one group are in different folds, so that runs were tested on groups that "
                "they had trained on; divide whole groups, or leave the column 'group' out"
            )
