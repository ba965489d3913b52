"""Every run answers every example once, and labels and groups are those of the example, whichever run is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data.predictions.sources import Source
from paribus.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Which run and example each row is about.

    Attributes:
        source: the table, whose rows have places.
        seed_column: the name of the column of seeds; None where there is none.
        arms: the names of the arms.
        seeds: the seeds.
        examples: the names of the examples.
        arm: for each row the index of its arm.
        seed: for each row the index of its seed.
        example: for each row the index of its example.
    """

    source: Source
    seed_column: str | None
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    examples: tuple[str, ...]
    arm: NDArray[np.int32]
    seed: NDArray[np.int32]
    example: NDArray[np.int32]

    def describe_run(self, row: int) -> str:
        """``arm 'big', seed 3``."""
        seed = f", seed {self.seeds[self.seed[row]]}" if self.seed_column else ""
        return f"arm {self.arms[self.arm[row]]!r}{seed}"

    def place(self, row: int) -> str:
        """The place of a row."""
        return self.source.place(row)


def check_complete(keys: Keys) -> NDArray[np.int64]:
    """Check that there is one row for each arm, seed and example, and number them in that order.

    Returns:
        The number of each row, shape ``(rows,)``: (arm * seeds + seed) * examples + example.

    Raises:
        DataError: a row is there twice, or one is missing; the message names it.
    """
    arms, seeds, examples = len(keys.arms), len(keys.seeds), len(keys.examples)
    run = keys.arm.astype(np.int64) * seeds + keys.seed
    cells = run * examples + keys.example
    if len(cells) == arms * seeds * examples:
        present = np.zeros(len(cells), bool)
        present[cells] = True
        if present.all():
            return cells
    order = np.argsort(cells, kind="stable")
    repeated = np.flatnonzero(np.diff(cells[order]) == 0)
    if repeated.size:
        raise _duplicate(keys, int(order[repeated[0]]), int(order[repeated[0] + 1]))
    raise _incomplete(keys, np.bincount(run, minlength=arms * seeds))


def check_constant(keys: Keys, codes: NDArray[np.int32], words: tuple[str, ...], name: str) -> NDArray[np.int32]:
    """Check that a column depends on the example alone.

    Args:
        keys: which run and example each row is about.
        codes: for each row the index of its word, shape ``(rows,)``.
        words: the words of the column.
        name: the name of the column.

    Returns:
        The index of each example's word, shape ``(examples,)``.

    Raises:
        DataError: two rows of one example differ; the message names both.
    """
    by_example = np.empty(len(keys.examples), np.int32)
    by_example[keys.example[::-1]] = codes[::-1]
    differing = np.flatnonzero(by_example[keys.example] != codes)
    if differing.size:
        row = int(differing[0])
        first = int(np.flatnonzero(keys.example == keys.example[row])[0])
        advice = (
            "If they are two examples, give them different names"
            if name == "label"
            else "Leave the column out where examples do not belong together"
        )
        raise DataError(
            f"{keys.source.name}: example {keys.examples[keys.example[row]]!r} has {name} {words[codes[first]]!r} in "
            f"{keys.place(first)} ({keys.describe_run(first)}) and {words[codes[row]]!r} in {keys.place(row)} "
            f"({keys.describe_run(row)}); an example has one {name}, whichever run is asked. {advice}"
        )
    return by_example


def _duplicate(keys: Keys, first: int, second: int) -> DataError:
    example = keys.examples[keys.example[first]]
    if keys.seed_column is None:
        advice = "Where an arm has several runs, a column 'seed' says which run a row belongs to"
    else:
        advice = "Keep one of them; runs of another seed need a seed of their own"
    return DataError(
        f"{keys.source.name}: {keys.describe_run(first)}, example {example!r} is there twice, in {keys.place(first)} "
        f"and {keys.place(second)}; a run answers an example once. {advice}"
    )


def _incomplete(keys: Keys, counts: NDArray[np.intp]) -> DataError:
    """The error for a run or an example that is not there."""
    seeds, total = len(keys.seeds), len(keys.examples)
    lacking = int(np.flatnonzero(counts < total)[0])
    arm, seed = divmod(lacking, seeds)
    name = keys.source.name
    if counts[lacking] == 0:
        other = next(keys.arms[run // seeds] for run in range(len(counts)) if run % seeds == seed and counts[run])
        return DataError(
            f"{name}: arm {keys.arms[arm]!r} has no seed {keys.seeds[seed]}, which arm {other!r} has; arms are "
            f"compared seed by seed. Add its rows, or leave seed {keys.seeds[seed]} out of every arm; runs that share "
            "nothing may be numbered alike, 0, 1, 2 ..., in each arm"
        )
    rows = (keys.arm == arm) & (keys.seed == seed)
    answered = np.zeros(total, bool)
    answered[keys.example[rows]] = True
    example = keys.examples[int(np.flatnonzero(~answered)[0])]
    of_seed = f", seed {keys.seeds[seed]}" if keys.seed_column else ""
    return DataError(
        f"{name}: arm {keys.arms[arm]!r}{of_seed} has {int(counts[lacking]):,} of {total:,} examples; {example!r}, for "
        "one, is missing. Every run answers every example: add the rows, or leave that example out of every run"
    )
