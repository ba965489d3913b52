"""Keras's names, known without importing Keras: automatic names, and the metrics that a study may name.

``tests/engine/test_metrics.py`` compares this with Keras itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_FRACTIONS = (
    *("Precision", "Recall", "F1Score", "FBetaScore", "PrecisionAtRecall", "RecallAtPrecision"),
    *("SensitivityAtSpecificity", "SpecificityAtSensitivity", "BinaryAccuracy", "CategoricalAccuracy"),
    *("SparseCategoricalAccuracy", "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"),
    *("BinaryIoU", "OneHotIoU", "OneHotMeanIoU"),
)
_NATS = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "KLDivergence")
_ERRORS = (
    *("CategoricalHinge", "Hinge", "SquaredHinge", "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError"),
    *("MeanSquaredError", "MeanSquaredLogarithmicError", "RootMeanSquaredError", "Poisson"),
    *("FalseNegatives", "FalsePositives"),
)
_PROPORTIONS = ("AUC", *_FRACTIONS)
_LIKENESS = (
    *("ConcordanceCorrelation", "CosineSimilarity", "PearsonCorrelation", "R2Score"),
    *("TrueNegatives", "TruePositives"),
)

HIGHER_IS_BETTER: Mapping[str, bool] = MappingProxyType(
    dict.fromkeys((*_PROPORTIONS, *_LIKENESS), True) | dict.fromkeys((*_NATS, *_ERRORS), False)
)
"""Every class of ``keras.metrics`` that measures a classifier by its outputs -> which direction is better.

Not here: IoU and MeanIoU, which want classes for outputs (OneHotMeanIoU takes outputs), and Mean, Sum and the like.
"""

SPLITS = ("test", "train")
"""Where a metric is measured; its measures are called ``test_auc``, ``train_auc``."""

_ALWAYS = frozenset({"Accuracy", "accuracy", "acc"})
_OWN_NAMES = {"LogCoshError": "logcosh", "FBetaScore": "fbeta_score"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


def is_fraction(class_name: str) -> bool:
    """Whether a metric is a fraction of 1, printed in per cent."""
    return class_name in _FRACTIONS


def is_proportion(class_name: str) -> bool:
    """Whether a metric's values are in [0, 1]: the fractions, and AUC, which is printed as a plain number."""
    return class_name in _PROPORTIONS


def is_in_nats(class_name: str) -> bool:
    """Whether a metric is a cross-entropy, or a difference of such."""
    return class_name in _NATS


def name_of(class_name: str, arguments: Mapping[str, Any]) -> str:
    """A metric's name: its argument ``name``, else Keras's own name for its class."""
    name = arguments.get("name")
    return name if isinstance(name, str) else _OWN_NAMES.get(class_name) or snake_case(class_name)


def is_registered_name(class_name: str) -> bool:
    """Whether this is the name under which a class of the user's own is registered: ``my_package>Cost``."""
    return ">" in class_name


def class_named(name: str) -> str:
    """The class of a metric.

    A registered name of the user's own class is returned as it is.

    Args:
        name: its class name, or the same in snake case as Keras takes it in ``compile``.

    Raises:
        ValueError: there is no such metric, or it is measured anyway.
    """
    if name in _ALWAYS:
        raise ValueError(f"'{name}' is measured in every run; leave it out")
    if is_registered_name(name):
        return name
    by_name = {name_of(cls, {}): cls for cls in HIGHER_IS_BETTER} | {cls: cls for cls in HIGHER_IS_BETTER}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ValueError(f"'{name}' is not a metric of Keras for classifiers; {hint}AUC is one, like F1Score")


def check_name(name: str) -> None:
    """Check the name of a metric.

    Args:
        name: the name.

    Raises:
        ValueError: other characters than small letters, digits and underscores, or the name of a measure of every run.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name '{name}': small letters, digits and underscores are expected, like 'top_5'")
    if name in ("accuracy", "loss"):
        raise ValueError(f"name '{name}' is that of a measure that every run has; choose another")


def snake_case(class_name: str) -> str:
    """Keras's way from a class to an automatic name: ``Conv1D`` -> ``conv1d``, ``InputLayer`` -> ``input_layer``."""
    name = re.sub(r"\W+", "", class_name.rsplit(">", 1)[-1])
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def spelled_out(value: Any) -> Any:
    """``"Adam"`` is short for ``{Adam = {}}``."""
    return {value: {}} if isinstance(value, str) else value


_LOG_LOSSES = frozenset({"categoricalcrossentropy", "sparsecategoricalcrossentropy", "binarycrossentropy"})


def is_log_loss(loss: Mapping[str, Any]) -> bool:
    """Whether a loss is plain cross-entropy: of normalized outputs, -log of the probability of the right class.

    Focal, smoothed and generalized cross-entropies are not. Binary cross-entropy is with one output or two classes; of
    more outputs it is a mean over all of them.
    """
    name, arguments = _one_item(loss)
    return bare_name(name) in _LOG_LOSSES and not set(arguments) - {"from_logits"}


def is_binary_loss(loss: Mapping[str, Any]) -> bool:
    """Whether a loss reads every output by itself as a yes or no."""
    return bare_name(_one_item(loss)[0]).startswith("binary")


def is_hinge(loss: Mapping[str, Any]) -> bool:
    """Whether a loss reads margins, and of a single output decides at 0."""
    return bare_name(_one_item(loss)[0]) in ("hinge", "squaredhinge")


def takes_logits(loss: Mapping[str, Any]) -> bool:
    """Whether a loss takes outputs for logits."""
    return _one_item(loss)[1].get("from_logits") is True


def is_loss_in_nats(loss: Mapping[str, Any]) -> bool:
    """Whether a loss is a cross-entropy or a divergence, whose unit is the nat."""
    return bare_name(_one_item(loss)[0]) in {*_LOG_LOSSES, "kldivergence"}


def _one_item(written: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    ((name, arguments),) = written.items() if len(written) == 1 else (("", {}),)
    return name, arguments


def bare_name(name: str) -> str:
    """A class name, or the same in snake case, in one form: ``kldivergence``."""
    return name.replace("_", "").lower()
