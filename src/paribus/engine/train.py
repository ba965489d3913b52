"""One training: a group of runs of one arm, a lane each, from their first weights to their results.

The lanes go through the epochs together. A run that is over before the others keeps the state that it ended with; its
lane is computed on, and what it computes from then on is thrown away.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from paribus import seeds
from paribus.early_stopping import StoppingState, judge_epochs, list_monitored
from paribus.engine import environment, steps
from paribus.engine.compile import Programs, batches
from paribus.engine.digest import weights_digest
from paribus.engine.evaluate import accuracy, evaluated, mean, own_metrics
from paribus.engine.network import State
from paribus.engine.rates import read_rates, sets_rates, with_rates
from paribus.engine.splits import Split, Splits
from paribus.keras_config.learning_rates import list_learning_rates, monitored_in
from paribus.records import Curve, EpochReport, Predictions, RunResult, Scores, Status, TrainJob

OnEpoch = Callable[[TrainJob, EpochReport], None]


@dataclass(slots=True)
class _Course:
    """How a run went so far."""

    job: TrainJob
    reports: list[EpochReport] = field(default_factory=list)
    first_rate: float | None = None
    status: Status = Status.FINISHED
    reason: str | None = None
    over: bool = False

    def go_on(self, report: EpochReport) -> bool:
        """Take note of one more epoch; whether the state after it is the run's, as far as is known."""
        self.reports.append(report)
        self.over = report.epoch == report.epochs
        if not math.isfinite(report.fit_loss):
            self.status, self.reason = Status.DIVERGED, f"the loss was {report.fit_loss} after epoch {report.epoch}"
            self.over = True
        if self.ends_with_its_last:
            return self.over
        now = self._stand()
        self.over |= now.stop
        return now.best_epoch == report.epoch

    def next_rate(self) -> float:
        """The learning rate of the epoch to come, where the protocol sets it."""
        training = self.job.training
        if training.learning_rates is not None:
            # The lane of a run that is over is computed on.
            return training.learning_rates[min(len(self.reports), training.epochs - 1)]
        assert training.reduce_lr_on_plateau is not None
        assert self.first_rate is not None
        monitored = monitored_in(self.reports, training.reduce_lr_on_plateau.monitor)
        return list_learning_rates(training.reduce_lr_on_plateau, monitored, self.first_rate)[-1]

    @property
    def ends_with_its_last(self) -> bool:
        """Whether the run's state is that after its last epoch, and not after its best."""
        return self.job.training.early_stopping is None or self.status is Status.DIVERGED

    @property
    def reported_epoch(self) -> EpochReport:
        """The epoch whose fit measures are the run's."""
        return self.reports[-1] if self.ends_with_its_last else self.reports[self._stand().best_epoch - 1]

    def curve(self) -> Curve:
        return Curve(
            tuple(r.fit_loss for r in self.reports),
            tuple(r.fit_accuracy for r in self.reports),
            tuple(r.val_loss for r in self.reports if r.val_loss is not None),
            tuple(r.val_accuracy for r in self.reports if r.val_accuracy is not None),
        )

    def _stand(self) -> StoppingState:
        stopping = self.job.training.early_stopping
        assert stopping is not None
        return judge_epochs(stopping, list_monitored(stopping, self.reports))


