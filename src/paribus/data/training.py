"""What of a training split is trained on, and how its classes weigh: the same for networks and estimators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.data.dataset import Dataset
from paribus.data.split import trained_on
from paribus.errors import UsageError
from paribus.records import Training


def kept_for_training(data: Dataset, validation_split: float) -> int:
    """How many examples are trained on: the first ones; a validation split is the rest, as Keras takes it.

    Raises:
        UsageError: the split leaves nothing to train on, or nothing to validate on.
    """
    examples = len(data.x_train)
    kept = trained_on(examples, validation_split)
    if validation_split and kept in (0, examples):
        raise UsageError(
            f"validation_split {validation_split}: of the {examples} training examples of {data.name} it leaves {kept} "
            f"to train on and {examples - kept} to validate on; 0.1 sets a tenth aside"
        )
    return kept


def class_weights(training: Training, labels: NDArray[np.int32], classes: int) -> NDArray[np.float32] | None:
    """The weight of each class, shape ``(classes,)``; None where all weigh the same.

    "balanced" is n / (classes * count), as scikit-learn has it.

    Args:
        training: says which weights.
        labels: those of the examples that are trained on.
        classes: how many classes the data has.
    """
    if training.class_weight is None:
        return None
    weights = np.ones(classes, np.float32)
    if isinstance(training.class_weight, str):
        counts = np.bincount(labels, minlength=classes)
        weights[:] = len(labels) / (classes * np.maximum(counts, 1))
        return weights
    for index, weight in training.class_weight:
        weights[index] = weight
    return weights
