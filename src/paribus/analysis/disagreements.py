"""How far a mean of 0/1 score differences may lie from the truth when few examples tell the arms apart.

On N test examples two arms that mostly answer alike differ on a few. Which few is a matter of the sample: their number
is about a Poisson variable, and its square root is a poor and one-sided guide to its spread where it is below thirty or
so. The examples' part of an interval therefore never falls below limits made for sums of rare events
(``docs/decisions/0051-few-disagreeing-examples.md``):

- the examples that speak for the one arm and for the other are two independent sums of rare events;
- the lower limit of such a sum is Fay and Feuer's (1997), a gamma quantile with the sum's mean and variance;
- the upper one is the quantile of a shifted gamma variable that has the mean, variance and third moment of the sum and
  of one further example, which has not been positive yet, with the largest possible difference;
- limits of the difference follow by Zou and Donner's (2008) square-and-add rule.

Where every example differs by 0 or 1 in all seeds these are the exact limits of Garwood (1936), and with no example at
all the rule of three. Simulations over 0.3 to 30 differing examples: ``python -m paribus.analysis.simulate few``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special

from paribus.analysis.groups import Groups

Floats = float | NDArray[np.float64]


class Side(StrEnum):
    """Which end of an interval: the lower and the upper one differ where few examples disagree."""

    LOWER = "lower"
    UPPER = "upper"


@dataclass(frozen=True, slots=True)
class RareSum:
    """A sum over the few examples that speak for one arm; arrays are handled element by element.

    Attributes:
        total: sum of the examples' mean differences over the seeds, each without its sign.
        squares: sum of their squares, without what the seeds' noise adds; >= 0.
        cubes: sum of their third powers.
    """

    total: Floats
    squares: Floats
    cubes: Floats

    def below(self, alpha: float) -> Floats:
        """How far the expected sum may lie below this one: one-sided error alpha / 2 (Fay and Feuer 1997).

        Args:
            alpha: two-sided error.
        """
        positive = (np.asarray(self.total) > 0) & (np.asarray(self.squares) > 0)
        total, squares = np.where(positive, self.total, 1.0), np.where(positive, self.squares, 1.0)
        lower = squares / total * special.gammaincinv(total**2 / squares, alpha / 2)
        return np.asarray(np.where(positive, total - lower, 0.0))

    def above(self, alpha: float, largest: float) -> Floats:
        """How far the expected sum may lie above this one: one-sided error alpha / 2.

        Args:
            alpha: two-sided error.
            largest: the largest difference that one further example can make.
        """
        squares = np.asarray(self.squares) + largest**2
        cubes = np.minimum(np.asarray(self.cubes), largest * np.asarray(self.squares)) + largest**3
        scale = cubes / squares
        shape = squares / scale**2
        return np.asarray(largest + scale * (special.gammainccinv(shape, alpha / 2) - shape))


@dataclass(frozen=True, slots=True)
class Disagreements:
    """The examples that tell the arms apart, as sums for and against the first one.

    Attributes:
        gained: examples whose mean difference is positive.
        lost: examples whose mean difference is negative.
        largest: the largest difference that one further example (or a group of the typical size) can make, such as 1.
        examples: size of the test set, N.
        shrink: factor from a Poisson to a binomial spread, in [sqrt(0.5), 1]; 1 where few examples differ.
        differing: number of examples on which any seed's answers differ.
    """

    gained: RareSum
    lost: RareSum
    largest: float
    examples: int
    shrink: Floats = 1.0
    differing: int = 0

    def reach(self, side: Side, alpha: float) -> Floats:
        """How far the mean over endless examples may lie from this one on that side, with error alpha / 2.

        Never less than the rule of three says of what was not positive once: log(2 / alpha) examples.

        Args:
            side: which end of the interval.
            alpha: two-sided error.

        Returns:
            The distance in units of the scores.
        """
        toward, away = (self.gained, self.lost) if side is Side.LOWER else (self.lost, self.gained)
        distance = np.hypot(toward.below(alpha), away.above(alpha, self.largest))
        return np.asarray(
            np.maximum(self.shrink * distance, self.largest * np.log(2 / alpha)) / self.examples, dtype=np.float64
        )


def sum_disagreements(
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    seeds: int,
    weights: Sequence[float],
    *,
    differing: int | None = None,
    groups: Groups | None = None,
) -> Disagreements:
    """Sum the differences of weighted 0/1 scores by example, or by group of examples.

    Args:
        sums: for each example (or group) the sum of its differences over the seeds, shape ``(examples,)``.
        squares: for each of them the sum over the seeds of their squares.
        seeds: number of seeds. With one, the seeds' noise is unknown and none is taken away.
        weights: the weights of the arms.
        differing: the number of examples on which any seed's answers differ, where sums are by group.
        groups: the groups that examples belong to; None where they are independent.

    Returns:
        The sums for and against the first arm.
    """
    sizes = np.ones(len(sums)) if groups is None else groups.sizes
    examples = int(sizes.sum())
    means = sums / seeds
    # Each example's own variance over the seeds, over the seeds: what its squared mean holds of their noise.
    noise = np.maximum(squares - seeds * means**2, 0.0) / (seeds * max(seeds - 1, 1))
    largest = max(sum(w for w in weights if w > 0), -sum(w for w in weights if w < 0))
    step = min(abs(weight) for weight in weights)
    # Where most examples differ alike (a broken arm), the rare ones are those that do not.
    usual = step * round(float(means.sum()) / examples / step)
    apart = means - usual * sizes
    gained, lost = (_rare(apart, noise, apart > 0), _rare(-apart, noise, apart < 0))
    raw = float(apart @ apart)
    share = len(means) * float(apart.mean()) ** 2 / raw if raw else 0.0
    return Disagreements(
        gained=gained,
        lost=lost,
        largest=largest if groups is None else _largest_of_group(0 * apart if usual else apart, groups, largest),
        examples=examples,
        shrink=float(np.sqrt(1 - min(share, 0.5))),
        differing=int(np.count_nonzero((sums != 0) | (squares != 0))) if differing is None else differing,
    )


def _largest_of_group(apart: NDArray[np.float64], groups: Groups, largest: float) -> float:
    """The difference that one further group can make: a group of the typical size that differs as the seen ones do.

    Groups differ on a share of their examples; where none is seen to differ, one may differ on all of them. So may one
    where most examples differ alike, and what is rare is that they do not.
    """
    sizes = np.abs(apart) @ groups.sizes
    share = float(apart @ apart) / float(sizes) / largest if sizes > 0 else 1.0
    return largest * max(share * groups.typical_size, 1.0)


def _rare(apart: NDArray[np.float64], noise: NDArray[np.float64], which: NDArray[np.bool_]) -> RareSum:
    values = apart[which]
    squares = max(float(values @ values - noise[which].sum()), 0.0)
    return RareSum(float(values.sum()), squares, float(np.sum(values**3)))
