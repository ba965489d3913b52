"""The argument ``seeds``: a count, or a list of seeds that follow each other (decision 0121)."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from paribus.errors import UsageError


def read_seeds(seeds: Any, first_seed: int = 0) -> tuple[int, int]:
    """The number of seeds and the first of them.

    Args:
        seeds: a count; or a list, such as ``[42, 43, 44]`` or ``range(10, 15)``.
        first_seed: the first seed where ``seeds`` is a count.

    Returns:
        The count and the first seed.

    Raises:
        UsageError: a list that is empty or has gaps, or that begins elsewhere than at ``first_seed``.
    """
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable):
        # A count, or what the rules of the document refuse.
        count: int = seeds  # type: ignore[assignment]
        return count, first_seed
    try:
        numbers = sorted(operator.index(seed) for seed in seeds)
    except TypeError as error:
        raise UsageError(f"seeds={seeds!r}: whole numbers are expected, such as [0, 1, 2], or a count") from error
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        first, count = (numbers[0], len(numbers)) if numbers else (0, 5)
        raise UsageError(
            f"seeds={seeds!r}: the seeds of a study follow each other; no seed is better than another, so take "
            f"{list(range(first, first + min(count, 3)))}{' and so on' if count > 3 else ''}, or a count"
        )
    if first_seed not in (0, numbers[0]):
        raise UsageError(f"first_seed={first_seed} and seeds={seeds!r}: these begin at {numbers[0]}; leave it out")
    return len(numbers), numbers[0]
