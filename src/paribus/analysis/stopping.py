"""When a growing study stops: the chance that it is decided at each planned look, for an assumed true difference.

Differences of seeds are normal with known variances; the seeds' part of the variance is estimated at each look from the
seeds so far, as the study will do, and the examples' part is taken as known. Used to choose the number of seeds and the
looks of a study before it runs, and to say what more seeds would do for an undecided one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.disagreements import Side
from paribus.analysis.looks import Schedule
from paribus.analysis.power import TrueNoise
from paribus.analysis.shares import divisor_of


@dataclass(frozen=True, slots=True)
class Stops:
    """The distribution of the look at which a contrast is decided.

    Attributes:
        seeds: seeds per arm at each look.
        different: chance that "better" or "worse" is first the verdict at that look.
        equivalent: chance that "equivalent" is first the verdict at that look; all 0 without a margin.
    """

    seeds: tuple[int, ...]
    different: tuple[float, ...]
    equivalent: tuple[float, ...]

    @property
    def power(self) -> float:
        """Chance of "better" or "worse" at any look."""
        return sum(self.different)

    @property
    def decided(self) -> float:
        """Chance of any verdict at any look."""
        return self.power + sum(self.equivalent)

    @property
    def mean_seeds(self) -> float:
        """Seeds per arm on average; a study that is never decided ends at the last look."""
        ends = [a + b for a, b in zip(self.different, self.equivalent, strict=True)]
        ends[-1] += 1 - self.decided
        return sum(seeds * chance for seeds, chance in zip(self.seeds, ends, strict=True))

    def quantile(self, chance: float) -> int:
        """The number of seeds at which at least a share of the studies has stopped.

        Args:
            chance: the share, in (0, 1].
        """
        stopped = 0.0
        for seeds, a, b in zip(self.seeds, self.different, self.equivalent, strict=True):
            stopped += a + b
            if stopped >= chance:
                return seeds
        return self.seeds[-1]


def simulate_stops(
    noise: TrueNoise,
    difference: float,
    schedule: Schedule,
    generator: np.random.Generator,
    *,
    level: float = 0.95,
    share: float = 1.0,
    margin: float | None = None,
    draws: int = 20_000,
) -> Stops:
    """Simulate growing studies of one contrast.

    Args:
        noise: the true variances; its ``alpha`` is not used.
        difference: the true difference, in the units of the scores.
        schedule: the planned looks; one look is a study of fixed size.
        generator: source of randomness.
        level: level of all intervals of the study at once.
        share: the contrast's share of the error 1 - level.
        margin: differences smaller than this count as equivalent; None for no equivalence test.
        draws: simulated studies; the chances err by about 0.5 / sqrt(draws).

    Returns:
        The chance of each verdict at each look.
    """
    last = schedule.seeds[-1]
    sample = difference + np.sqrt(noise.example) * generator.standard_normal((draws, 1))
    values = sample + np.sqrt(noise.per_seed) * generator.standard_normal((draws, last))
    going = np.ones(draws, dtype=np.bool_)
    different, equivalent = [], []
    for number, seeds in enumerate(schedule.seeds, start=1):
        look = schedule.look(number, level, divisor_of(share))
        mean = values[:, :seeds].mean(axis=1)
        seed_part = values[:, :seeds].var(axis=1, ddof=1) / seeds
        variance = TwoPartVariance(seed_part, seeds - 1, noise.example, max(noise.examples - 1, 1), noise.disagreements)
        low = mean - half_width(variance, look.alpha, Side.LOWER)
        high = mean + half_width(variance, look.alpha, Side.UPPER)
        apart = going & ((low > 0) | (high < 0))
        alike = np.zeros_like(going)
        if margin is not None:
            strict = 2 * look.alpha_equivalence
            alike = going & ~apart & (mean - half_width(variance, strict, Side.LOWER) >= -margin)
            alike &= mean + half_width(variance, strict, Side.UPPER) <= margin
        different.append(float(apart.mean()))
        equivalent.append(float(alike.mean()))
        going &= ~(apart | alike)
    return Stops(schedule.seeds, tuple(different), tuple(equivalent))
