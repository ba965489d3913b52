"""The split of data that comes without a test split: stratified, and always the same.

It does not use NumPy's generators, whose streams may change between versions, but SplitMix64, which is eight
lines of integer arithmetic (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.errors import DataError

SALT = 0x7061726962757300
DEFAULT_TEST_FRACTION = 0.25


def mixed_order(count: int, number: int = 0) -> NDArray[np.intp]:
    """A fixed shuffling of ``0 .. count - 1``, ordered by the SplitMix64 value of each index.

    Args:
        count: how many positions.
        number: which of the fixed shufflings; they have nothing to do with each other.
    """
    with np.errstate(over="ignore"):
        # The stream of another number starts elsewhere on SplitMix64's own sequence: 2 ** 32 positions further on.
        salt = np.uint64(SALT) + (np.uint64(number) << np.uint64(32)) * np.uint64(0x9E3779B97F4A7C15)
        z = salt + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return np.argsort(z, kind="stable")


def trained_on(examples: int, validation_split: float) -> int:
    """How many of the training examples are trained on: the first ones; the rest validates, as Keras divides them.

    Args:
        examples: how many there are.
        validation_split: the share that validates.
    """
    return math.floor(examples * (1.0 - validation_split))


def stratified(
    labels: NDArray[np.integer[Any]], fraction: float, source: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split examples into training and test, each class in proportion.

    The test split has ``ceil(fraction * n)`` examples, shared among the classes by largest remainder; every class
    keeps at least one training example. Both parts come in a mixed order, so that a validation split taken from
    the end of the training part has all classes too.

    Args:
        labels: class indices, shape ``(n,)``.
        fraction: the share of the test split, in (0, 1).
        source: what errors call the data.

    Returns:
        Positions of the training examples and of the test examples.

    Raises:
        DataError: too few examples to split.
    """
    count = len(labels)
    # The tiny subtraction keeps 0.1 * 70 = 7.000000000000001 from asking for 8.
    in_test = in_proportion(labels, max(1, math.ceil(fraction * count - 1e-9)))
    if not in_test.any():
        raise DataError(
            f"{source}: {count} examples of {len(np.unique(labels))} classes are too few to split off a test split of "
            f"{fraction:g}; expected at least one class with two examples"
        )
    order = mixed_order(count)
    for_testing = in_test[order]
    return order[~for_testing], order[for_testing]


def in_proportion(labels: NDArray[np.integer[Any]], size: int) -> NDArray[np.bool_]:
    """Mark ``size`` examples, each class in proportion by largest remainder; of every class one stays unmarked.

    Which examples of a class are marked does not depend on their order by anything: they are the first ones of
    :func:`mixed_order`.

    Args:
        labels: class indices, shape ``(n,)``.
        size: how many examples are to be marked, at most ``n``.

    Returns:
        Whether each example is marked, shape ``(n,)``.
    """
    count = len(labels)
    classes, sizes = np.unique(labels, return_counts=True)
    quotas = [int(members) * size // count for members in sizes]
    by_remainder = sorted(range(len(classes)), key=lambda c: (-(int(sizes[c]) * size % count), c))
    for c in by_remainder[: size - sum(quotas)]:
        quotas[c] += 1
    quotas = [min(quota, int(members) - 1) for quota, members in zip(quotas, sizes, strict=True)]
    order = mixed_order(count)
    by_class = order[np.argsort(labels[order], kind="stable")]
    place_in_class = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    marked = np.zeros(count, bool)
    marked[by_class[place_in_class < np.repeat(quotas, sizes)]] = True
    return marked