def train(jobs: Sequence[TrainJob], programs: Programs, data: Splits, on_epoch: OnEpoch) -> list[RunResult]:
    """Train a group of runs, a lane each, and measure them on both splits in inference mode.

    A loss that is nan or infinite after an epoch ends a run early, as ``diverged``: it is scored with the weights of
    that epoch. With early stopping a run ends with the weights of its best epoch, whose fit measures are the run's.

    Args:
        jobs: at most as many as there are lanes; they differ in nothing but their seeds.
        programs: the compiled programs of the arm.
        data: the splits.
        on_epoch: called after every epoch of every run that is not over.

    Returns:
        The runs, in the order of the jobs. ``seconds`` is the group's wall time divided by the number of runs.

    Raises:
        UsageError: the class of an added metric is not the one of which the study was made.
        DataError: a streamed file has changed since it was opened.
    """
    lanes, network = programs.lanes, programs.network
    if data.validation is not None:
        programs.evaluate.ready()
    started = time.perf_counter()
    courses = [_Course(job) for job in jobs]
    state = programs.initial_state([job.seeds for job in jobs])
    final: State | None = None
    optimizer, changes_rates = network.optimizer, sets_rates(jobs[0].training)
    if changes_rates:
        for course, rate in zip(courses, read_rates(optimizer, state, lanes), strict=False):
            course.first_rate = rate
    for epoch in range(jobs[0].training.epochs):
        if changes_rates:
            state = with_rates(optimizer, state, lanes, [course.next_rate() for course in courses])
        orders = [seeds.epoch_order(job.seeds, epoch, len(data.train)) for job in jobs]
        state, measures = _epoch(programs, state, data.train, lanes.together(orders), jobs[0].training.batch_size)
        reports = _reports(programs, state, measures, data.validation, epoch, jobs)
        is_final = [False] * len(jobs)
        for lane, (course, report) in enumerate(zip(courses, reports, strict=False)):
            if not course.over:
                is_final[lane] = course.go_on(report)
                on_epoch(course.job, report)
        all_over = all(course.over for course in courses)
        if any(is_final):
            # The next epoch takes the state's memory.
            final = lanes.select(is_final, state if all_over else jax.tree.map(jnp.copy, state), final)
        if all_over:
            break
    assert final is not None, "every run ends with the state after one of its epochs"
    if any(course.ends_with_its_last for course in courses):
        finalized = lanes.over(network.finalized, 0)(final)
        final = lanes.select([course.ends_with_its_last for course in courses], finalized, final)
    started += programs.evaluate.ready()  # compiling is no part of a run's seconds
    return _results(courses, programs, final, data, started)


def _epoch(
    programs: Programs, state: State, train: Split, order: NDArray[np.int32], batch_size: int
) -> tuple[State, list[steps.EpochMeasures]]:
    """One pass over the training split, chunk by chunk; the measures of each lane."""
    sums = programs.zero()
    for chunk in train.epoch(order, batch_size):
        for rows in batches(chunk.order, batch_size) if programs.stepwise else [chunk.order]:
            call = programs.chunks[rows.shape[-1], chunk.order.shape[-1]]
            state, sums = call(state, sums, rows, chunk.x, chunk.labels)
        # The program may still run; waiting for its sums keeps chunks from piling up in memory.
        np.asarray(sums.right)
    return state, [lane.measures(len(train)) for lane in programs.lanes.apart(sums)]


def _reports(
    programs: Programs,
    state: State,
    measures: Sequence[steps.EpochMeasures],
    validation: Split | None,
    epoch: int,
    jobs: Sequence[TrainJob],
) -> list[EpochReport]:
    """The report of each lane after an epoch."""
    fit = [(epoch + 1, jobs[0].training.epochs, lane.loss, lane.accuracy) for lane in measures]
    if validation is None:
        return [EpochReport(*row) for row in fit]
    evaluations = evaluated(programs, state, validation)
    return [
        EpochReport(*row, mean(result.loss), accuracy(result, validation))
        for row, result in zip(fit, evaluations, strict=True)
    ]


def _results(
    courses: Sequence[_Course], programs: Programs, state: State, data: Splits, started: float
) -> list[RunResult]:
    """Measure every lane honestly: both splits, in inference mode, with the weights that its run ended with."""
    train, test = evaluated(programs, state, data.train), evaluated(programs, state, data.test)
    own = own_metrics(courses[0].job.training, programs, state, data)
    weights_by_path = [programs.network.named_weights(lane) for lane in programs.lanes.apart(state)]
    seconds = (time.perf_counter() - started) / len(courses)
    results = []
    for lane, course in enumerate(courses):
        weights = {path: np.asarray(value) for path, value in weights_by_path[lane].items()}
        fit, on_train, on_test = course.reported_epoch, train[lane], test[lane]
        if course.status is Status.FINISHED and not all(np.isfinite(value).all() for value in weights.values()):
            course.status, course.reason = Status.DIVERGED, "a weight was not finite after the last epoch"
        scores = Scores(
            fit_accuracy=fit.fit_accuracy,
            fit_loss=fit.fit_loss,
            train_accuracy=accuracy(on_train, data.train),
            train_loss=mean(on_train.loss),
            test_accuracy=accuracy(on_test, data.test),
            test_loss=mean(on_test.loss),
        )
        results.append(
            RunResult(
                fingerprint=course.job.fingerprint,
                status=course.status,
                seeds=course.job.seeds,
                scores=scores,
                curve=course.curve(),
                seconds=seconds,
                weights_digest=weights_digest(weights),
                environment=environment.current(programs.lanes.count),
                reason=course.reason,
                predictions=Predictions(
                    np.asarray(on_test.predicted), np.asarray(on_test.confidence), np.asarray(on_test.true_probability)
                ),
                weights=weights,
                metrics=own[lane],
            )
        )
    return results
