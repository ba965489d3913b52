"""The engine: runs jobs, one after the other, on one device. Knows no store, no study and no other process.

What is costly is kept between jobs: the prepared data on the device, and the compiled programs of an architecture,
which all seeds share.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from paribus import seeds
from paribus.data import load, standardization
from paribus.data.dataset import Dataset
from paribus.data.split import trained_on
from paribus.engine import environment, metrics, program
from paribus.engine.describe import describe
from paribus.engine.digest import weights_digest
from paribus.engine.network import Network, State
from paribus.engine.revive import as_read, input_shape
from paribus.errors import UsageError
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

DRAW_ONCE: dict[str, str | bool] = {"xla_backend_optimization_level": "1"}
"""Drawing weights runs for milliseconds, once a run; compiling it with full effort would take seconds."""

OnEpoch = Callable[[EpochReport], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """Examples with their labels, as they lie in memory: on a CPU, JAX reads them where they are."""

    x: NDArray[Any]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.x.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A dataset, split; ``validation`` is the last part of the training data, as Keras takes it.

    ``resident`` is the training split on the device, for the program that picks its batches out of it.
    """

    train: _Split
    validation: _Split | None
    test: _Split
    classes: int
    resident: tuple[jax.Array, jax.Array]

    @property
    def splits(self) -> tuple[_Split, ...]:
        """The splits that there are."""
        return tuple(split for split in (self.train, self.validation, self.test) if split is not None)


@dataclass(frozen=True, slots=True, eq=False)
class _Programs:
    """An architecture's network and its compiled programs."""

    network: Network
    draw: Any
    epoch: Any
    evaluate: Any
    outputs: Any
    evaluation_batch: int


class Engine:
    """Computes runs. Not safe to share between threads."""

    def __init__(self) -> None:
        self._data: dict[tuple[DataSpec, float], _Prepared] = {}
        self._programs: dict[tuple[Recipe, Training, DataSpec], _Programs] = {}

    def describe(self, job: DescribeJob) -> Recipe:
        """The canonical form of an arm.

        Raises:
            ModelError: with every mistake that Keras found.
        """
        data = self._prepared(job.data, job.training.validation_split)
        return describe(job, tuple(data.train.x.shape[1:]), data.classes)

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
            state, measures = programs.epoch(state, order, *data.resident)
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

    def _prepared(self, spec: DataSpec, validation_split: float) -> _Prepared:
        key = (spec, validation_split)
        if key not in self._data:
            self._data[key] = _prepare(load(spec), validation_split)
        return self._data[key]

    def _compiled(self, job: TrainJob, data: _Prepared) -> _Programs:
        key = (job.recipe, job.training, job.data)
        if key in self._programs:
            return self._programs[key]
        network = Network.rebuild(job.recipe, job.training)
        reads = as_read(input_shape(network.model)[1:], tuple(data.train.x.shape[1:]))
        assert reads is not None, "describe has checked it"
        standard = standardization(data.train.x) if job.data.standardize else None
        prepare = program.prepared(reads, job.data.scale, standard)
        keys = (seeds.init_key(job.seeds), seeds.dropout_keys(job.seeds, len(network.seed_states)))
        draw = jax.jit(network.initial_state).lower(*keys).compile(compiler_options=DRAW_ONCE)
        state = jax.eval_shape(network.initial_state, *keys)
        order = seeds.epoch_order(job.seeds, 0, len(data.train))
        weights = _class_weights(job.training, data)
        epoch = jax.jit(program.epoch_program(network, prepare, job.training.batch_size, weights), donate_argnums=0)
        evaluate = jax.jit(program.evaluation_program(network, prepare))
        size = min(program.EVALUATION_BATCH, *(len(split) for split in data.splits))
        programs = _Programs(
            network,
            draw,
            epoch.lower(state, order, *data.resident).compile(),
            evaluate.lower(state, data.test.x[:size], data.test.labels[:size]).compile(),
            jax.jit(program.outputs_program(network, prepare)),
            size,
        )
        self._programs[key] = programs
        return programs

    def _evaluate(self, programs: _Programs, state: State, split: _Split) -> program.Evaluation:
        """A whole split through the program for one batch; the last batch overlaps the one before if it must."""
        size = programs.evaluation_batch
        parts = [
            programs.evaluate(state, split.x[i : i + size], split.labels[i : i + size]) for i in _starts(split, size)
        ]
        return program.Evaluation(*(_joined(column, len(split)) for column in zip(*parts, strict=True)))

    def _metrics(self, asked: str | None, programs: _Programs, state: State, data: _Prepared) -> dict[str, float]:
        """The protocol's own metrics on both splits, after the last epoch, in inference mode."""
        if asked is None:
            return {}
        found: dict[str, float] = {}
        size = programs.evaluation_batch
        for name, split in (("test", data.test), ("train", data.train)):
            parts = [programs.outputs(state, split.x[i : i + size]) for i in _starts(split, size)]
            outputs = _joined(parts, len(split))
            values = metrics.measured(asked, outputs, split.labels, programs.network.from_logits)
            found |= {f"{name}_{metric}": value for metric, value in values.items()}
        return found

    def _report(
        self,
        programs: _Programs,
        state: State,
        measures: program.EpochMeasures,
        validation: _Split | None,
        epoch: int,
        epochs: int,
    ) -> EpochReport:
        fit = (epoch + 1, epochs, float(measures.loss), float(measures.accuracy))
        if validation is None:
            return EpochReport(*fit)
        result = self._evaluate(programs, state, validation)
        return EpochReport(*fit, _mean(result.loss), _accuracy(result, validation))


