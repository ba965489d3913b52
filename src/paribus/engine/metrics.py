"""The protocol's added metrics: any metric of Keras with one number, measured on a whole split as Keras would.

Keras hands a metric whatever a network ends with, and the same metric says another thing of one sigmoid unit than of
two softmax units, of logits than of probabilities. Arms are compared, so a metric sees the same form of answer from
every arm (docs/decisions/0061).
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from paribus.engine.losses import OutputKind, output_kind, probabilities
from paribus.engine.own_metrics import OBJECTIONS, as_keras_hands_over, form_of, metric_class, own_metric_objections
from paribus.keras_config.metric_forms import MARGIN_METRICS, has_positive_class, reads_probabilities
from paribus.keras_config.names import is_registered_name, name_of
from paribus.records import Training

_BATCH = 10_000
"""Examples at a time: what a metric computes on the way may be many times as large as the outputs."""

_PROBED_CLASSES = 64
"""With more classes than this a metric is not tried for being constant: a trial has two examples a class."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class ProtocolMetric:
    """One metric of a protocol.

    Attributes:
        name: the name of its class, or the one under which a class of the user's own is registered.
        arguments: those of its class.
        made_of: its class.
        form: the metric of Keras whose form of answers it reads; empty for outputs as they are.
    """

    name: str
    arguments: dict[str, Any]
    made_of: Any
    form: str

    @classmethod
    def of(cls, name: str, arguments: dict[str, Any], made_of: Any) -> ProtocolMetric:
        """A metric of a class."""
        return cls(name, arguments, made_of, form_of(made_of))

    @property
    def is_own(self) -> bool:
        """Whether it is of a class of the user's own."""
        return is_registered_name(self.name)

    def make(self) -> Any:
        """A new object of the metric, without any example."""
        if self.is_own:
            return self.made_of.from_config(dict(self.arguments))
        stripped = {k: v for k, v in self.arguments.items() if not (self.name == "AUC" and k == "from_logits")}
        return self.made_of(**stripped)


@dataclass(frozen=True, slots=True)
class ProtocolMetrics:
    """The metrics of a protocol, for one arm.

    Attributes:
        metrics: the metrics.
        loss: the protocol's loss, as JSON.
        outputs: what the arm's outputs are; an estimator answers with probabilities.
        class_count: how many classes the data has.
        positive: the class that binary metrics are about; None for all classes where there are more than two.
        of_estimator: whether the arm is a scikit-learn estimator.
    """

    metrics: tuple[ProtocolMetric, ...]
    loss: str
    outputs: OutputKind
    class_count: int
    positive: int | None
    of_estimator: bool = False

    @classmethod
    def of_training(
        cls, training: Training, class_names: Sequence[str], *, of_estimator: bool = False
    ) -> ProtocolMetrics:
        """The added metrics of a protocol.

        Args:
            training: the protocol.
            class_names: the names of the classes, by index.
            of_estimator: whether the arm is a scikit-learn estimator.

        Raises:
            ValueError: ``positive`` names no class of the data.
            UsageError: a metric's class is not the one of which the study was made.
        """
        sources = json.loads(training.metric_sources or "{}")
        outputs = OutputKind.PROBABILITIES if of_estimator else output_kind(training.loss)
        metrics = tuple(
            ProtocolMetric.of(name, arguments, metric_class(name, sources))
            for written in json.loads(training.metrics or "[]")
            for name, arguments in written.items()
        )
        positive = _positive(training.positive, class_names)
        return cls(metrics, training.loss, outputs, len(class_names), positive, of_estimator)


def measure_metrics(metrics: ProtocolMetrics, outputs: Floats, labels: NDArray[np.int32]) -> dict[str, float]:
    """Every metric on a split, by name.

    Args:
        metrics: which metrics.
        outputs: the arm's outputs on the split, shape ``(examples, outputs)``. Those that are not finite, as of
            weights that diverged, are replaced by outputs that prefer no class.
        labels: class indices, shape ``(examples,)``.

    Returns:
        A number for each metric, in the metric's own unit.
    """
    ignorant = 1.0 / max(2, outputs.shape[-1]) if metrics.outputs is OutputKind.PROBABILITIES else 0.0
    known = np.where(np.isfinite(outputs), outputs, np.float32(ignorant)).astype(np.float32)
    return {
        name_of(metric.name, metric.arguments): float(_value(_updated(metrics, metric, known, labels)).reshape(()))
        for metric in metrics.metrics
    }


