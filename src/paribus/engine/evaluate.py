"""The outputs of the network in every lane for a whole split, in inference mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from paribus.engine import metrics
from paribus.engine.compile import Programs
from paribus.engine.network import State
from paribus.engine.splits import Split, Splits
from paribus.engine.steps import Evaluation
from paribus.records import Training


def evaluated(programs: Programs, state: State, split: Split) -> list[Evaluation]:
    """Measure every example of a split in inference mode, with the weights of each lane.

    The last batch overlaps the one before, so that one compiled program, for one batch size, does for all.

    Args:
        programs: the compiled programs of the arm.
        state: the state of all lanes.
        split: the examples.

    Returns:
        For each lane the loss and the answer on each example; arrays of shape ``(examples,)``.

    Raises:
        DataError: a streamed file has changed since it was opened.
    """
    size = programs.evaluation_batch
    batches = ((split.rows(i, i + size), split.labels[i : i + size]) for i in _starts(split, size))
    parts = [programs.evaluate(state, *batch) for batch in batches]
    lanes = zip(*(programs.lanes.apart(part) for part in parts), strict=True)
    return [Evaluation(*(_joined(column, len(split)) for column in zip(*lane, strict=True))) for lane in lanes]


def own_metrics(training: Training, programs: Programs, state: State, data: Splits) -> list[dict[str, float]]:
    """The protocol's added metrics on the test split and the training split, with the weights of each lane.

    Args:
        training: the protocol.
        programs: the compiled programs of the arm.
        state: the state of all lanes after training.
        data: both splits.

    Returns:
        For each lane the values by name, such as ``test_auc`` and ``train_auc``; empty where the protocol adds none.

    Raises:
        UsageError: the class of a metric is not the one of which the study was made.
        DataError: a streamed file has changed since it was opened.
    """
    by_lane: list[dict[str, float]] = [{} for _ in range(programs.lanes.count)]
    if training.metrics is None:
        return by_lane
    protocol_metrics = metrics.ProtocolMetrics.of_training(training, data.class_names)
    size = programs.evaluation_batch
    for name, split in (("test", data.test), ("train", data.train)):
        parts = [programs.lanes.apart(programs.outputs(state, split.rows(i, i + size))) for i in _starts(split, size)]
        for own, lane in zip(by_lane, zip(*parts, strict=True), strict=True):
            outputs = _joined(lane, len(split))
            values = metrics.measure_metrics(protocol_metrics, outputs, split.labels)
            own |= {f"{name}_{metric}": value for metric, value in values.items()}
    return by_lane


def mean(values: jax.Array | NDArray[np.float32]) -> float:
    """The mean of one value an example, summed in float64."""
    return float(np.mean(np.asarray(values), dtype=np.float64))


def accuracy(result: Evaluation, split: Split) -> float:
    """The share of right answers, a fraction of 1."""
    return float(np.mean(np.asarray(result.predicted) == np.asarray(split.labels)))


def _starts(split: Split, size: int) -> list[int]:
    """Where batches of one size begin that cover a split; the last overlaps the one before if it must."""
    return [*range(0, len(split) - size, size), len(split) - size]


def _joined(parts: Sequence[Any], examples: int) -> NDArray[Any]:
    """The batches of ``_starts`` as one array, without what the last repeats."""
    repeated = sum(len(part) for part in parts) - examples
    return np.concatenate([*parts[:-1], parts[-1][repeated:]])
