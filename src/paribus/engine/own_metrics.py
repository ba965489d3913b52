"""Metrics of the user's own: registered subclasses of ``keras.metrics.Metric`` (decision 0087).

One that extends a metric of Keras that a study may name sees what that one sees. Any other sees what Keras would hand
it under the protocol's loss: labels in the loss's form, and the network's outputs as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras

from paribus.engine import losses
from paribus.engine.losses import OutputKind
from paribus.errors import UsageError
from paribus.keras_config.custom_objects import source_digests
from paribus.keras_config.names import HIGHER_IS_BETTER, is_registered_name

OBJECTIONS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, RuntimeError),
    *(TypeError, ValueError),
)
"""What Keras, JAX or the user's code may raise of answers that do not fit a metric."""


def metric_class(name: str, sources: Mapping[str, str | None]) -> Any:
    """A metric's class.

    Args:
        name: its name in Keras, or the name under which the user registered it.
        sources: the sha256 of the file that defines each class of the user's, by registered name; None for no file.

    Raises:
        UsageError: it is not registered in this process, or its file is not the one of which the study was made.
    """
    if not is_registered_name(name):
        return getattr(keras.metrics, name)
    cls = keras.saving.get_registered_object(name)
    if not isinstance(cls, type) or not issubclass(cls, keras.metrics.Metric):
        raise UsageError(
            f"no class is registered as '{name}' in this process; name the study as module:object or "
            "path/to/file.py:object, whose import registers it",
        )
    source = sources.get(name)
    if source is not None and source_digests([name])[name] != source:
        raise UsageError(
            f"the file that defines '{name}' has changed since the study was written; make the study again from Python",
        )
    return cls


def form_of(cls: Any) -> str:
    """The metric of Keras whose form of answers a class reads: its own, or one that it extends; empty for none."""
    return next((base.__name__ for base in cls.__mro__ if _is_kerass(base) and base.__name__ in HIGHER_IS_BETTER), "")


def _is_kerass(cls: Any) -> bool:
    return getattr(keras.metrics, cls.__name__, None) is cls


def as_keras_hands_over(
    loss: str, outputs: Any, labels: Any, class_count: int, *, of_estimator: bool
) -> tuple[Any, Any]:
    """Labels and outputs as a metric in ``compile`` would see them under a loss.

    Args:
        loss: the protocol's.
        outputs: the arm's, shape ``(examples, outputs)``; an estimator answers with a probability a class.
        labels: class indices, shape ``(examples,)``.
        class_count: how many classes the data has.
        of_estimator: whether the arm is a scikit-learn estimator.

    Returns:
        Labels and outputs; labels are of shape ``(examples,)``, ``(examples, outputs)`` or ``(examples, 1)``.
    """
    if of_estimator and _asks_for_one_output(loss, class_count):
        outputs = outputs[:, 1:]
    return losses.targets(labels, outputs.shape[-1], losses.target_form(loss)), outputs


def own_metric_objections(name: str, loss: str, outputs: int, class_count: int, *, of_estimator: bool) -> Iterator[str]:
    """Why a metric that reads outputs as they are would not read the same form from every arm.

    Args:
        name: the name under which the metric is registered.
        loss: the protocol's, as JSON.
        outputs: how many outputs the arm has.
        class_count: how many classes the data has.
        of_estimator: whether the arm is a scikit-learn estimator.

    Returns:
        One message for each objection; none where there is none.
    """
    kind = losses.output_kind(loss)
    if of_estimator and kind is not OutputKind.PROBABILITIES:
        yield (
            f"{name} reads outputs as they are, which are {kind} under the protocol's loss, and a scikit-learn "
            "estimator has probabilities: end the networks with probabilities, or leave out the metric or the estimator"
        )
    if not of_estimator and outputs > 1 and _asks_for_one_output(loss, class_count):
        yield (
            f"{name} reads outputs as they are, and under this loss a network may have one output for two classes, or "
            "two: end the network with one unit, or let the loss be categorical_crossentropy"
        )


def _asks_for_one_output(loss: str, class_count: int) -> bool:
    return class_count == 2 and losses.reads_one_output(loss)
