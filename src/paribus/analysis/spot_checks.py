"""How much a spot check says: the chance of having missed false runs."""

from __future__ import annotations

import math


def chance_of_missing(runs: int, checked: int, false: int) -> float:
    """The chance that none of the checked runs is false, where so many of all are; the runs were drawn at random.

    It is hypergeometric: C(runs - false, checked) / C(runs, checked), the chance that a sample without replacement
    holds none of the false ones (Feller, An Introduction to Probability Theory and Its Applications I, II.6).

    Args:
        runs: how many runs there are.
        checked: how many of them were checked, 0 to ``runs``.
        false: how many of them are false, 0 to ``runs``.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> from paribus.analysis.spot_checks import chance_of_missing
        >>> chance_of_missing(runs=15, checked=3, false=1)
        0.8
    """
    if not (0 <= checked <= runs and 0 <= false <= runs):
        raise ValueError(f"{checked} checked and {false} false of {runs} runs: both lie between 0 and {runs}")
    return math.comb(runs - false, checked) / math.comb(runs, checked)


def smallest_noticed(runs: int, checked: int, chance: float = 0.05) -> int | None:
    """The smallest number of false runs that are missed with at most this chance; None where all could be missed.

    Args:
        runs: how many runs there are.
        checked: how many of them were checked.
        chance: the largest chance, in (0, 1).

    Returns:
        A number from 1 to ``runs``, or None.
    """
    return next((k for k in range(1, runs + 1) if chance_of_missing(runs, checked, k) <= chance), None)
