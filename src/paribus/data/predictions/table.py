"""The table of predictions, after all checks: every arm has every seed, and every run answers every example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """The answers of several arms on one test set.

    Attributes:
        source: the name of the file or frame.
        arms: the arms, in the order in which the table first names them.
        seeds: the seeds, in increasing order; every arm has all of them.
        classes: the names of the classes, in the order of :func:`paribus.data.labels.in_label_order`.
        examples: the names of the test examples, in the order in which the table first names them.
        labels: the right class of each example, shape ``(examples,)``.
        predicted: the predicted class, shape ``(arms, seeds, examples)``, in the smallest type that holds it.
        true_probability: the predicted probability of the right class, same shape; None where it is not known.
        confidence: the predicted probability of the predicted class, same shape; None where it is not known.
        groups: for each example the index of the group that it belongs to, shape ``(examples,)``; None without groups.
        fingerprint: sha256 of all of this, hexadecimal.
        notes: remarks on how the table was read.
        folds: in cross-validation the fold of each example, shape ``(repeats, examples)``; a seed is then a pass over
            all folds, whose repetition is ``pass % repeats``. None with one test set.
    """

    source: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    classes: tuple[str, ...]
    examples: tuple[str, ...]
    labels: NDArray[np.int32]
    predicted: NDArray[np.unsignedinteger]
    true_probability: NDArray[np.float64] | None
    confidence: NDArray[np.float64] | None
    groups: NDArray[np.int32] | None
    fingerprint: str
    notes: tuple[str, ...] = ()
    folds: NDArray[np.int32] | None = None
