"""A backend that computes nothing: scores drawn from the job's fingerprint. For tests of the code around it.

Its runs are never mixed with real ones: their environment says ``fake``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Sequence

import numpy as np

from paribus.backends.base import Backend
from paribus.data import load
from paribus.keras_config.names import SPLITS, name_of
from paribus.records import (
    Curve,
    Described,
    DescribeJob,
    Ended,
    Environment,
    EpochDone,
    EpochReport,
    Event,
    Job,
    LayerSummary,
    Predictions,
    Recipe,
    RunResult,
    Scores,
    Started,
    Status,
    Training,
    TrainJob,
)
from paribus.version import __version__

_NOWHERE = Environment(__version__, "fake", "fake", "fake", "fake", np.__version__, "fake", "fake", "fake", "")


class FakeBackend(Backend):
    """Answers every job at once.

    Args:
        accuracy: the expected test accuracy of an arm by name; 0.9 for all by default.
        validation: the validation accuracy of an arm by name, where there is a validation split; its expected test
            accuracy by default.
    """

    def __init__(
        self, accuracy: Callable[[str], float] = lambda _: 0.9, validation: Callable[[str], float] | None = None
    ) -> None:
        self._accuracy = accuracy
        self._validation = accuracy if validation is None else validation

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Backend.run``; jobs are answered in their order."""
        for job in jobs:
            if isinstance(job, DescribeJob):
                digest = hashlib.sha256(job.spec.encode()).digest()
                parameters = 1000 + int.from_bytes(digest[:2], "big")
                row = LayerSummary("fake", "Fake", "(None,)", parameters)
                yield Described(job.arm, Recipe(job.spec, "{}", parameters, (row,)))
                continue
            yield Started(job)
            result = self._result(job)
            for epoch, fit in enumerate(zip(result.curve.fit_loss, result.curve.fit_accuracy, strict=True)):
                val = (result.curve.val_loss[epoch], result.curve.val_accuracy[epoch]) if result.curve.val_loss else ()
                yield EpochDone(job, EpochReport(epoch + 1, job.training.epochs, *fit, *val))
            yield Ended(job, result)

    def _result(self, job: TrainJob) -> RunResult:
        generator = np.random.default_rng(int(job.fingerprint[:16], 16))
        data = load(job.data)
        labels = data.y_test
        right = generator.random(len(labels)) < self._accuracy(job.arm)
        predicted = np.where(right, labels, (labels + 1) % data.classes).astype(np.int32)
        confidence = generator.uniform(0.6, 0.99, len(labels)).astype(np.float32)
        true_probability = np.where(right, confidence, 1 - confidence).astype(np.float32)
        accuracy = float(np.mean(predicted == labels))
        loss = float(-np.log(true_probability).mean())
        steps = np.arange(job.training.epochs, 0, -1)
        fit = tuple((loss * steps).tolist()), tuple((accuracy / steps).tolist())
        seen = self._validation(job.arm) if job.training.validation_split else None
        val = () if seen is None else (tuple(((1 - seen) * steps).tolist()), tuple((seen / steps).tolist()))
        curve = Curve(*fit, *val)
        weights = {"fake/kernel": generator.normal(size=3).astype(np.float32)}
        digest = hashlib.sha256(weights["fake/kernel"].tobytes()).hexdigest()
        scores = Scores(curve.fit_accuracy[-1], curve.fit_loss[-1], min(1.0, accuracy + 0.01), loss, accuracy, loss)
        return RunResult(
            fingerprint=job.fingerprint,
            status=Status.FINISHED,
            seeds=job.seeds,
            scores=scores,
            curve=curve,
            seconds=0.0,
            weights_digest=digest,
            environment=_NOWHERE,
            predictions=Predictions(predicted, confidence, true_probability),
            weights=weights,
            metrics=_metrics(job.training, accuracy),
        )


def _metrics(training: Training, accuracy: float) -> dict[str, float]:
    """The protocol's own metrics: the accuracy, under other names."""
    written = [item for metric in json.loads(training.metrics or "[]") for item in metric.items()]
    return {f"{split}_{name_of(*item)}": accuracy for item in written for split in SPLITS}