def metric_objections(metrics: ProtocolMetrics, outputs: int) -> list[str]:
    """Why metrics cannot be measured on an arm.

    Args:
        metrics: which metrics.
        outputs: how many outputs the arm has.

    Returns:
        One message for each objection; empty where all can be measured.
    """
    return [text for metric in metrics.metrics for text in _objections(metrics, metric, outputs)]


def _positive(name: str | None, class_names: Sequence[str]) -> int | None:
    if name is None:
        return 1 if len(class_names) == 2 else None
    if name not in class_names:
        known = ", ".join(class_names[:10]) + (" ..." if len(class_names) > 10 else "")
        raise ValueError(f"'{name}' is not a class of this data; its classes are {known}")
    return list(class_names).index(name)


def _objections(metrics: ProtocolMetrics, metric: ProtocolMetric, outputs: int) -> Iterator[str]:
    cls, form, arguments = metric.name, metric.form, metric.arguments
    if not form:
        on = {"of_estimator": metrics.of_estimator}
        reasons = list(own_metric_objections(cls, metrics.loss, outputs, metrics.class_count, **on))
        yield from reasons
        if reasons:
            return
    f_score = form in ("F1Score", "FBetaScore")
    if f_score and _is_one_column(metrics, metric) and arguments.get("average") is not None:
        yield (
            f"{cls}: with threshold it is the score of the positive class, and average = "
            f'"{arguments["average"]}" is over classes; leave one of them out'
        )
        return
    if form in MARGIN_METRICS and metrics.of_estimator:
        yield f"{cls} reads margins, and a scikit-learn estimator answers with probabilities; leave it out"
        return
    if metrics.outputs is OutputKind.MARGINS and reads_probabilities(form, arguments):
        yield f"{cls} reads probabilities, and outputs are margins under the protocol's loss; measure accuracy instead"
        return
    probable = metrics.outputs is OutputKind.PROBABILITIES and not metrics.of_estimator
    if form and arguments.get("from_logits") and probable:
        yield f"{cls}: from_logits = true, but the protocol's loss takes outputs for probabilities; leave it out"
        return
    probes = [_probe(metrics, outputs, kind) for kind in ("right", "wrong", "random")]
    try:
        results = [_value(_updated(metrics, metric, *probe)) for probe in probes]
    except OBJECTIONS as error:
        message = " ".join(str(error).split()).split(" Arguments received by", 1)[0]
        cannot = f"{cls} raised {type(error).__name__}" if metric.is_own else f"Keras cannot measure {cls} here"
        yield f"{cannot}: {message[:300]}"
        return
    if results[0].size > 1:
        count = math.prod(results[0].shape)
        yield f"{cls} has {count} values; runs are compared by one number: {_remedy(form, arguments)}"
    elif form and metrics.class_count <= _PROBED_CLASSES and len({float(value.reshape(())) for value in results}) == 1:
        yield f"{cls} is {float(results[0].reshape(())):g} for all answers; change its arguments or leave it out"


def _remedy(cls: str, arguments: dict[str, Any]) -> str:
    """What makes one number of a metric that has several values."""
    if cls in ("F1Score", "FBetaScore"):
        return (
            'give it threshold = 0.5 for the score of the positive class, or average = "macro" for the mean over '
            "classes"
        )
    if isinstance(arguments.get("thresholds"), list):
        return "give it one of its thresholds, and a metric a threshold if you want them all"
    return 'give it class_aggregation = "uniform_average"' if cls == "R2Score" else "change its arguments"


