"""Signs of the seeds' differences: the exact sign-flip test, and how often A beats B."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from paribus.analysis.comparison import SignFlip, Superiority

MOST_SEEDS = 20
"""Seeds up to which all 2^n sign patterns are enumerated; beyond, the t test needs no check."""


def sign_flip(differences: NDArray[np.float64]) -> SignFlip | None:
    """Exact two-sided sign-flip test that the differences are symmetric about zero.

    Args:
        differences: one a seed, shape ``(seeds,)``.

    Returns:
        The test; None with one seed or more than ``MOST_SEEDS``.
    """
    count = len(differences)
    if not 2 <= count <= MOST_SEEDS:
        return None
    sums = np.zeros(1)
    # The first sign stays: flipping all signs at once leaves the size of the sum alone.
    for value in differences[1:]:
        sums = np.concatenate((sums + value, sums - value))
    sums += differences[0]
    observed = abs(float(differences.sum()))
    # Sums that are equal on paper differ in their last bits: count them as equal.
    tolerance = 1e-10 * float(np.abs(differences).sum())
    share = float(np.mean(np.abs(sums) >= observed - tolerance))
    return SignFlip(p_value=share, smallest=2.0 ** (1 - count))


def superiority(differences: NDArray[np.float64], level: float) -> Superiority:
    """Estimate P(A beats B on a fresh seed) from the seeds' differences, positive where A is better.

    The limits are those of Clopper and Pearson (1934). Ties count against A in the lower one, for A in the upper one.

    Args:
        differences: A - B of each seed, shape ``(seeds,)``.
        level: level of the interval.

    Returns:
        The probability with its limits and the counts.
    """
    count = len(differences)
    wins, losses = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    ties = count - wins - losses
    low = high = None
    if count > 1:
        alpha = 1 - level
        low = float(special.betaincinv(wins, count - wins + 1, alpha / 2)) if wins else 0.0
        high = float(special.betainccinv(wins + ties + 1, losses, alpha / 2)) if losses else 1.0
    return Superiority((wins + ties / 2) / count, low, high, wins, ties, losses)
