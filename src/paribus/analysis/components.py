"""Variance components of paired differences: between seeds, between examples, and the rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Components:
    """Two-way analysis of variance of the differences D[s, i] of seed s on example i.

    The model is D[s, i] = mean + seed_s + example_i + rest_si, all terms independent. The estimates come from the
    expected mean squares, E(ms_seed) = examples * var_seed + var_rest, E(ms_example) = seeds * var_example + var_rest,
    E(ms_rest) = var_rest; they are unbiased, so those of seeds and examples **may be negative**: read that as zero
    (``negative`` names them). With one value per seed (no examples) only ``ms_seed`` exists: there ``var_seed`` is the
    plain variance over seeds and the example and rest parts are zero.

    Attributes:
        seeds: number of seeds, S.
        examples: number of examples, N.
        ms_seed: mean square between seeds, S - 1 degrees of freedom.
        ms_example: mean square between examples, N - 1 degrees of freedom.
        ms_rest: mean square of what is left (seed by example), (S - 1)(N - 1) degrees of freedom.
        floored: True where the scores showed no spread at all and the interval rests on their resolution instead.
    """

    seeds: int
    examples: int
    ms_seed: float
    ms_example: float
    ms_rest: float
    floored: bool = False

    @property
    def var_seed(self) -> float:
        """Variance between seeds that would be left on an endless test set; may be negative."""
        return (self.ms_seed - self.ms_rest) / self.examples

    @property
    def var_example(self) -> float:
        """Variance between examples that all seeds share; may be negative."""
        return (self.ms_example - self.ms_rest) / self.seeds

    @property
    def var_rest(self) -> float:
        """Variance of seed by example, measurement included."""
        return self.ms_rest

    @property
    def negative(self) -> tuple[str, ...]:
        """Names of the components whose unbiased estimate is negative and therefore reads zero."""
        named = (("seed", self.var_seed), ("example", self.var_example))
        return tuple(name for name, value in named if value < 0)

    @property
    def parts(self) -> tuple[float, float, float]:
        """The parts of the variance of the mean difference: seeds, examples, rest; negative estimates read zero."""
        seed = max(self.var_seed, 0.0) / self.seeds
        example = max(self.var_example, 0.0) / self.examples
        return seed, example, self.var_rest / (self.seeds * self.examples)
