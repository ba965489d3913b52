"""Factorial studies: main effects and interactions as contrasts of cell means, per seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod

from paribus.analysis.comparison import Comparison
from paribus.analysis.contrasts import compare_aligned, shared_strictness, stepped_down
from paribus.analysis.folds import FoldLayout
from paribus.analysis.looks import Schedule
from paribus.analysis.metrics import Metric
from paribus.analysis.pairing import Missing, SeedScores, align
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True)
class Factor:
    """What varies between the arms by design: its name and its levels, the level to compare with first.

    Raises:
        UsageError: fewer than two levels, or a level twice.
    """

    name: str
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.levels) < 2:
            raise UsageError(f"factor {self.name!r} has levels {list(self.levels)}: at least two are needed")
        if len(set(self.levels)) < len(self.levels):
            raise UsageError(f"factor {self.name!r} has levels {list(self.levels)}: each level is named once")


@dataclass(frozen=True, slots=True)
class Effect:
    """One main effect or interaction with one degree of freedom.

    A main effect of a factor from level ``low`` to level ``high`` is the mean over all cells at ``high`` minus the mean
    over all cells at ``low``. An interaction of two factors is how much the first one's effect grows when the second
    goes from its low to its high level: (high, high) - (low, high) - (high, low) + (low, low), averaged over the rest.
    Factors with more than two levels give one effect for each level against the first one.

    Attributes:
        factors: names of the factors: one for a main effect, two or more for an interaction.
        levels: for each of these factors its (low, high) levels, in that order: the effect is high against low.
        averaged_over: the other factors of the study.
        metric: what is compared.
        comparison: the effect (as ``difference``), its interval and verdict, holding for all effects at once.
            None where no seed has scores in all cells.
        p_holm: Holm's step-down p of the same family, reported beside. None with one seed.
        missing: seeds left out because some cell has no score for them.
        looks_taken: the numbers of seeds at which it was judged without a planned look, where this is remembered.
        next_step: what would decide it, a sentence; empty where it is decided or nothing can be planned.
    """

    factors: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]
    averaged_over: tuple[str, ...]
    metric: Metric
    comparison: Comparison | None
    p_holm: float | None
    missing: tuple[Missing, ...] = ()
    looks_taken: tuple[int, ...] = ()
    next_step: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other effects: its factors and their levels."""
        return (self.factors, self.levels)

    @property
    def is_interaction(self) -> bool:
        """True for an interaction, False for a main effect."""
        return len(self.factors) > 1

    @property
    def name(self) -> str:
        """Such as ``dropout: on against off`` or ``dropout (on against off) x architecture (wide against deep)``."""
        if not self.is_interaction:
            low, high = self.levels[0]
            return f"{self.factors[0]}: {high} against {low}"
        pairs = zip(self.factors, self.levels, strict=True)
        return " x ".join(f"{factor} ({high} against {low})" for factor, (low, high) in pairs)


@dataclass(frozen=True, slots=True)
class EffectPattern:
    """An effect before there are data: its factors, their (low, high) levels, a weight for each cell of the design."""

    factors: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]
    weights: Mapping[tuple[str, ...], float]


