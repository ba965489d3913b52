"""Scores that are 0 or 1 for each answer, or a run's own number minus that: as answers they are right or wrong.

The generalization gap of a run is its train accuracy minus each test answer's 0 or 1
(:func:`paribus.analysis.gap_scores`): the run's number moves all of its scores alike, so what tells examples apart are
the answers, on the grid of 0 and 1 (``docs/decisions/0051-few-disagreeing-examples.md``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Term = tuple[float, NDArray[np.generic]]
"""A weight and a score array of shape ``(seeds, examples)``."""

_ROUNDING = 1e-9


def answers_of(terms: Sequence[Term], *, offset_by_run: bool = False) -> tuple[Term, ...] | None:
    """The terms as weights and 0/1 answers; None where the scores are of another kind.

    Args:
        terms: weights and score arrays.
        offset_by_run: whether the scores are known to be a run's number minus 0 or 1. Without it that is recognized by
            rows with two values that lie 1 apart; a run whose answers are all right or all wrong shows one value.
    """
    if terms[0][1].shape[1] < 2:
        # A run's one measure is no answer, even where it is exactly 1: a train accuracy of 100 %.
        return None
    if all(is_zero_one(values) for _, values in terms):
        return tuple(terms)
    floats = [(weight, values.astype(np.float64, copy=False)) for weight, values in terms if values.dtype.kind == "f"]
    if len(floats) < len(terms):
        return None
    rows = [(weight, values, values.min(axis=1), values.max(axis=1)) for weight, values in floats]
    apart = np.concatenate([high - low for _, _, low, high in rows])
    two = np.abs(apart - 1) < _ROUNDING
    if not (two | (apart < _ROUNDING)).all() or not (two.any() or offset_by_run):
        return None
    answers: list[Term] = []
    for weight, values, low, high in rows:
        two_valued = high - low > 0.5
        near = (np.abs(values - low[:, None]) < _ROUNDING) | (np.abs(values - high[:, None]) < _ROUNDING)
        if not near.all() or low.min() < -1 - _ROUNDING or high.max() > 1 + _ROUNDING:
            return None
        # A train accuracy lies in [0, 1]: one value at or below 0 for all answers means that all are right.
        right = np.where(two_valued[:, None], values < (low[:, None] + 0.5), values <= 0)
        answers.append((-weight, right))
    return tuple(answers)


def is_zero_one(values: NDArray[np.generic]) -> bool:
    """Whether all scores, of shape ``(seeds, examples)``, are 0 or 1.

    They are looked at row by row, so that no array of the scores' size is made.
    """
    if values.dtype == np.bool_:
        return True
    return all(bool(((row == 0) | (row == 1)).all()) for row in values)
