"""What is simulated: sizes, and how the variance of the mean difference splits into its components."""

from __future__ import annotations

from dataclasses import dataclass

SEEDS = (3, 5, 10, 30)
EXAMPLES = (200, 2_000, 10_000)


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the variance of the mean difference, which is set to 1.

    Attributes:
        name: as printed.
        seed: var_seed / S.
        example: var_example / N.
        rest: var_rest / (S N).
    """

    name: str
    seed: float
    example: float
    rest: float

    @property
    def has_zero(self) -> bool:
        """Whether a component is truly zero."""
        return min(self.seed, self.example, self.rest) == 0


MIXES = (
    Mix("seeds only", 1, 0, 0),
    Mix("examples only", 0, 1, 0),
    Mix("rest only", 0, 0, 1),
    Mix("no rest", 0.5, 0.5, 0),
    Mix("no examples", 0.5, 0, 0.5),
    Mix("no seeds", 0, 0.5, 0.5),
    Mix("no seeds, little rest", 0, 0.95, 0.05),
    Mix("no examples, little seed", 0.05, 0, 0.95),
    Mix("seeds dominate", 0.9, 0.05, 0.05),
    Mix("examples dominate", 0.05, 0.9, 0.05),
    Mix("rest dominates", 0.05, 0.05, 0.9),
    Mix("rest nearly all", 0.01, 0.01, 0.98),
    Mix("all alike", 1 / 3, 1 / 3, 1 / 3),
    Mix("seeds as examples", 0.47, 0.48, 0.05),
    Mix("two thirds examples", 0.25, 0.65, 0.1),
    Mix("two thirds seeds", 0.7, 0.2, 0.1),
    Mix("examples and rest", 0.1, 0.5, 0.4),
)
