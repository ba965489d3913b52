"""The protocol's own metrics: any metric of Keras that says one number, measured on a whole split as Keras would."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from paribus.engine import losses
from paribus.keras_config.names import name_of

_BATCH = 10_000
"""Examples at a time: what a metric computes on the way may be many times as large as the outputs."""

_OBJECTIONS = (ValueError, TypeError, IndexError, AttributeError, NotImplementedError)
"""What Keras and JAX raise of a metric that does not fit."""


def measured(
    metrics: str, outputs: NDArray[np.floating[Any]], labels: NDArray[np.int32], from_logits: bool
) -> dict[str, float]:
    """Every metric on a split, by name.

    Args:
        metrics: what the training asks for: a JSON list of ``{class: {arguments}}``.
        outputs: the network's outputs on the split, shape ``(examples, outputs)``. Those of weights that diverged say
            nothing, and are taken for the answer of a network that knows nothing.
        labels: class indices, shape ``(examples,)``.
        from_logits: whether the outputs are logits, which metrics then see as they are, as in Keras.
    """
    nothing = 0.0 if from_logits else 1.0 / max(2, outputs.shape[-1])
    known = np.where(np.isfinite(outputs), outputs, np.float32(nothing)).astype(np.float32)
    return {name: _number(metric, known, labels) for name, metric in _metrics(metrics)}


def objections(metrics: str | None, outputs: int) -> list[str]:
    """Why metrics cannot be measured on a network with so many outputs; empty where nothing speaks against it."""
    found = []
    for written in json.loads(metrics or "[]"):
        ((cls, arguments),) = written.items()
        labels = np.arange(4, dtype=np.int32) % max(2, outputs)
        answers = np.full((4, outputs), 1.0 / max(2, outputs), np.float32)
        try:
            metric = getattr(keras.metrics, cls)(**arguments)
            shape = _updated(metric, answers, labels).result().shape
        except _OBJECTIONS as error:
            said = " ".join(str(error).split()).split(" Arguments received by", 1)[0]
            found.append(f"Keras cannot measure {cls} here: {said[:300]}")
            continue
        if shape:
            found.append(
                f"{cls} says {math.prod(shape)} numbers, one a class; runs are compared by one number: "
                'give it average = "macro", say'
            )
    return found


def _metrics(metrics: str) -> list[tuple[str, Any]]:
    written = [item for each in json.loads(metrics) for item in each.items()]
    return [(name_of(cls, arguments), getattr(keras.metrics, cls)(**arguments)) for cls, arguments in written]


def _number(metric: Any, outputs: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    return float(_updated(metric, outputs, labels).result())


def _updated(metric: Any, outputs: NDArray[np.float32], labels: NDArray[np.int32]) -> Any:
    form: losses.TargetForm = "integer" if type(metric).__name__.startswith("Sparse") else "one-hot"
    with warnings.catch_warnings():
        # Keras 3.15 asks for int64 in the IoU metrics, and JAX says that int32 must do.
        warnings.filterwarnings("ignore", message="Explicitly requested dtype")
        for start in range(0, len(labels), _BATCH):
            some = slice(start, start + _BATCH)
            y = losses.targets(jnp.asarray(labels[some]), outputs.shape[-1], form)
            metric.update_state(y, jnp.asarray(outputs[some]))
    return metric