def _probe(metrics: ProtocolMetrics, outputs: int, kind: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Answers as an arm with so many outputs would give them, right, wrong or at random, two examples a class."""
    count = min(metrics.class_count, _PROBED_CLASSES)
    labels = np.arange(2 * count, dtype=np.int32) % count
    columns = max(2, outputs)
    if kind == "random":
        answers = np.random.default_rng(0).dirichlet(np.ones(columns), len(labels)).astype(np.float32)
    else:
        answered = labels if kind == "right" else (labels + 1) % count
        answers = np.full((len(labels), columns), 0.2 / columns, np.float32)
        answers[np.arange(len(labels)), answered % columns] = 0.8
    if metrics.outputs in (OutputKind.LOGITS, OutputKind.BINARY_LOGITS):
        answers = np.log(answers / (1 - answers))
    elif metrics.outputs is OutputKind.MARGINS:
        answers = 2 * answers - 1
    return (answers[:, 1:2] if outputs == 1 else answers), labels


def _value(metric: Any) -> Floats:
    """What a metric says."""
    return np.asarray(metric.result(), dtype=np.float64)


def _updated(
    metrics: ProtocolMetrics, metric: ProtocolMetric, outputs: NDArray[np.float32], labels: NDArray[np.int32]
) -> Any:
    """The metric after it has seen all examples."""
    updated = metric.make()
    with warnings.catch_warnings():
        # Keras 3.15 asks for int64 in the IoU metrics, and JAX says that int32 must do.
        warnings.filterwarnings("ignore", message="Explicitly requested dtype")
        for start in range(0, len(labels), _BATCH):
            part = slice(start, start + _BATCH)
            answers = _answers(metrics, metric, jnp.asarray(outputs[part]))
            y = jnp.asarray(labels[part])
            if not metric.form:
                on = {"of_estimator": metrics.of_estimator}
                y, answers = as_keras_hands_over(metrics.loss, answers, y, metrics.class_count, **on)
            elif not metric.form.startswith("Sparse"):
                positive = metrics.positive if _is_one_column(metrics, metric) else 1
                y = jnp.eye(answers.shape[-1])[y] if answers.shape[-1] > 1 else (y[:, None] == jnp.asarray(positive))
            updated.update_state(y, answers)
    return updated


def _is_one_column(metrics: ProtocolMetrics, metric: ProtocolMetric) -> bool:
    """Whether a metric reads the probability of the positive class alone."""
    return metrics.positive is not None and has_positive_class(metric.form, metric.arguments)


def _answers(metrics: ProtocolMetrics, metric: ProtocolMetric, outputs: Any) -> Any:
    """Outputs in the form that a metric reads, the same for every arm; see docs/decisions/0061."""
    cls, arguments = metric.form, metric.arguments
    if not cls or cls in MARGIN_METRICS:
        return outputs
    if arguments.get("from_logits") and cls != "AUC":
        return _as_logits(metrics, cls, outputs)
    if reads_probabilities(cls, arguments):
        shares = probabilities(outputs, metrics.outputs)
        if not _is_one_column(metrics, metric) or metrics.positive is None:
            return shares
        positive = shares[:, metrics.positive]
        if metrics.class_count == 2:
            total = shares.sum(axis=-1)
            positive = jnp.where(total > 0, positive / jnp.where(total > 0, total, 1.0), 0.5)
        return positive[:, None]
    if metrics.outputs not in (OutputKind.PROBABILITIES, OutputKind.MARGINS):
        return probabilities(outputs, metrics.outputs)
    if outputs.shape[-1] > 1:
        return outputs
    # Not cut off at 0 and 1: what a linear end says beyond them is an error of its own.
    positive = (outputs + 1.0) / 2.0 if metrics.outputs is OutputKind.MARGINS else outputs
    return jnp.concatenate([1.0 - positive, positive], axis=-1)


def _as_logits(metrics: ProtocolMetrics, cls: str, outputs: Any) -> Any:
    """For cross-entropies that ask for logits: those of a network as they are, else the logarithm of probabilities."""
    if metrics.outputs is OutputKind.PROBABILITIES:
        tiny = jnp.float32(1e-7)
        shares = jnp.clip(outputs, tiny, 1.0 - tiny)
        return jnp.log(shares / (1.0 - shares)) if cls == "BinaryCrossentropy" else jnp.log(shares)
    if outputs.shape[-1] == 1 and cls != "BinaryCrossentropy":
        return jnp.concatenate([jnp.zeros_like(outputs), outputs], axis=-1)
    return outputs
