"""Which examples decide: always wrong, wrong for some seeds, flipped between two arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Difficulty:
    """One arm's examples by how many seeds get them wrong.

    Attributes:
        wrong: seeds that answer wrongly, for each example, shape ``(examples,)``.
        seeds: number of seeds.
        always_wrong: indices of the examples that every seed gets wrong, in order.
        sometimes_wrong: indices of those that some seeds but not all get wrong, most often wrong first.
    """

    wrong: NDArray[np.int64]
    seeds: int
    always_wrong: NDArray[np.int64]
    sometimes_wrong: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Flips:
    """Examples that tell two arms apart, over their common seeds.

    Attributes:
        balance: for each example, share of seeds where A is right minus share where B is, shape ``(examples,)``; its
            mean is the difference in accuracy.
        to_a: indices where A is right more often, largest balance first.
        to_b: indices where B is right more often, largest balance first.
        seeds: number of common seeds.
    """

    balance: NDArray[np.float64]
    to_a: NDArray[np.int64]
    to_b: NDArray[np.int64]
    seeds: int
