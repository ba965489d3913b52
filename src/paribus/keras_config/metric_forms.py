"""Which form of answers a metric of Keras reads, known without importing Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BINARY = frozenset(
    {
        *("AUC", "Precision", "Recall", "PrecisionAtRecall", "RecallAtPrecision"),
        *("SensitivityAtSpecificity", "SpecificityAtSensitivity"),
        *("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"),
        *("BinaryAccuracy", "BinaryIoU"),
    }
)
"""Metrics of a yes or no, which Keras takes of every output by itself."""

_OF_ALL_CLASSES = ("class_id", "multi_label", "top_k")
"""Arguments with which a binary metric reads the outputs of all classes."""

MARGIN_METRICS = frozenset({"Hinge", "SquaredHinge", "CategoricalHinge"})
"""Metrics that read outputs as the hinge losses do."""


def reads_probabilities(class_name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a metric compares outputs with thresholds between 0 and 1."""
    if class_name in ("F1Score", "FBetaScore"):
        return arguments.get("threshold") is not None
    return class_name in _BINARY


def has_positive_class(class_name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a metric is about a positive class, where there is one: two classes, or one that the study names.

    An F score with a threshold is, and without one it is about the classes answered.
    """
    # Class 0 is a class: only None and False mean that the argument has no value.
    of_all_classes = [key for key in _OF_ALL_CLASSES if arguments.get(key) is not None and arguments[key] is not False]
    return reads_probabilities(class_name, arguments) and not of_all_classes
