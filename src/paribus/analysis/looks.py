"""Planned looks at a growing study: how much of the allowed error each look may spend.

Lan and DeMets (1983) with O'Brien-Fleming-like spending: after the share t of the planned seeds each side has spent
2 - 2 Phi(z / sqrt t), z the upper alpha / 4 point, of its half of the error. The nominal level of each look solves the
recursion of Armitage, McPherson and Rowe (1969) for correlated normal statistics; each look then uses the t quantile of
its nominal level. t statistics of few seeds hang together less than normal ones, which would inflate the error by up to
18 %; the recursion therefore uses a smaller correlation (``docs/decisions/0012-planned-looks.md``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy  # imports `optimize` where it is first used: a third of a second
from numpy.typing import NDArray
from scipy import special

from paribus.analysis.comparison import Look
from paribus.analysis.critical import SMALLEST_P
from paribus.errors import UsageError

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_LARGEST_ALPHA = 0.999


@dataclass(frozen=True, slots=True)
class Schedule:
    """The planned looks of a study: seeds per arm at each of them, growing. Seeds are taken in index order.

    Raises:
        UsageError: fewer than two seeds at the first look, or seeds that do not grow.
    """

    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.seeds:
            raise UsageError("looks []: at least one look must be planned, such as (5, 10, 20)")
        if self.seeds[0] < 2:
            raise UsageError(f"looks {list(self.seeds)}: the first look needs at least 2 seeds, as one cannot decide")
        if any(later <= earlier for earlier, later in zip(self.seeds, self.seeds[1:], strict=False)):
            raise UsageError(f"looks {list(self.seeds)}: each look must have more seeds than the one before")

    def look(self, number: int, level: float = 0.95, contrasts: float = 1) -> Look:
        """Look ``number`` (from 1) with its nominal levels for a contrast that may spend its share of the error.

        Args:
            number: which look.
            level: level of all intervals of the study at once.
            contrasts: the size of a family that shares evenly, or one over the contrast's own share of the error.

        Raises:
            UsageError: no such look.
        """
        if not 1 <= number <= len(self.seeds):
            raise UsageError(f"look {number}: this study plans looks 1 to {len(self.seeds)}")
        alpha = (1 - level) / contrasts
        return Look(
            number=number,
            planned=len(self.seeds),
            seeds=self.seeds[number - 1],
            seeds_planned=self.seeds[-1],
            alpha=self.nominal(alpha)[number - 1],
            alpha_equivalence=self.nominal(min(2 * alpha, _LARGEST_ALPHA))[number - 1] / 2,
        )

    def nominal(self, alpha: float) -> tuple[float, ...]:
        """The two-sided nominal level of each look, so that all looks together err with probability ``alpha``.

        Args:
            alpha: the error of all looks together, in (0, 1).
        """
        return _nominal(self.seeds, alpha)

    def repeated_p(self, p_value: float, number: int) -> float:
        """The smallest total error with which a look would still reject: the repeated p (Jennison and Turnbull 1989).

        Comparing it with the total error is the same as comparing ``p_value`` with the look's nominal level.

        Args:
            p_value: the two-sided p at this look alone.
            number: which look, from 1.
        """

        def excess(log_alpha: float) -> float:
            return math.log(self.nominal(math.exp(log_alpha))[number - 1] / p_value)

        low, high = math.log(SMALLEST_P), math.log(_LARGEST_ALPHA)
        if excess(high) <= 0:
            return 1.0
        if excess(low) >= 0:
            return SMALLEST_P
        return math.exp(float(scipy.optimize.brentq(excess, low, high, xtol=1e-12)))


def plan_looks(max_seeds: int, looks: int = 4, first: int = 3) -> Schedule:
    """A schedule of about evenly spaced looks. ``max_seeds`` of 30 gives looks at 8, 15, 23 and 30 seeds.

    Args:
        max_seeds: the number of seeds of the last look.
        looks: how many looks; with few seeds there are fewer.
        first: the smallest number of seeds of the first look.

    Raises:
        UsageError: ``max_seeds`` below 2 or ``looks`` below 1.
    """
    if max_seeds < 2:
        raise UsageError(f"max_seeds {max_seeds}: at least 2 seeds are needed to decide anything")
    if looks < 1:
        raise UsageError(f"looks {looks}: at least one look must be planned")
    lowest = max(2, min(first, max_seeds))
    counts = {max(lowest, math.ceil(max_seeds * number / looks)) for number in range(1, looks + 1)}
    return Schedule(tuple(sorted(counts)))


def _spent(share: float, alpha: float) -> float:
    """O'Brien-Fleming-like spending: the error of both sides spent after a share of the planned seeds."""
    return float(4 * special.ndtr(special.ndtri(alpha / 4) / math.sqrt(share)))


def _correlation_squared(earlier: int, later: int, z: float) -> float:
    """Squared correlation of the statistics at two successive looks, lowered for the t statistics of few seeds."""
    return max(0.0, earlier / later - 1.25 * z * z * (1 / (earlier - 1) - 1 / (later - 1)))


@lru_cache(maxsize=1024)
def _nominal(seeds: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    z = -float(special.ndtri(alpha / 2))
    levels: list[float] = []
    spent = 0.0
    # The density, at `points` with quadrature weights `mass`, of a study that has not stopped yet.
    points, mass = np.zeros(1), np.ones(1)
    for index, count in enumerate(seeds):
        target = _spent(count / seeds[-1], alpha)
        increment = max(target - spent, 0.0)
        spent = target
        squared = _correlation_squared(seeds[index - 1], count, z) if index else 0.0
        drift, scale = math.sqrt(squared) * points, math.sqrt(1 - squared)

        bound = _bound(drift, scale, mass, increment)
        levels.append(max(float(2 * special.ndtr(-bound)), SMALLEST_P))
        inner = bound * _NODES
        density = np.exp(-0.5 * ((inner[:, None] - drift) / scale) ** 2) / (scale * math.sqrt(2 * math.pi))
        points, mass = inner, bound * _WEIGHTS * (density @ mass)
    return tuple(levels)


def _bound(drift: Floats, scale: float, mass: Floats, increment: float) -> float:
    """The bound that a study which has not stopped yet crosses at this look with probability ``increment``."""

    def excess(bound: float) -> float:
        outside = special.ndtr((drift - bound) / scale) + special.ndtr((-drift - bound) / scale)
        return float(mass @ outside) - increment

    # Beyond 37 the normal tail is 1e-299: a look that may spend less than that never stops the study.
    return 37.0 if excess(37.0) >= 0 else float(scipy.optimize.brentq(excess, 0.0, 37.0, xtol=1e-13))
