"""Score arrays: what may be compared, and how predictions become scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.errors import UsageError

_SMALLEST_PROBABILITY = 1e-7
"""Keras's epsilon: probabilities are clipped to it before the logarithm, as its own cross-entropy does."""


def checked_scores(values: ArrayLike, name: str) -> NDArray[np.generic]:
    """The scores as an array of shape ``(seeds, examples)``, unchanged, after a check of each of them.

    Args:
        values: the scores.
        name: what errors call them.

    Raises:
        UsageError: not numbers, not two-dimensional, empty, or not finite; the message names value and place.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} has dtype {array.dtype}: scores are booleans, integers or floats")
    if array.ndim != 2:
        hint = f"; for one seed pass {name}[None, :]" if array.ndim == 1 else ""
        raise UsageError(f"{name} has shape {array.shape}: scores have shape (seeds, examples){hint}")
    seeds, examples = array.shape
    if seeds < 1 or examples < 1:
        raise UsageError(f"{name} has shape {array.shape}: at least one seed and one example are needed")
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            raise UsageError(
                f"{name}[{row}, {column}] is {array[row, column]}: every score must be finite; "
                f"a diverged run scores what its weights score, a failed one has no row"
            )
    return array


def right(predicted: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Whether each answer is right.

    Args:
        predicted: answered classes, shape ``(seeds, examples)`` (or ``(examples,)`` for one run).
        labels: true classes, shape ``(examples,)``.

    Returns:
        Booleans in the shape of ``predicted``.

    Raises:
        UsageError: not one answer and one label for each example.
    """
    answered, true = np.asarray(predicted), np.asarray(labels)
    if true.ndim != 1 or answered.shape[-1:] != true.shape:
        raise UsageError(
            f"predicted has shape {answered.shape} and labels {true.shape}: each example needs one answer and one label"
        )
    return np.asarray(answered == true, dtype=np.bool_)


def log_loss(
    true_probability: ArrayLike, classes: int, *, smallest: float = _SMALLEST_PROBABILITY
) -> NDArray[np.float64]:
    """The log loss of each example in nats, from the probability of the right class.

    The loss is -log(p), with p clipped at ``smallest``. Where p is nan (a diverged run), the loss is that of chance,
    log(classes): the run scores what its weights know, which is nothing.

    Args:
        true_probability: the predicted probability of the right class, shape ``(seeds, examples)`` or any other.
        classes: number of classes.
        smallest: smaller probabilities count as this one; by default Keras's 1e-7.

    Returns:
        Losses in the shape of ``true_probability``.
    """
    probability = np.asarray(true_probability, dtype=np.float64)
    finite = np.where(np.isfinite(probability), probability, 1 / classes)
    return np.asarray(-np.log(np.clip(finite, smallest, 1.0)), dtype=np.float64)


def gap_scores(train_accuracy: ArrayLike, test_right: ArrayLike) -> NDArray[np.float64]:
    """Per-example scores whose mean is the generalization gap: a run's train accuracy minus each test example's 0 or 1.

    Args:
        train_accuracy: train accuracy of each run in inference mode, shape ``(seeds,)``.
        test_right: whether each test answer is right, shape ``(seeds, examples)``.

    Returns:
        Scores of shape ``(seeds, examples)``, in [-1, 1].

    Raises:
        UsageError: shapes that do not fit each other.
    """
    train, test = np.asarray(train_accuracy, dtype=np.float64), np.asarray(test_right)
    if test.ndim != 2 or train.shape != test.shape[:1]:
        raise UsageError(
            f"train_accuracy has shape {train.shape} and test_right {test.shape}: "
            f"they need (seeds,) and (seeds, examples)"
        )
    return np.asarray(train[:, None] - test, dtype=np.float64)
