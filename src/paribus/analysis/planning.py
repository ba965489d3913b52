"""Planning: what so many seeds can detect, and how many seeds a wanted difference needs."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.analysis.comparison import Scope


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true difference that so many seeds find with the plan's power.

    Attributes:
        seeds: seeds per arm.
        difference: in the units of the scores; positive.
        example_share: share of the variance of the difference that only more test examples could remove.
    """

    seeds: int
    difference: float
    example_share: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How many seeds a wanted difference needs, from the variance components of stored runs.

    Attributes:
        detect: the wanted difference, in the units of the scores; positive.
        power: chance to find it, such as 0.8.
        level: level of the interval that decides.
        scope: what the claim will be about.
        seeds: seeds per arm that are needed; None where no number of seeds is enough.
        seeds_cautious: the same if the seeds' variance is at its upper 80 % limit, as few stored seeds leave it very
            uncertain; None where no number of seeds is enough.
        floor: the smallest difference that any number of seeds can detect on a test set of this size (0 in scope
            "this test set").
        examples_needed: smallest size of a test set on which enough seeds find the wanted difference; None where the
            present size is enough.
        table: what 3, 5, 10, 20, 30, 50 and 100 seeds can detect, and the stored number.
        pilot_seeds: seeds that the components were estimated from.
        examples: size of the test set.
        statement: all of this in plain sentences.
    """

    detect: float
    power: float
    level: float
    scope: Scope
    seeds: int | None
    seeds_cautious: int | None
    floor: float
    examples_needed: int | None
    table: tuple[Detectable, ...]
    pilot_seeds: int
    examples: int
    statement: str
