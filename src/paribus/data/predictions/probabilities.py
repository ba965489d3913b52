"""Rows of class probabilities, checked and reduced to what is judged: the predicted class and two probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.errors import DataError

TOLERANCE = 1e-3
"""How far the sum of a row may be from 1: probabilities are often written with a few digits, or as float16."""


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """What is left of rows of probabilities, shape ``(rows,)`` each.

    Attributes:
        predicted: the index of the class with the largest probability, the first of equals.
        confidence: that probability.
        true_probability: the probability of the right class.
        ties: the number of rows in which two classes share the largest probability.
    """

    predicted: NDArray[np.int32]
    confidence: NDArray[np.float64]
    true_probability: NDArray[np.float64]
    ties: int


def reduce_probabilities(
    columns: Sequence[NDArray[np.float64]],
    labels: NDArray[np.int32],
    names: Sequence[str],
    place: Callable[[int], str],
) -> Reduced:
    """Check rows of probabilities and reduce them.

    Args:
        columns: the probabilities of each class, shape ``(rows,)`` each.
        labels: the index of the right class in each row.
        names: the name of each column, for errors.
        place: where a row is, in words.

    Returns:
        The answers and two probabilities of each row.

    Raises:
        DataError: a probability is nan or negative, or a row does not sum to 1; the message names the row.
    """
    matrix = np.stack(columns, axis=1)
    # Written so that nan counts as bad.
    bad = ~((matrix >= 0) & (matrix < np.inf))
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        raise DataError(
            f"{place(row)}, column {names[column]!r}: {matrix[row, column]} is not a probability; probabilities are 0 "
            "or more, and those of a row sum to 1. Of a run that diverged write the predicted classes alone, in a "
            "column 'prediction'"
        )
    sums = matrix.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1) > TOLERANCE)
    if off.size:
        row = int(off[0])
        raise DataError(
            f"{place(row)}: the probabilities sum to {sums[row]:.6g}; expected 1, up to {TOLERANCE:g}. Logits become "
            "probabilities with scipy.special.softmax(logits, axis=1); rounded ones need more digits"
        )
    predicted = matrix.argmax(axis=1).astype(np.int32)
    rows = np.arange(len(matrix))
    confidence = matrix[rows, predicted]
    ties = int(np.count_nonzero((matrix == confidence[:, None]).sum(axis=1) > 1))
    return Reduced(predicted, confidence, matrix[rows, labels], ties)


def check_probability(values: NDArray[np.float64], name: str, place: Callable[[int], str]) -> None:
    """Check a column that holds one probability a row.

    Args:
        values: the column, float64, shape ``(rows,)``.
        name: its name, for errors.
        place: where a row is, in words.

    Raises:
        DataError: a value is nan or outside [0, 1]; the message names the row.
    """
    bad = np.flatnonzero(~((values >= 0) & (values <= 1 + TOLERANCE)))
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"{place(row)}, column {name!r}: {values[row]} is not a probability; expected a number from 0 to 1. For a "
            f"run that diverged, leave the column {name!r} out"
        )