def _prepare(data: Dataset, validation_split: float) -> _Prepared:
    """Cut the validation split off the end, before any shuffling, as Keras does; put the rest on the device.

    Raises:
        UsageError: the split leaves nothing to train on, or nothing to validate on.
    """
    examples = len(data.x_train)
    kept = trained_on(examples, validation_split)
    if validation_split and kept in (0, examples):
        raise UsageError(
            f"validation_split {validation_split}: of the {examples} training examples of {data.name} it leaves {kept} "
            f"to train on and {examples - kept} to validate on; 0.1 sets a tenth aside"
        )
    train = _Split(data.x_train[:kept], data.y_train[:kept])
    validation = _Split(data.x_train[kept:], data.y_train[kept:]) if validation_split else None
    resident = (jax.device_put(train.x), jax.device_put(train.labels))
    return _Prepared(train, validation, _Split(data.x_test, data.y_test), data.classes, resident)


def _class_weights(training: Training, data: _Prepared) -> NDArray[np.float32] | None:
    """The weight of each class, shape ``(classes,)``; "balanced" is n / (classes * count), as scikit-learn has it."""
    if training.class_weight is None:
        return None
    weights = np.ones(data.classes, np.float32)
    if isinstance(training.class_weight, str):
        counts = np.bincount(data.train.labels, minlength=data.classes)
        weights[:] = len(data.train) / (data.classes * np.maximum(counts, 1))
        return weights
    for index, weight in training.class_weight:
        weights[index] = weight
    return weights


def _starts(split: _Split, size: int) -> list[int]:
    """Where batches of one size begin that cover a split; the last overlaps the one before if it must."""
    return [*range(0, len(split) - size, size), len(split) - size]


def _joined(parts: Sequence[jax.Array | NDArray[Any]], examples: int) -> NDArray[Any]:
    """The batches of ``_starts`` as one array, without what the last repeats."""
    repeated = sum(len(part) for part in parts) - examples
    return np.concatenate([*parts[:-1], np.asarray(parts[-1])[repeated:]])


def _mean(values: jax.Array | NDArray[np.float32]) -> float:
    return float(np.mean(np.asarray(values), dtype=np.float64))


def _accuracy(result: program.Evaluation, split: _Split) -> float:
    return float(np.mean(np.asarray(result.predicted) == np.asarray(split.labels)))


def _curve(reports: Sequence[EpochReport]) -> Curve:
    return Curve(
        tuple(r.fit_loss for r in reports),
        tuple(r.fit_accuracy for r in reports),
        tuple(r.val_loss for r in reports if r.val_loss is not None),
        tuple(r.val_accuracy for r in reports if r.val_accuracy is not None),
    )
