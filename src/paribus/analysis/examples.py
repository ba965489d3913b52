"""Which examples decide: always wrong, wrong for some seeds, flipped between two arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Difficulty:
    """One arm's examples by how many seeds get them wrong.

    Attributes:
        wrong: seeds that answer wrongly, for each example, shape ``(examples,)``.
        seeds: number of seeds.
        always_wrong: indices of the examples that every seed gets wrong, in order.
        sometimes_wrong: indices of those that some seeds but not all get wrong, most often wrong first.
    """

    wrong: NDArray[np.int64]
    seeds: int
    always_wrong: NDArray[np.int64]
    sometimes_wrong: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Flips:
    """Examples that tell two arms apart, over their common seeds.

    Attributes:
        balance: for each example, share of seeds where A is right minus share where B is, shape ``(examples,)``; its
            mean is the difference in accuracy.
        to_a: indices where A is right more often, largest balance first.
        to_b: indices where B is right more often, largest balance first.
        seeds: number of common seeds.
    """

    balance: NDArray[np.float64]
    to_a: NDArray[np.int64]
    to_b: NDArray[np.int64]
    seeds: int


def difficulty(right: ArrayLike) -> Difficulty:
    """Sort an arm's examples by how many seeds get them wrong.

    Args:
        right: whether each answer is right, shape ``(seeds, examples)``.

    Returns:
        The examples by how often they are answered wrongly.

    Raises:
        UsageError: another shape, or no run.
    """
    correct = _checked(right, "right")
    seeds = len(correct)
    wrong = seeds - np.count_nonzero(correct, axis=0).astype(np.int64)
    some = np.flatnonzero((wrong > 0) & (wrong < seeds))
    return Difficulty(
        wrong=wrong,
        seeds=seeds,
        always_wrong=np.flatnonzero(wrong == seeds),
        sometimes_wrong=some[np.argsort(-wrong[some], kind="stable")],
    )


def flips(right_a: ArrayLike, right_b: ArrayLike) -> Flips:
    """Find the examples that tell two arms apart.

    Args:
        right_a: whether each answer of A is right, shape ``(seeds, examples)``.
        right_b: the same for B, rows paired by seed (see :func:`paribus.analysis.align`).

    Returns:
        The examples for A and for B.

    Raises:
        UsageError: the shapes differ or are not two-dimensional, or there is no run.
    """
    first, second = _checked(right_a, "right_a"), _checked(right_b, "right_b")
    if first.shape != second.shape:
        raise UsageError(f"right_a has shape {first.shape} and right_b {second.shape}: pair the rows by seed first")
    seeds = len(first)
    gained = np.count_nonzero(first, axis=0).astype(np.int64) - np.count_nonzero(second, axis=0)
    ahead, behind = np.flatnonzero(gained > 0), np.flatnonzero(gained < 0)
    return Flips(
        balance=gained / seeds,
        to_a=ahead[np.argsort(-gained[ahead], kind="stable")],
        to_b=behind[np.argsort(gained[behind], kind="stable")],
        seeds=seeds,
    )


def usual_wrong_answer(predicted: ArrayLike, labels: ArrayLike, classes: int) -> NDArray[np.int64]:
    """The wrong class that most seeds answered for each example (the lowest of several); -1 where none was wrong.

    Args:
        predicted: answered classes, shape ``(seeds, examples)``.
        labels: true classes, shape ``(examples,)``.
        classes: number of classes.

    Returns:
        Classes, shape ``(examples,)``.

    Raises:
        UsageError: shapes that do not fit each other.
    """
    answered, true = np.asarray(predicted), np.asarray(labels)
    if answered.ndim != 2 or true.shape != answered.shape[1:]:
        raise UsageError(
            f"predicted has shape {answered.shape} and labels {true.shape}: they need (seeds, examples) and (examples,)"
        )
    votes = np.zeros((len(true), classes), dtype=np.int64)
    everyone = np.arange(len(true))
    for row in answered:
        votes[everyone, row] += 1
    votes[everyone, true] = 0
    return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)


def _checked(right: ArrayLike, name: str) -> NDArray[np.generic]:
    array = np.asarray(right)
    if array.ndim != 2 or not array.size:
        raise UsageError(f"{name} has shape {array.shape}: it needs shape (seeds, examples)")
    if array.dtype != np.bool_ and not ((array == 0) | (array == 1)).all():
        raise UsageError(f"{name} holds other values than 0 and 1: pass whether each answer is right")
    return array
