"""Several contrasts at once: how often any of them is falsely called better or worse."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from paribus.analysis.comparison import Scope
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.simulate.gram import coordinates
from paribus.analysis.simulate.settings import Mix


def family_error(
    arms: int, mix: Mix, seeds: int, examples: int, scope: Scope, draws: int, generator: np.random.Generator
) -> float:
    """Share of studies of equal arms in which any of all pairs is called different; components independent by arm.

    Args:
        arms: number of arms.
        mix: how the variance of the mean splits.
        seeds: number of seeds, S.
        examples: number of examples, N.
        scope: "new data" or "this test set".
        draws: number of simulated studies.
        generator: draws them.
    """
    var_seed, var_example, var_rest = mix.seed * seeds, mix.example * examples, mix.rest * seeds * examples
    means = np.sqrt(var_seed + var_rest / examples) * generator.standard_normal((draws, arms, seeds))
    drawn_examples = np.sqrt(var_example / examples) * generator.standard_normal((draws, arms))
    by_example = np.sqrt(var_example + var_rest / seeds) * coordinates(arms, examples - 1, draws, generator)
    rest = np.sqrt(var_rest) * coordinates(arms, (seeds - 1) * (examples - 1), draws, generator)
    pairs = list(combinations(range(arms), 2))
    alpha = 0.05 / len(pairs)
    wrong = np.zeros(draws, dtype=np.bool_)
    for a, b in pairs:
        difference = means[:, a] - means[:, b]
        estimate = difference.mean(axis=1)
        seed_part = difference.var(axis=1, ddof=1) / seeds
        variance = TwoPartVariance(seed_part, seeds - 1)
        if scope is Scope.NEW_DATA:
            estimate = estimate + drawn_examples[:, a] - drawn_examples[:, b]
            ms_example = seeds * np.sum((by_example[:, a] - by_example[:, b]) ** 2, axis=1) / (examples - 1)
            ms_rest = np.sum((rest[:, a] - rest[:, b]) ** 2, axis=1) / ((seeds - 1) * (examples - 1))
            example_part = np.maximum(ms_example - ms_rest, 0.0) / (seeds * examples)
            variance = TwoPartVariance(seed_part, seeds - 1, example_part, examples - 1)
        wrong |= np.abs(estimate) > half_width(variance, alpha)
    return float(wrong.mean())
