"""Results of a run: how it ended, its measures, curves, predictions, weights and environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from paribus.records.jobs import Seeds


class Status(StrEnum):
    """How a run ended. A run that was cut off (killed, interrupted) has no status: it is not stored."""

    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Curve:
    """A run's measures by epoch: one value an epoch in each tuple. A scikit-learn estimator has no epochs: no curve.

    Attributes:
        fit_loss: what Keras's ``fit`` prints as ``loss``: a running mean in training mode.
        fit_accuracy: what it prints as ``accuracy``, a fraction of 1.
        val_loss: the loss on the validation split in inference mode; empty without a validation split.
        val_accuracy: the accuracy there, a fraction of 1; empty without a validation split.
    """

    fit_loss: tuple[float, ...]
    fit_accuracy: tuple[float, ...]
    val_loss: tuple[float, ...] = ()
    val_accuracy: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """A run's measures. Accuracies are fractions of 1.

    Losses are means over examples, without weight penalties (``docs/decisions/0004-losses-without-penalties.md``), in
    nats for cross-entropy; they are nan for a diverged run. Measures that a scikit-learn estimator does not have are
    nan: ``fit_*``, and losses under a protocol whose loss is not plain cross-entropy.

    Attributes:
        fit_accuracy: the last epoch's running mean in training mode, as Keras's ``fit`` prints it.
        fit_loss: likewise.
        train_accuracy: measured after the last epoch in inference mode, on the whole training split.
        train_loss: likewise.
        test_accuracy: measured after the last epoch in inference mode, on the whole test split.
        test_loss: likewise.
    """

    fit_accuracy: float
    fit_loss: float
    train_accuracy: float
    train_loss: float
    test_accuracy: float
    test_loss: float

    @property
    def generalization_gap(self) -> float:
        """Train accuracy minus test accuracy, both in inference mode."""
        return self.train_accuracy - self.test_accuracy


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The answers of a run on each example of the test split, in the split's order. All have shape ``(examples,)``.

    Attributes:
        predicted: the predicted class, int32.
        confidence: the predicted probability of that class, float32.
        true_probability: the predicted probability of the right class, float32.
    """

    predicted: NDArray[np.int32]
    confidence: NDArray[np.float32]
    true_probability: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Environment:
    """The software, its flags and the kind of machine that a run was computed with: equal bits are promised within one.

    A scikit-learn estimator uses no Keras and no JAX: those are empty, and ``flags`` lists its own libraries instead.
    """

    paribus: str
    python: str
    keras: str
    jax: str
    jaxlib: str
    numpy: str
    platform: str
    cpu: str
    device: str
    flags: str

    @property
    def of_estimator(self) -> bool:
        """Whether this is the environment of a scikit-learn estimator, which has no version of Keras."""
        return not self.keras


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """One run that has ended.

    Attributes:
        fingerprint: sha256 of everything that determines the run (see ``paribus.study.fingerprint``).
        status: how it ended.
        seeds: the seeds of its three streams.
        scores: its measures; None for a failed run.
        curve: its measures by epoch, up to its last one.
        seconds: wall time of training and evaluation, without compilation. Runs computed side by side in lanes share
            it: every run has the group's wall time divided by the number of its runs.
        weights_digest: sha256 of the final weights, hexadecimal (of an estimator: of all that it learned); None for a
            failed run.
        environment: its software and machine; None if the worker died before it reported them.
        reason: why it failed or diverged; for a finished estimator the warnings of scikit-learn while it was fitted.
        predictions: per-example answers on the test split; None for a failed run.
        weights: final weights by path, trainable and not, seed states left out; None for a failed run, and for an
            estimator, which cannot be rebuilt from numbers alone.
        metrics: the values of the protocol's added metrics by name: ``test_auc``, ``train_auc``.
        ended: when it ended, in seconds since 1970 by the clock of the process that stored it; None for runs that were
            stored by earlier versions, and for runs that were never stored.
    """

    fingerprint: str
    status: Status
    seeds: Seeds
    scores: Scores | None
    curve: Curve
    seconds: float
    weights_digest: str | None
    environment: Environment | None
    reason: str | None = None
    predictions: Predictions | None = None
    weights: Mapping[str, NDArray[np.generic]] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class EpochReport:
    """The measures after an epoch.

    Attributes:
        epoch: its number, from 1.
        epochs: the number of epochs of the protocol.
        fit_loss: as in :class:`Curve`; so are the others.
        fit_accuracy: a fraction of 1.
        val_loss: None without a validation split.
        val_accuracy: None without a validation split.
    """

    epoch: int
    epochs: int
    fit_loss: float
    fit_accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None
