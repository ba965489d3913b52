"""Runs that a study of five networks on MNIST needs, before and after shares of the error, on 0/1 scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.critical import half_width
from paribus.analysis.disagreements import Side
from paribus.analysis.looks import Schedule
from paribus.analysis.simulate.sparse import Part, Pattern, drawn_differences, sparse_studies
from paribus.analysis.simulate.table import Table, as_percent, markdown

EXAMPLES, ARMS, DIFFERENCE = 10_000, 5, 0.0031
DIFFERING = 120.0
"""Expected examples of 10,000 on which the answers of one seed's two arms differ: 1.2 %."""

SCHEDULES = (Schedule((3, 5, 8)), Schedule((3, 4, 6, 8)), Schedule((3, 6, 10)), Schedule((4, 8)), Schedule((5, 8)))
_BLOCK = 500


@dataclass(frozen=True, slots=True)
class MnistLike:
    """How two networks' answers to MNIST's test images differ.

    Attributes:
        difference: the true difference in accuracy.
        chance: chance that a seed's answers differ on an example that can differ: near 1 the same examples differ with
            every seed, near 0 others each time.
        seed_spread: standard deviation between seeds of that chance, over and above counting.
    """

    difference: float = DIFFERENCE
    chance: float = 0.35
    seed_spread: float = 0.02

    @property
    def pattern(self) -> Pattern:
        """Examples for and against the better arm whose balance is the true difference."""
        gained = (DIFFERING + EXAMPLES * self.difference) / 2 / self.chance
        lost = (DIFFERING - EXAMPLES * self.difference) / 2 / self.chance
        return Pattern("MNIST", (Part(gained, self.chance, 1, self.seed_spread), Part(lost, self.chance, -1)))


def decided_at(
    network: MnistLike, schedule: Schedule, share: float, draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Share of studies that are first decided at each planned look, shape ``(looks,)``.

    Args:
        network: how the two networks' answers differ.
        schedule: the planned looks.
        share: the contrast's share of the error.
        draws: number of simulated studies.
        generator: draws them.
    """
    decided = np.zeros(len(schedule.seeds))
    done = 0
    while done < draws:
        block = min(_BLOCK, draws - done)
        differences = drawn_differences(network.pattern, 1.0, schedule.seeds[-1], block, generator)
        going = np.ones(block, dtype=np.bool_)
        for index, seeds in enumerate(schedule.seeds):
            alpha = schedule.look(index + 1, 0.95, 1 / share).alpha if len(schedule.seeds) > 1 else 0.05 * share
            studies = sparse_studies(differences[:, :, :seeds], EXAMPLES)
            low = studies.estimate - half_width(studies.variance, alpha, Side.LOWER)
            high = studies.estimate + half_width(studies.variance, alpha, Side.UPPER)
            apart = going & ((low > 0) | (high < 0))
            decided[index] += np.count_nonzero(apart)
            going &= ~apart
        done += block
    return decided / draws


def fixed_seeds(
    network: MnistLike, share: float, power: float, draws: int, generator: np.random.Generator
) -> int | None:
    """The smallest number of seeds, looked at once, that detects the difference with a power; None if 40 do not.

    Args:
        network: how the two networks' answers differ.
        share: the contrast's share of the error.
        power: the chance of detecting it.
        draws: number of simulated studies.
        generator: draws them.
    """
    for seeds in range(2, 41):
        if decided_at(network, Schedule((seeds,)), share, draws, generator)[0] >= power:
            return seeds
    return None


def runs_table(draws: int, generator: np.random.Generator) -> Table:
    """Seeds and runs for 80 % power, and where growing studies stop."""
    rows: list[Sequence[str]] = []
    for chance in (0.2, 0.35, 0.5, 0.7):
        network = MnistLike(chance=chance)
        before = fixed_seeds(network, 0.1, 0.8, max(draws // 10, 200), generator)
        for schedule in SCHEDULES:
            stops = decided_at(network, schedule, 0.8, draws, generator)
            first, last = schedule.seeds[0], schedule.seeds[-1]
            ends = stops.copy()
            ends[-1] += 1 - stops.sum()
            seeds = float(ends @ np.array(schedule.seeds))
            rows.append(
                (
                    f"{chance:g}",
                    "more than 200" if before is None else f"{before * ARMS}",
                    ", ".join(map(str, schedule.seeds)),
                    as_percent(float(stops.sum())),
                    " / ".join(f"{100 * stop:.0f}" for stop in ends),
                    f"{ARMS * first + 2 * (seeds - first):.1f}",
                    f"{ARMS * first + 2 * (last - first)}",
                )
            )
    head = (
        "same examples differ",
        "runs before, 80 % power",
        "looks at seeds",
        "power",
        "stops at (%)",
        "runs on average",
        "at most",
    )
    return Table(
        f"**Runs for {100 * DIFFERENCE:.2f} points on MNIST** (five networks, one primary contrast of ten; answers "
        f"differ on 1.2 % of 10,000 examples)\n\n" + markdown(head, rows)
    )
