"""Few disagreeing examples: errors of each end of the interval at every level that shares and looks produce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from paribus.analysis.critical import half_width
from paribus.analysis.disagreements import Side
from paribus.analysis.simulate.sparse import PATTERNS, Pattern, drawn_differences, sparse_studies
from paribus.analysis.simulate.table import Table, as_percent, markdown, tolerance

ONE_SIDED = (0.05, 0.025, 0.02, 0.0025, 0.001)
"""Errors of one end: of a check; of two-sided 5 %, 4 % (a share of 0.8), 0.5 % (one of ten), 0.2 % (early looks)."""

EXPECTED = (0.3, 1, 2, 3, 5, 10, 30)
SEEDS = (2, 3, 5, 10, 30)
EXAMPLES = (100, 1_000, 10_000)
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class FewRates:
    """Errors at one setting, for each of the errors asked for.

    Attributes:
        expected: expected number of examples that differ, per unit of the pattern's shares.
        seeds: number of seeds.
        examples: size of the test set.
        above: share of studies whose lower end lies above the truth.
        below: share of studies whose upper end lies below the truth.
        draws: number of studies.
    """

    expected: float
    seeds: int
    examples: int
    above: tuple[float, ...]
    below: tuple[float, ...]
    draws: int


def few_rates(
    pattern: Pattern,
    expected: float,
    seeds: int,
    examples: int,
    draws: int,
    generator: np.random.Generator,
    errors: Sequence[float] = ONE_SIDED,
) -> FewRates:
    """Draw studies and count, for every one-sided error asked for, how often each end misses the truth.

    Args:
        pattern: how the arms differ.
        expected: expected number of examples that differ, per unit of the pattern's shares.
        seeds: number of seeds.
        examples: size of the test set.
        draws: number of studies.
        generator: draws them.
        errors: the one-sided errors.
    """
    truth = pattern.truth(expected, examples)
    above, below = np.zeros(len(errors)), np.zeros(len(errors))
    cells = sum(part.share for part in pattern.parts) * max(expected, 1) * seeds * 2
    block = max(1, min(draws, int(_MOST_CELLS / cells)))
    done = 0
    while done < draws:
        studies = sparse_studies(
            drawn_differences(pattern, expected, seeds, min(block, draws - done), generator), examples
        )
        apart = studies.estimate - truth
        for index, error in enumerate(errors):
            above[index] += np.count_nonzero(apart > half_width(studies.variance, 2 * error, Side.LOWER))
            below[index] += np.count_nonzero(-apart > half_width(studies.variance, 2 * error, Side.UPPER))
        done += len(apart)
    return FewRates(expected, seeds, examples, tuple(above / draws), tuple(below / draws), draws)


def few_settings(
    expected: Sequence[float] = EXPECTED, seeds: Sequence[int] = SEEDS, examples: Sequence[int] = EXAMPLES
) -> Iterator[tuple[float, int, int]]:
    """All sizes at which differing examples are rare: at most one in eight."""
    for size in examples:
        for count in expected:
            if count <= size / 8:
                for number in seeds:
                    yield count, number, size


def few_table(draws: int, generator: np.random.Generator) -> Table:
    """Worst error of one end and of both ends, over all sizes, by pattern."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for pattern in PATTERNS:
        rates = [few_rates(pattern, *size, draws, generator) for size in few_settings()]
        worst = [max(max(rate.above[i], rate.below[i]) for rate in rates) for i in range(len(ONE_SIDED))]
        both = max(rate.above[1] + rate.below[1] for rate in rates)
        rows.append((pattern.name, *(as_percent(rate) for rate in worst), as_percent(both)))
        for index, error in enumerate(ONE_SIDED):
            # The largest of some eighty counted shares: a fourth standard error for having picked it.
            if worst[index] > error + 4 / 3 * tolerance(error, draws):
                broken.append(
                    f"few disagreements, {pattern.name}, {as_percent(error)} a side: {as_percent(worst[index])}"
                )
    head = ("examples differ", *(f"{as_percent(error)} a side" for error in ONE_SIDED), "both sides of 5 %")
    return Table(
        "**Few disagreeing examples** (new data; worst error of one end over 0.3 to 30 expected, 2 to 30 seeds, 100 to "
        "10,000 examples)\n\n" + markdown(head, rows),
        tuple(broken),
    )
