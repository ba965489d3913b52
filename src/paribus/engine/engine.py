"""The engine: runs jobs, one after the other, on one device. Knows no store, no study and no other process.

What is costly is kept between jobs: the prepared data on the device, and the compiled programs of an architecture,
which all seeds share.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from paribus import seeds
from paribus.data import load
from paribus.engine import environment, metrics, program
from paribus.engine.describe import describe
from paribus.engine.digest import weights_digest
from paribus.engine.examples import Split, Splits, splits
from paribus.engine.network import State
from paribus.engine.programs import Programs, batches, compiled
from paribus.records import (
    Curve,
    DataSpec,
    DescribeJob,
    EpochReport,
    Predictions,
    Recipe,
    RunResult,
    Scores,
    Status,
    Training,
    TrainJob,
)
from paribus.stopping import stand, watched

OnEpoch = Callable[[EpochReport], None]


class Engine:
    """Computes runs. Not safe to share between threads."""

    def __init__(self) -> None:
        self._data: dict[tuple[DataSpec, float], Splits] = {}
        self._programs: dict[tuple[Recipe, Training, DataSpec], Programs] = {}

    def describe(self, job: DescribeJob) -> Recipe:
        """The canonical form of an arm.

        Raises:
            ModelError: with every mistake that Keras found.
        """
        data = self._prepared(job.data, job.training.validation_split)
        return describe(job, data.train.example_shape, data.classes)

    def run(self, job: TrainJob, on_epoch: OnEpoch = lambda _: None) -> RunResult:
        """Train one arm with one seed and measure it honestly.

        A loss that is nan or infinite after an epoch ends the run early, as ``diverged``; it scores what its weights
        score. With early stopping the weights of the best epoch are kept, and its fit measures are the run's.
        """
        data = self._prepared(job.data, job.training.validation_split)
        programs = self._compiled(job, data)
        network = programs.network
        started = time.perf_counter()
        state = programs.draw(seeds.init_key(job.seeds), seeds.dropout_keys(job.seeds, len(network.seed_states)))
        reports: list[EpochReport] = []
        stopping, kept = job.training.early_stopping, state
        status, reason = Status.FINISHED, None
        for epoch in range(job.training.epochs):
            order = seeds.epoch_order(job.seeds, epoch, len(data.train))
            state, measures = _epoch(programs, state, data.train, order, job.training.batch_size)
            report = self._report(programs, state, measures, data.validation, epoch, job.training.epochs)
            reports.append(report)
            on_epoch(report)
            if not math.isfinite(report.fit_loss):
                status, reason = Status.DIVERGED, f"the loss was {report.fit_loss} after epoch {report.epoch}"
                break
            if stopping is not None:
                now = stand(stopping, watched(stopping, reports))
                if now.kept == report.epoch:
                    # The next epoch takes the state's memory.
                    kept = jax.tree.map(jnp.copy, state)
                if now.stop:
                    break
        if stopping is None or status is Status.DIVERGED:
            shown, state = reports[-1], network.finalized(state)
        else:
            shown, state = reports[stand(stopping, watched(stopping, reports)).kept - 1], kept
        train = self._evaluate(programs, state, data.train)
        test = self._evaluate(programs, state, data.test)
        own = self._metrics(job.training.metrics, programs, state, data)
        weights = {path: np.asarray(value) for path, value in network.named_weights(state).items()}
        seconds = time.perf_counter() - started
        if status is Status.FINISHED and not all(np.isfinite(value).all() for value in weights.values()):
            status, reason = Status.DIVERGED, "a weight was not finite after the last epoch"
        return RunResult(
            fingerprint=job.fingerprint,
            status=status,
            seeds=job.seeds,
            scores=Scores(
                fit_accuracy=shown.fit_accuracy,
                fit_loss=shown.fit_loss,
                train_accuracy=_accuracy(train, data.train),
                train_loss=_mean(train.loss),
                test_accuracy=_accuracy(test, data.test),
                test_loss=_mean(test.loss),
            ),
            curve=_curve(reports),
            seconds=seconds,
            weights_digest=weights_digest(weights),
            environment=environment.current(),
            reason=reason,
            predictions=Predictions(
                np.asarray(test.predicted), np.asarray(test.confidence), np.asarray(test.true_probability)
            ),
            weights=weights,
            metrics=own,
        )

    def _prepared(self, spec: DataSpec, validation_split: float) -> Splits:
        key = (spec, validation_split)
        if key not in self._data:
            self._data[key] = splits(load(spec), validation_split)
        return self._data[key]

    def _compiled(self, job: TrainJob, data: Splits) -> Programs:
        key = (job.recipe, job.training, job.data)
        if key not in self._programs:
            self._programs[key] = compiled(job, data)
        return self._programs[key]

    def _evaluate(self, programs: Programs, state: State, split: Split) -> program.Evaluation:
        """A whole split through the program for one batch; the last batch overlaps the one before if it must."""
        size = programs.evaluation_batch
        parts = [
            programs.evaluate(state, split.rows(i, i + size), split.labels[i : i + size]) for i in _starts(split, size)
        ]
        return program.Evaluation(*(_joined(column, len(split)) for column in zip(*parts, strict=True)))

    def _metrics(self, asked: str | None, programs: Programs, state: State, data: Splits) -> dict[str, float]:
        """The protocol's own metrics on both splits, after the last epoch, in inference mode."""
        if asked is None:
            return {}
        found: dict[str, float] = {}
        size = programs.evaluation_batch
        for name, split in (("test", data.test), ("train", data.train)):
            parts = [programs.outputs(state, split.rows(i, i + size)) for i in _starts(split, size)]
            outputs = _joined(parts, len(split))
            values = metrics.measured(asked, outputs, split.labels, programs.network.from_logits)
            found |= {f"{name}_{metric}": value for metric, value in values.items()}
        return found

    def _report(
        self,
        programs: Programs,
        state: State,
        measures: program.EpochMeasures,
        validation: Split | None,
        epoch: int,
        epochs: int,
    ) -> EpochReport:
        fit = (epoch + 1, epochs, measures.loss, measures.accuracy)
        if validation is None:
            return EpochReport(*fit)
        result = self._evaluate(programs, state, validation)
        return EpochReport(*fit, _mean(result.loss), _accuracy(result, validation))


