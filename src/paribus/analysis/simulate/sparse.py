"""Arms that differ on few examples, drawn by the differing examples alone: thousands of studies at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.critical import TwoPartVariance
from paribus.analysis.disagreements import Disagreements, RareSum

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """Examples of one kind on which arms A and B differ.

    Attributes:
        share: their expected number, per expected differing example of the pattern.
        chance: chance that a seed's answers differ on such an example.
        sign: 1 where A is right, -1 where B is.
        seed_spread: standard deviation of that chance between seeds, for arms whose seeds vary unequally.
    """

    share: float
    chance: float
    sign: int = 1
    seed_spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Pattern:
    """How the arms differ: its name and its parts."""

    name: str
    parts: tuple[Part, ...]

    def truth(self, expected: float, examples: int) -> float:
        """The true mean difference on new data where ``expected`` of ``examples`` examples differ."""
        return sum(part.sign * part.share * part.chance for part in self.parts) * expected / examples


PATTERNS = (
    Pattern("persistent, one-sided", (Part(1, 1),)),
    Pattern("persistent, 9 to 1", (Part(0.9, 1), Part(0.1, 1, -1))),
    Pattern("persistent, two-sided", (Part(0.5, 1), Part(0.5, 1, -1))),
    Pattern("4 of 5 seeds, one-sided", (Part(1, 0.8),)),
    Pattern("half of the seeds, one-sided", (Part(1, 0.5),)),
    Pattern("half of the seeds, two-sided", (Part(0.5, 0.5), Part(0.5, 0.5, -1))),
    Pattern("1 of 5 seeds, one-sided", (Part(1, 0.2),)),
    Pattern("persistent for A among passing ones", (Part(1, 1), Part(3, 0.15), Part(3, 0.15, -1))),
    Pattern("persistent for A, passing for B", (Part(0.5, 1), Part(2, 0.3, -1))),
    Pattern("A's seeds vary, B's do not", (Part(1, 0.5, 1, 0.15), Part(0.5, 1, -1))),
)


@dataclass(frozen=True, slots=True, eq=False)
class SparseStudies:
    """Many studies: their estimates, and the variances that they estimate. Scope is new data."""

    estimate: Floats
    variance: TwoPartVariance


def drawn_differences(
    pattern: Pattern, expected: float, seeds: int, draws: int, generator: np.random.Generator
) -> NDArray[np.int8]:
    """Differences of the examples that can differ.

    Args:
        pattern: how the arms differ.
        expected: expected number of examples that differ, per unit of the pattern's shares.
        seeds: number of seeds.
        draws: number of studies.
        generator: draws them.

    Returns:
        -1, 0 or 1; int8, shape ``(draws, examples that can differ, seeds)``.
    """
    blocks = []
    for part in pattern.parts:
        counts = generator.poisson(part.share * expected, draws)
        present = np.arange(max(int(counts.max()), 1)) < counts[:, None]
        chance = part.chance + part.seed_spread * generator.standard_normal((draws, 1, seeds))
        differs = generator.random((*present.shape, seeds), dtype=np.float32) < chance
        blocks.append((part.sign * (differs & present[:, :, None])).astype(np.int8))
    return np.concatenate(blocks, axis=1)


def sparse_studies(differences: NDArray[np.int8], examples: int) -> SparseStudies:
    """What :func:`paribus.analysis.compare_scores` estimates where all other examples of ``examples`` do not differ."""
    _, _, seeds = differences.shape
    cells = seeds * examples
    seed_means = differences.sum(axis=1, dtype=np.float64) / examples
    mean = seed_means.mean(axis=1)
    sums = differences.sum(axis=2, dtype=np.float64)
    squares = np.abs(differences).sum(axis=2, dtype=np.float64)
    means = sums / seeds
    ss_seed = examples * np.sum((seed_means - mean[:, None]) ** 2, axis=1)
    ss_example = seeds * (np.sum(means**2, axis=1) - examples * mean**2)
    ss_rest = np.maximum(squares.sum(axis=1) - cells * mean**2 - ss_seed - ss_example, 0.0)
    ms_example, ms_rest = ss_example / (examples - 1), ss_rest / ((seeds - 1) * (examples - 1))
    seed_part = np.maximum(ss_seed / (seeds - 1) / cells, 1 / cells**2)
    example_part = np.maximum(ms_example - ms_rest, 0.0) / cells
    example_part = np.where(ms_example * cells < 0.25, 2 / examples**2, example_part)
    noise = np.maximum(squares - seeds * means**2, 0.0) / (seeds * (seeds - 1))
    raw = np.sum(means**2, axis=1)
    share = np.where(raw > 0, examples * mean**2 / np.where(raw > 0, raw, 1.0), 0.0)
    few = Disagreements(
        gained=_rare(means, noise),
        lost=_rare(-means, noise),
        largest=1.0,
        examples=examples,
        shrink=np.sqrt(1 - np.minimum(share, 0.5)),
    )
    return SparseStudies(mean, TwoPartVariance(seed_part, seeds - 1, example_part, examples - 1, few))


def _rare(means: Floats, noise: Floats) -> RareSum:
    positive = np.maximum(means, 0.0)
    squares = np.sum(positive**2 - np.where(means > 0, noise, 0.0), axis=1)
    return RareSum(positive.sum(axis=1), np.maximum(squares, 0.0), np.sum(positive**3, axis=1))
