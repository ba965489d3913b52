"""Planned looks at a growing study: errors over all looks together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.comparison import Scope
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.looks import Schedule
from paribus.analysis.simulate.gram import coordinates
from paribus.analysis.simulate.settings import Mix

SCHEDULES = (
    Schedule((3, 6, 9, 12)),
    Schedule((3, 5, 10)),
    Schedule((3, 4, 5, 6)),
    Schedule((5, 10)),
    Schedule((5, 10, 20, 30)),
    Schedule((10, 12, 14, 16)),
    Schedule((10, 20, 30, 40)),
)
# Margins of the equivalence tests, in standard errors at the last look.
_MARGINS = (3.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Growth:
    """One look of many simulated studies: estimates around a true difference of zero, and their estimated variances."""

    estimate: NDArray[np.float64]
    variance: TwoPartVariance


def errors(
    schedule: Schedule, mix: Mix, examples: int, scope: Scope, draws: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Errors over all looks together, of studies whose true difference is zero, or is the margin.

    Args:
        schedule: the planned looks.
        mix: how the variance of the mean splits at the last look.
        examples: number of examples, N.
        scope: "new data" or "this test set".
        draws: number of simulated studies.
        generator: draws them.

    Returns:
        The share of studies with a false "better" or "worse" at any look, and with a false "equivalent" at any look.
    """
    different = np.zeros(draws, dtype=np.bool_)
    equivalent = np.zeros((len(_MARGINS), draws), dtype=np.bool_)
    for number, growth in enumerate(grow(schedule, mix, examples, scope, draws, generator), start=1):
        look = schedule.look(number)
        different |= np.abs(growth.estimate) > half_width(growth.variance, look.alpha)
        half = half_width(growth.variance, 2 * look.alpha_equivalence)
        for index, margin in enumerate(_MARGINS):
            equivalent[index] |= np.abs(margin + growth.estimate) + half <= margin
    return float(different.mean()), float(equivalent.mean(axis=1).max())


def grow(
    schedule: Schedule, mix: Mix, examples: int, scope: Scope, draws: int, generator: np.random.Generator
) -> Iterator[Growth]:
    """Draw the same studies at look after look.

    Args:
        schedule: the planned looks.
        mix: how the variance of the mean, 1, splits at the last look.
        examples: number of examples, N.
        scope: "new data" or "this test set".
        draws: number of simulated studies.
        generator: draws them.
    """
    last = schedule.seeds[-1]
    var_seed, var_example, var_rest = mix.seed * last, mix.example * examples, mix.rest * last * examples
    means = np.sqrt(var_seed + var_rest / examples) * generator.standard_normal((draws, last))
    drawn_examples = np.sqrt(var_example / examples) * generator.standard_normal(draws)
    blocks = np.diff((0, *schedule.seeds))
    # Centered over examples: the examples' own effects, then the sum over each block of seeds of what is left.
    basis = coordinates(1 + len(blocks), examples - 1, draws, generator)
    own = np.sqrt(var_example) * basis[:, 0]
    sums = np.sqrt(var_rest * blocks)[:, None] * basis[:, 1:]
    total = np.zeros_like(own)
    squares = np.zeros(draws)
    for index, (seeds, block) in enumerate(zip(schedule.seeds, blocks, strict=True)):
        total = total + sums[:, index]
        squares += np.sum(sums[:, index] ** 2, axis=1) / block
        if block > 1:
            squares += var_rest * generator.chisquare((block - 1) * (examples - 1), draws)
        ss_rest = np.maximum(squares - np.sum(total**2, axis=1) / seeds, 0.0)
        ms_rest = ss_rest / ((seeds - 1) * (examples - 1))
        ms_example = seeds * np.sum((own + total / seeds) ** 2, axis=1) / (examples - 1)
        seed_part = means[:, :seeds].var(axis=1, ddof=1) / seeds
        estimate = means[:, :seeds].mean(axis=1)
        if scope is Scope.THIS_TEST_SET:
            yield Growth(estimate, TwoPartVariance(seed_part, seeds - 1))
        else:
            example_part = np.maximum(ms_example - ms_rest, 0.0) / (seeds * examples)
            variance = TwoPartVariance(seed_part, seeds - 1, example_part, examples - 1)
            yield Growth(estimate + drawn_examples, variance)