def _epoch(
    programs: Programs, state: State, train: Split, order: NDArray[np.int32], batch_size: int
) -> tuple[State, program.EpochMeasures]:
    """One pass over the training split, chunk by chunk."""
    sums = program.Sums.zero()
    for chunk in train.epoch(order, batch_size):
        for rows in batches(chunk.order, batch_size) if programs.stepwise else [chunk.order]:
            call = programs.chunks[len(rows), len(chunk.order)]
            state, sums = call(state, sums, rows, chunk.x, chunk.labels)
        # The program may still run; waiting for what it says keeps chunks from piling up in memory.
        np.asarray(sums.right)
    return state, sums.measures(len(train))


def _starts(split: Split, size: int) -> list[int]:
    """Where batches of one size begin that cover a split; the last overlaps the one before if it must."""
    return [*range(0, len(split) - size, size), len(split) - size]


def _joined(parts: Sequence[jax.Array | NDArray[Any]], examples: int) -> NDArray[Any]:
    """The batches of ``_starts`` as one array, without what the last repeats."""
    repeated = sum(len(part) for part in parts) - examples
    return np.concatenate([*parts[:-1], np.asarray(parts[-1])[repeated:]])


def _mean(values: jax.Array | NDArray[np.float32]) -> float:
    return float(np.mean(np.asarray(values), dtype=np.float64))


def _accuracy(result: program.Evaluation, split: Split) -> float:
    return float(np.mean(np.asarray(result.predicted) == np.asarray(split.labels)))


def _curve(reports: Sequence[EpochReport]) -> Curve:
    return Curve(
        tuple(r.fit_loss for r in reports),
        tuple(r.fit_accuracy for r in reports),
        tuple(r.val_loss for r in reports if r.val_loss is not None),
        tuple(r.val_accuracy for r in reports if r.val_accuracy is not None),
    )
