"""Shares of the allowed error: what each statement of a study may spend of the error 1 - level of the whole study.

The shares of all statements of a study sum to 1, so that by the union bound (Bonferroni) the chance of any false
statement is at most 1 - level, however the statements depend on each other. Primary statements divide a larger share
among them (``docs/decisions/0050-shares-of-the-error.md``; Bretz, Maurer, Brannath and Posch 2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from paribus.errors import UsageError

PRIMARY_SHARE = 0.8
"""What the primary statements of a study divide among them unless the study says otherwise."""

_ROUNDING = 1e-9


def error_shares(primary: Sequence[bool], share: float = PRIMARY_SHARE) -> tuple[float, ...]:
    """The share of the allowed error that each statement of a study gets; the shares sum to 1.

    With P primary and Q other statements a primary one gets share / P and any other (1 - share) / Q. Where P or Q is 0,
    all get 1 / (P + Q).

    Args:
        primary: for every statement of the whole study, whether it is primary. One that has no scores yet is counted
            too: to give its share away would depend on the data.
        share: what the primary statements divide among them, in (0, 1).

    Returns:
        One share for each statement, in their order.

    Raises:
        UsageError: no statement, or a share outside (0, 1).
    """
    if not primary:
        raise UsageError("no statements: shares of the error are divided among at least one")
    if not 0 < share < 1:
        raise UsageError(f"primary share {share!r}: it lies between 0 and 1, such as {PRIMARY_SHARE}")
    first = sum(primary)
    others = len(primary) - first
    if not first or not others:
        return (1 / len(primary),) * len(primary)
    return tuple(share / first if item else (1 - share) / others for item in primary)


def divisor_of(share: float) -> float:
    """What a share divides the error by: 1 / share, and exactly m where the share is 1 / m in floating point.

    So a study whose shares are equal has the numbers of one without shares, bit for bit.
    """
    divisor = 1 / share
    whole = float(round(divisor))
    return whole if 1 / whole == share else divisor


def checked_weights(weights: Sequence[float], count: int) -> tuple[float, ...]:
    """The weights of ``count`` statements, which may leave a part of the error to statements judged elsewhere.

    Args:
        weights: the shares.
        count: the number of statements.

    Raises:
        UsageError: another number of weights than statements, a weight outside (0, 1], or a sum above 1.
    """
    if len(weights) != count:
        raise UsageError(f"{len(weights)} weights for {count} statements: each statement has one share of the error")
    for weight in weights:
        if not 0 < weight <= 1:
            raise UsageError(f"weight {weight!r}: a share of the error lies above 0 and is at most 1")
    if math.fsum(weights) > 1 + _ROUNDING:
        raise UsageError(f"weights sum to {math.fsum(weights):.6g}: the shares of the error sum to 1 at most")
    return tuple(float(weight) for weight in weights)


def holm(p_values: Sequence[float], family: int | None = None) -> tuple[float, ...]:
    """Step-down adjusted p values by Holm (1979), in the same order.

    Args:
        p_values: one p for each hypothesis.
        family: the number of all hypotheses of the family, also of those that are not listed; None for these.

    Returns:
        Adjusted p values.
    """
    size = family or len(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (size - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def weighted_holm(p_values: Sequence[float], weights: Sequence[float]) -> tuple[float, ...]:
    """Step-down adjusted p values with weights (Benjamini and Hochberg 1997, procedure 1), in the same order.

    Hypotheses are tried in the order of p / weight; each is judged with its part of the weights that are left. With
    equal weights this is Holm's procedure.

    Args:
        p_values: one p for each hypothesis.
        weights: their shares of the error; what they lack to 1 belongs to hypotheses not listed.

    Returns:
        Adjusted p values.

    Raises:
        UsageError: as :func:`checked_weights`.
    """
    shares = checked_weights(weights, len(p_values))
    order = sorted(range(len(p_values)), key=lambda index: p_values[index] / shares[index])
    adjusted = [1.0] * len(p_values)
    largest, spent = 0.0, 0.0
    for index in order:
        # 1 - spent can fall below the last weight by rounding; no hypothesis is judged with less than its share.
        left = max(1.0 - spent, shares[index])
        largest = max(largest, min(1.0, left * p_values[index] / shares[index]))
        adjusted[index] = largest
        spent += shares[index]
    return tuple(adjusted)
