"""Rows keyed by seed, and how two arms' rows are paired: by seed, never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.scores import checked_scores
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class SeedScores:
    """The scores of one arm (or of one cell of a factorial study), a row a seed.

    A diverged run is an ordinary row: it scores what its weights score. A failed or missing run has no row.

    Attributes:
        arm: the arm's name.
        seeds: the seed of each row, no two alike.
        unit: what a row is, in sentences: a seed; or a pass over the folds of cross-validation, whose number is then in
            the place of the seed.
        values: shape ``(seeds, examples)``, or ``(seeds, 1)`` for metrics known only as one value per run; an arm
            without any scored run has shape ``(0, examples)``.

    Raises:
        UsageError: a seed twice, another number of rows than seeds, or scores that are no finite numbers.
    """

    arm: str
    seeds: tuple[int, ...]
    values: NDArray[np.generic]
    unit: str = "seed"

    def __post_init__(self) -> None:
        twice = [seed for seed, count in Counter(self.seeds).items() if count > 1]
        if twice:
            raise UsageError(f"arm {self.arm!r}: seed {twice[0]} has more than one row; each seed has exactly one")
        if self.values.ndim != 2 or len(self.values) != len(self.seeds):
            raise UsageError(
                f"arm {self.arm!r}: scores of shape {self.values.shape} for {len(self.seeds)} seeds; "
                f"one row a seed is needed"
            )
        if len(self.seeds):
            checked_scores(self.values, f"scores of arm {self.arm!r}")

    def only(self, seeds: Collection[int]) -> SeedScores:
        """The rows of some seeds alone, as a planned look needs them: seeds in index order, not as they finished.

        Args:
            seeds: the seeds.
        """
        members = set(seeds)
        rows = [index for index, seed in enumerate(self.seeds) if seed in members]
        return SeedScores(self.arm, tuple(self.seeds[index] for index in rows), self.values[rows], self.unit)


@dataclass(frozen=True, slots=True)
class Missing:
    """Seeds that one arm of a contrast has and another has not; they take no part in it. Both are in seed order.

    Attributes:
        arm: the arm without them.
        seeds: the seeds that it lacks.
        unit: what they are, in sentences.
    """

    arm: str
    seeds: tuple[int, ...]
    unit: str = "seed"


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Arms with their rows paired by seed.

    Attributes:
        seeds: the seeds that all arms have, growing.
        values: for each arm its scores, shape ``(seeds, examples)``, rows in that order.
        missing: for each arm that lacks seeds which another one has, those seeds.
    """

    seeds: tuple[int, ...]
    values: tuple[NDArray[np.generic], ...]
    missing: tuple[Missing, ...]


def align(arms: Sequence[SeedScores]) -> Aligned:
    """Pair the rows of two or more arms by seed, whatever order they come in.

    Args:
        arms: the arms' scores.

    Returns:
        The rows of the seeds that all arms have, and the seeds that some arm lacks.

    Raises:
        UsageError: the arms were scored on different numbers of examples.
    """
    scored = [arm for arm in arms if arm.seeds]
    for arm in scored[1:]:
        first = scored[0]
        if arm.values.shape[1] != first.values.shape[1]:
            raise UsageError(
                f"arms {first.arm!r} and {arm.arm!r} have {first.values.shape[1]} and {arm.values.shape[1]} examples: "
                f"scores pair up only on the same test set"
            )
    everywhere = set.intersection(*(set(arm.seeds) for arm in arms))
    anywhere = set.union(*(set(arm.seeds) for arm in arms))
    seeds = tuple(sorted(everywhere))
    absent = ((arm.arm, tuple(sorted(anywhere.difference(arm.seeds)))) for arm in arms)
    return Aligned(
        seeds=seeds,
        values=tuple(_rows(arm, seeds) for arm in arms),
        missing=tuple(Missing(arm, seeds_absent, arms[0].unit) for arm, seeds_absent in absent if seeds_absent),
    )


def _rows(arm: SeedScores, seeds: tuple[int, ...]) -> NDArray[np.generic]:
    if arm.seeds == seeds:
        return arm.values
    place = {seed: index for index, seed in enumerate(arm.seeds)}
    return arm.values[[place[seed] for seed in seeds]]
