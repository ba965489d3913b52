"""Coverage with groups of examples: normal differences drawn group by group, and few groups of 0/1 answers that differ.

Everything that an interval needs of normal differences are their sums over each group by seed, which are drawn as they
are: thousands of studies at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from paribus.analysis.compare import compare_terms
from paribus.analysis.comparison import Scope
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.groups import Groups, make_groups
from paribus.analysis.simulate.table import Table, as_percent, markdown, tolerance
from paribus.analysis.strictness import Strictness

COUNTS = (10, 20, 50, 100, 300)
SIZES = ("equal", "lognormal", "widely lognormal", "one holds a third")
LOWEST, ALPHA = 0.935, 0.05
_BATCHES = 100
_SEED_SHARE = 0.3
"""Share of the seeds in the variance of the mean, where there are several."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupedStudies:
    """Many studies with groups of the same sizes: estimates, and the parts of their estimated variances.

    Attributes:
        mean: the estimates; the truth is 0. Shape ``(draws,)``.
        seed: the variance of the mean from the seeds; 0 with one seed.
        example: that from the groups, less what the seeds' noise makes of it.
    """

    mean: NDArray[np.float64]
    seed: NDArray[np.float64]
    example: NDArray[np.float64]


def draw_sizes(kind: str, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Sizes of the groups: about 10 examples on average, or a few with most of them."""
    if kind == "lognormal":
        return np.asarray(np.maximum(np.round(generator.lognormal(np.log(8), 1.0, count)), 1))
    if kind == "widely lognormal":
        return np.asarray(np.maximum(np.round(generator.lognormal(np.log(5), 1.5, count)), 1))
    sizes = np.full(count, 10.0)
    if kind == "one holds a third":
        sizes[0] = 5.0 * (count - 1)
    return sizes


def grouped_studies(
    groups: Groups, seeds: int, between: float, draws: int, generator: np.random.Generator
) -> GroupedStudies:
    """Draw studies; what :func:`paribus.analysis.variance.decompose` makes of them.

    Args:
        groups: the groups; only their sizes matter here.
        seeds: number of seeds.
        between: variance between groups; that between examples of a group is 1 - between.
        draws: number of studies.
        generator: draws them.
    """
    sizes, total = groups.sizes, groups.sizes.sum()
    shared = sizes * np.sqrt(between) * generator.standard_normal((draws, 1, len(sizes)))
    shared += np.sqrt(sizes * (1 - between)) * generator.standard_normal((draws, 1, len(sizes)))
    own = np.sqrt(0.1) * sizes * generator.standard_normal((draws, seeds, len(sizes)))
    sums = shared + own + np.sqrt(sizes) * generator.standard_normal((draws, seeds, len(sizes)))
    if seeds > 1:
        of_groups = float(between * (sizes @ sizes) / total**2 + (1 - between) / total)
        of_seed = np.sqrt(_SEED_SHARE / (1 - _SEED_SHARE) * of_groups * seeds)
        sums += sizes * of_seed * generator.standard_normal((draws, seeds, 1))
    seed_means = sums.sum(axis=2) / total
    mean = seed_means.mean(axis=1)
    effects = sums.mean(axis=1) - sizes * mean[:, None]
    rest = sums - sums.mean(axis=1, keepdims=True) - sizes * (seed_means - mean[:, None])[:, :, None]
    weights = np.sqrt((groups.count - 1) / groups.count) / (total - sizes)
    of_examples = np.sum((weights * effects) ** 2, axis=1)
    of_rest = np.sum((weights * rest) ** 2, axis=(1, 2)) / (seeds * max(seeds - 1, 1))
    of_seeds = seed_means.var(axis=1, ddof=1) / seeds if seeds > 1 else np.zeros(draws)
    example = of_examples if seeds == 1 else np.maximum(of_examples - of_rest, 0.0)
    return GroupedStudies(mean, of_seeds, example)


def coverage_of_groups(
    kind: str, count: int, seeds: int, between: float, draws: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Share of 95 % intervals that cover the truth, over many draws of the sizes too.

    Args:
        kind: the kind of sizes, one of ``SIZES``.
        count: number of groups.
        seeds: number of seeds.
        between: variance between groups; that between examples of a group is 1 - between.
        draws: number of simulated studies.
        generator: draws them.

    Returns:
        The share of paribus's intervals, and that of intervals with G - 1 degrees of freedom.
    """
    covered = np.zeros(2)
    for _ in range(_BATCHES):
        sizes = draw_sizes(kind, count, generator)
        groups = Groups(np.repeat(np.arange(count), sizes.astype(int)), sizes)
        studies = grouped_studies(groups, seeds, between, max(draws // _BATCHES, 1), generator)
        for index, freedom in enumerate((groups.freedom, count - 1)):
            variance = TwoPartVariance(studies.seed, max(seeds - 1, 1), studies.example, freedom)
            covered[index] += np.mean(np.abs(studies.mean) <= half_width(variance, ALPHA))
    return float(covered[0] / _BATCHES), float(covered[1] / _BATCHES)


def miller_coverage(kind: str, count: int, draws: int, generator: np.random.Generator) -> float:
    """The same for one seed by the clustered standard error as Miller (2024) writes it, times 1.96."""
    covered, z = 0.0, float(special.ndtri(1 - ALPHA / 2))
    for _ in range(_BATCHES):
        sizes = draw_sizes(kind, count, generator)
        total, shape = sizes.sum(), (max(draws // _BATCHES, 1), count)
        sums = sizes * np.sqrt(0.3) * generator.standard_normal(shape)
        sums += np.sqrt(sizes * 0.7) * generator.standard_normal(shape)
        mean = sums.sum(axis=1) / total
        error = np.sqrt(np.sum((sums - sizes * mean[:, None]) ** 2, axis=1)) / total
        covered += float(np.mean(np.abs(mean) <= z * error))
    return covered / _BATCHES


def groups_tables(draws: int, generator: np.random.Generator) -> Iterator[Table]:
    """Both tables."""
    yield normal_table(draws, generator)
    yield few_groups_table(max(draws // 50, 100), generator)


def normal_table(draws: int, generator: np.random.Generator) -> Table:
    """Coverage with normal differences, 30 % or nothing of whose variance is between groups."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for kind in SIZES:
        for count in COUNTS:
            rates = {
                (seeds, between): coverage_of_groups(kind, count, seeds, between, draws, generator)
                for seeds in (1, 3, 10)
                for between in (0.3, 0.0)
            }
            alone = rates[1, 0.3][1]
            rows.append(
                (
                    kind,
                    str(count),
                    *(_span([rates[seeds, between][0] for between in (0.3, 0.0)]) for seeds in (1, 3, 10)),
                    as_percent(alone),
                    as_percent(miller_coverage(kind, count, draws, generator)),
                )
            )
            low = min(ours for ours, _ in rates.values())
            if low < LOWEST - tolerance(1 - LOWEST, draws):
                broken.append(f"{kind}, {count} groups: coverage {low:.4f}")
    head = ("sizes", "G", "one seed", "3 seeds", "10 seeds", "one seed, G - 1 degrees", "one seed, Miller's")
    return Table(
        "**Groups of examples** (95 % intervals on new data; of one seed for these trained networks)\n\n"
        + markdown(head, rows),
        tuple(broken),
    )


def few_groups_table(draws: int, generator: np.random.Generator) -> Table:
    """Scores of 0 and 1 where arms differ on few groups, judged by ``compare_terms`` itself."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for kind in ("equal", "lognormal"):
        for count in (10, 30, 100):
            for expected in (1, 3) if count == 10 else (1, 3, 8):
                for within in (0.3, 1.0):
                    rates = [
                        float(
                            np.mean(
                                [_covers_few(kind, count, expected, within, seeds, generator) for _ in range(draws)]
                            )
                        )
                        for seeds in (1, 5)
                    ]
                    rows.append((kind, str(count), str(expected), f"{100 * within:.0f} %", *map(as_percent, rates)))
                    broken += [
                        f"{expected} of {count} {kind} groups differ: coverage {rate:.4f}"
                        for rate in rates
                        if rate < LOWEST - tolerance(1 - LOWEST, draws)
                    ]
    head = ("sizes", "G", "groups that differ, expected", "on so many of their examples", "one seed", "5 seeds")
    return Table(
        "**Few groups differ** (scores of 0 and 1; coverage of 95 % intervals on new data)\n\n" + markdown(head, rows),
        tuple(broken),
    )


def _covers_few(
    kind: str, count: int, expected: int, within: float, seeds: int, generator: np.random.Generator
) -> bool:
    """Whether an interval covers, where arm A alone is right on a share of the examples of a few groups."""
    sizes = draw_sizes(kind, count, generator).astype(int)
    codes = np.repeat(np.arange(count), sizes)
    differs = (generator.random(count) < expected / count)[codes] & (generator.random(len(codes)) < within)
    wrong = differs & (generator.random((seeds, len(codes))) < 0.9)
    terms = ((1.0, np.ones_like(wrong)), (-1.0, ~wrong))
    scope = Scope.NEW_DATA if seeds > 1 else Scope.THESE_NETWORKS
    comparison = compare_terms(terms, None, Strictness(1 - ALPHA), scope, groups=make_groups(codes, len(codes)))
    truth = 0.9 * within * expected / count
    return comparison.low is not None and comparison.high is not None and comparison.low <= truth <= comparison.high


def _span(rates: Sequence[float]) -> str:
    return f"{100 * min(rates):.1f} to {100 * max(rates):.1f} %"
