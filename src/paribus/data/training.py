"""The part of a training split that is trained on, and class weights: the same for networks and estimators."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data.dataset import Dataset
from paribus.data.split import in_proportion, trained_on
from paribus.errors import UsageError
from paribus.records import Training

STRATIFIED = "stratified"

LISTED = 5
"""How many classes a message names."""

Rows = slice | NDArray[np.intp]
"""Some rows of an array: consecutive ones as a slice, any others as ascending positions."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingParts:
    """The rows of the training split that are trained on, and those that validate (None without a validation split)."""

    trained: Rows
    validated: Rows | None


def divide_training_split(data: Dataset, validation_split: float, validation: str | None = None) -> TrainingParts:
    """Which training examples are trained on and which validate.

    Args:
        data: the data.
        validation_split: the share that validates. Where the source has a validation split of its own, it must be that
            one's share.
        validation: None for the last examples, as Keras takes them; "stratified" for each class in proportion.

    Returns:
        The rows of both parts.

    Raises:
        UsageError: nothing is left for one of the parts, one of them lacks a class, or the source's own validation
            split would not be the one that validates.
    """
    examples = len(data.x_train)
    if data.own_validation:
        return _own_parts(data, validation_split, validation)
    count = trained_on(examples, validation_split)
    if validation_split and count in (0, examples):
        raise UsageError(
            f"validation_split {validation_split}: of the {examples} training examples of {data.name} it leaves "
            f"{count} to train on and {examples - count} to validate on; 0.1 sets a tenth aside"
        )
    if not validation_split:
        return TrainingParts(slice(0, examples), None)
    if validation == STRATIFIED:
        in_validation = in_proportion(data.y_train, examples - count)
        trained, validated = np.flatnonzero(~in_validation), np.flatnonzero(in_validation)
        _check_classes(data, trained, validated, validation_split, stratified=True)
        return TrainingParts(trained, validated)
    trained_slice, validated_slice = slice(0, count), slice(count, examples)
    _check_classes(data, trained_slice, validated_slice, validation_split, stratified=False)
    return TrainingParts(trained_slice, validated_slice)


def class_weights(training: Training, labels: NDArray[np.int32], classes: int) -> NDArray[np.float32] | None:
    """The weight of each class, shape ``(classes,)``; None where all weigh the same.

    "balanced" is n / (classes * count), as scikit-learn has it.

    Args:
        training: says which weights, by class index.
        labels: those of the examples that are trained on.
        classes: how many classes the data has.

    Returns:
        float32, or None.
    """
    if training.class_weight is None:
        return None
    weights = np.ones(classes, np.float32)
    if isinstance(training.class_weight, str):
        counts = np.bincount(labels, minlength=classes)
        weights[:] = len(labels) / (classes * np.maximum(counts, 1))
        return weights
    for index, weight in training.class_weight:
        assert isinstance(index, int), "a job names classes by their indices"
        weights[index] = weight
    return weights


def _own_parts(data: Dataset, validation_split: float, validation: str | None) -> TrainingParts:
    examples, own = len(data.x_train), data.own_validation
    share = own / examples
    if validation is not None or not math.isclose(validation_split * examples, own, abs_tol=0.5):
        protocol = f"validation_split = {validation_split:g}" + (f', validation = "{validation}"' if validation else "")
        raise UsageError(
            f"{protocol}: {data.name} has a validation split of its own, {own} of {examples} examples. Say "
            f"validation_split = {share:.6g} to validate on exactly those, or merge its folder into `train`"
        )
    return TrainingParts(slice(0, examples - own), slice(examples - own, examples))


def _check_classes(data: Dataset, trained: Rows, validated: Rows, validation_split: float, *, stratified: bool) -> None:
    """Both parts must have every class that the training split has."""
    present = np.unique(data.y_train)
    for doing, rows in (("train", trained), ("validate", validated)):
        absent = np.setdiff1d(present, data.y_train[rows])
        if not absent.size:
            continue
        names = ", ".join(repr(data.class_names[index]) for index in absent[:LISTED])
        more = f" and {absent.size - LISTED} more" if absent.size > LISTED else ""
        counts = np.bincount(data.y_train)[absent]
        few = f"it has {counts.min()} training examples" if absent.size == 1 else f"they have {counts.min()} or more"
        advice = (
            f"{few}; take a larger validation_split, or leave such a class out"
            if stratified
            else f'take each class in proportion instead: validation = "{STRATIFIED}"'
        )
        where = "each class in proportion" if stratified else "the last examples"
        raise UsageError(
            f"validation_split {validation_split}, {where}: of {data.name}, no example of class {names}{more} is left "
            f"to {doing} on; {advice}"
        )
