"""Rows keyed by seed, and how two arms' rows are paired: by seed, never by position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SeedScores:
    """The scores of one arm (or of one cell of a factorial study), a row a seed.

    A diverged run is an ordinary row: it scores what its weights score. A failed or missing run has no row.

    Attributes:
        arm: the arm's name.
        seeds: the seed of each row, no two alike.
        values: shape ``(seeds, examples)``, or ``(seeds, 1)`` for metrics known only as one value per run.
    """

    arm: str
    seeds: tuple[int, ...]
    values: NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Missing:
    """Seeds that one arm of a contrast has and another has not; they take no part in it. Both are in seed order.

    Attributes:
        arm: the arm without them.
        seeds: the seeds that it lacks.
    """

    arm: str
    seeds: tuple[int, ...]
