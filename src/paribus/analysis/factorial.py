"""Factorial studies: main effects and interactions as contrasts of cell means, per seed."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.analysis.comparison import Comparison
from paribus.analysis.metrics import Metric
from paribus.analysis.pairing import Missing


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
        metric: what is compared.
        comparison: the effect (as ``difference``), its interval and verdict, holding for all effects at once.
        p_holm: Holm's step-down p of the same family, shown beside. None with one seed.
        missing: seeds left out because some cell has no score for them.
    """

    factors: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]
    metric: Metric
    comparison: Comparison
    p_holm: float | None
    missing: tuple[Missing, ...] = ()

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