def factorial_effects(
    factors: Sequence[Factor],
    cells: Mapping[tuple[str, ...], SeedScores],
    metric: Metric,
    *,
    order: int = 2,
    margin: float | None = None,
    level: float = 0.95,
    scope: str = "new data",
    family: int | None = None,
    schedule: Schedule | None = None,
    number: int = 1,
    weights: Sequence[float] | None = None,
    primary: Sequence[bool] | None = None,
    folds: FoldLayout | None = None,
) -> tuple[Effect, ...]:
    """Main effects and interactions of a full factorial study, judged together, paired by seed over all cells.

    Args:
        factors: the factors, in the order of the cells' keys.
        cells: scores of each combination of levels; the key has one level for each factor.
        metric: what is compared.
        order: largest number of factors in an interaction; 1 gives main effects only.
        margin: effects smaller than this count as equivalent to none; None means the metric's ``default_margin``.
        level: the level at which all intervals hold at once.
        scope: as in :func:`paribus.analysis.compare_family`.
        family: how many contrasts share the allowed error; None means these effects.
        schedule: as in :func:`paribus.analysis.compare_family`.
        number: as in :func:`paribus.analysis.compare_family`.
        weights: as in :func:`paribus.analysis.compare_family`, one for each effect in the order returned.
        primary: as in :func:`paribus.analysis.compare_family`, one for each effect in the order returned.
        folds: as in :func:`paribus.analysis.compare_family`.

    Returns:
        Main effects first, then interactions, each in the order of the factors and their levels.

    Raises:
        UsageError: a combination of levels has no cell or a cell no combination; bad scores, margin, level, scope
            or weights.
    """
    _check_cells(factors, cells)
    patterns = tuple(effect_patterns(factors, order))
    strictness = shared_strictness(len(patterns), level, family, schedule, number, weights, primary)
    keys = list(cells)
    aligned = align([cells[key] for key in keys])
    rows = dict(zip(keys, aligned.values, strict=True))
    comparisons = [
        compare_aligned(
            tuple((weight, rows[key]) for key, weight in pattern.weights.items()),
            metric,
            margin,
            strict,
            scope,
            folds=None if folds is None else folds.of_rows(aligned.seeds, aligned.values[0].shape[1]),
        )
        for pattern, strict in zip(patterns, strictness, strict=True)
    ]
    steps = stepped_down(comparisons, strictness)
    return tuple(
        Effect(
            factors=pattern.factors,
            levels=pattern.levels,
            averaged_over=tuple(factor.name for factor in factors if factor.name not in pattern.factors),
            metric=metric,
            comparison=comparison,
            p_holm=p_holm,
            missing=aligned.missing,
        )
        for pattern, comparison, p_holm in zip(patterns, comparisons, steps, strict=True)
    )


def _check_cells(factors: Sequence[Factor], cells: Mapping[tuple[str, ...], SeedScores]) -> None:
    combinations_of_levels = list(product(*(factor.levels for factor in factors)))
    missing = [key for key in combinations_of_levels if key not in cells]
    if missing:
        raise UsageError(f"no arm for {' / '.join(missing[0])}: a factorial study crosses all levels of all factors")
    foreign = [key for key in cells if key not in combinations_of_levels]
    if foreign:
        raise UsageError(f"cell {' / '.join(foreign[0])}: no such combination of the factors' levels")


def effect_patterns(factors: Sequence[Factor], order: int = 2) -> Iterator[EffectPattern]:
    """The effects of a full factorial design in the order in which :func:`factorial_effects` judges them.

    Args:
        factors: the factors, in the order of the cells' keys.
        order: the largest number of factors in an interaction.
    """
    for size in range(1, min(order, len(factors)) + 1):
        for indices in combinations(range(len(factors)), size):
            base = [factors[index].levels[0] for index in indices]
            for high in product(*(factors[index].levels[1:] for index in indices)):
                levels = tuple(zip(base, high, strict=True))
                weights = _weights(factors, indices, levels)
                yield EffectPattern(tuple(factors[index].name for index in indices), levels, weights)


def _weights(
    factors: Sequence[Factor], indices: tuple[int, ...], levels: tuple[tuple[str, str], ...]
) -> dict[tuple[str, ...], float]:
    """Weights of the cells: the product of +1 (high) and -1 (low) over these factors, averaged over the others."""
    others = prod(len(factor.levels) for index, factor in enumerate(factors) if index not in indices)
    weights = {}
    for key in product(*(factor.levels for factor in factors)):
        levels_of_cell = [key[index] for index in indices]
        if all(name in pair for name, pair in zip(levels_of_cell, levels, strict=True)):
            lows = sum(name == pair[0] for name, pair in zip(levels_of_cell, levels, strict=True))
            weights[key] = (-1.0) ** lows / others
    return weights
