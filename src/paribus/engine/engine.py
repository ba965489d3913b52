"""The engine: runs jobs, one group after the other, on one device. Knows no store, no study and no other process.

What is costly is cached between jobs: the data that was prepared last, and the compiled programs of an architecture,
which all seeds share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from paribus.data import load
from paribus.data.dataset import Content
from paribus.data.expected import ExpectedData
from paribus.engine import train
from paribus.engine.compile import Programs, compiled
from paribus.engine.describe import describe
from paribus.engine.environment import on_all_cores
from paribus.engine.lanes import Lanes
from paribus.engine.splits import Splits, splits
from paribus.records import DataSpec, DescribeJob, EpochReport, Recipe, RunResult, Training, TrainJob

CACHED_DATA = 2
"""Data sets in an engine's cache: those of one study, with and without a validation split where it is tuned."""

RANGE_EXAMPLES = 256
"""Examples that are looked at for the range of values that networks read."""


class Engine:
    """Computes runs. Not safe to share between threads.

    Args:
        lanes: how many runs are computed side by side, see ``paribus.engine.lanes``; 1 on a CPU, which gains nothing
            from more.
    """

    def __init__(self, lanes: int = 1) -> None:
        self._lanes = Lanes(lanes)
        self._data: dict[tuple[DataSpec, float, str | None], tuple[Splits, Content]] = {}
        self._programs: dict[tuple[Recipe, Training, DataSpec], Programs] = {}

    def describe(self, job: DescribeJob) -> Recipe:
        """The canonical form of an arm.

        Args:
            job: the arm as the study writes it, with the data and the protocol that it must fit.

        Raises:
            ModelError: Keras refuses the arm; the error lists every mistake.
            UsageError: the validation split leaves nothing to train on, or the initial weights cannot be read.
            DataError: the data cannot be read.
        """
        data = self._prepared(job.data, job.training, None)
        with on_all_cores():
            return describe(job, data.train.example_shape, data.classes, data.class_names, _ends(job.data, data))

    def run(self, job: TrainJob, on_epoch: Callable[[EpochReport], None] = lambda _: None) -> RunResult:
        """Train one arm with one seed and measure it in inference mode: a group of one.

        Args:
            job: the run.
            on_epoch: called after every epoch.

        Returns:
            The run, finished or diverged.

        Raises:
            DataError: the data cannot be read, has changed, or is not what the job was planned on.
            UsageError: as :meth:`describe`.
        """
        (result,) = self.run_group([job], lambda _, report: on_epoch(report))
        return result

    def run_group(self, jobs: Sequence[TrainJob], on_epoch: train.OnEpoch = lambda *_: None) -> list[RunResult]:
        """Train an arm with several seeds side by side, and measure each run honestly.

        Args:
            jobs: at least one, at most as many as there are lanes; equal in all but their seeds.
            on_epoch: called after every epoch of every run.

        Returns:
            The runs, in the order of the jobs. Their bits depend on the number of lanes alone, never on each other.

        Raises:
            DataError: the data cannot be read, has changed, or is not what the jobs were planned on.
            UsageError: as :meth:`describe`.
        """
        first = jobs[0]
        alike = {(job.recipe, job.training, job.data) for job in jobs}
        assert len(jobs) <= self._lanes.count, "a group has a lane for each of its runs"
        assert len(alike) == 1, "runs of a group differ in their seeds only"
        data = self._prepared(first.data, first.training, ExpectedData.of(first))
        return train.train(jobs, self._compiled(first, data), data, on_epoch)

    def _prepared(self, spec: DataSpec, training: Training, expected: ExpectedData | None) -> Splits:
        """The data of a job, read where it is not held already.

        Raises:
            DataError: it is not what the job was planned on; nothing is held of it.
        """
        key = (spec, training.validation_split, training.validation)
        held = self._data.pop(key, None)
        if held is not None and (expected is None or expected.is_in(held[1])):
            self._data[key] = held  # what was used last is the last to go
            return held[0]
        if expected is not None:
            expected.learn()
        data = load(spec)
        if expected is not None:
            expected.check(data.content, spec.source)
        while len(self._data) >= CACHED_DATA:
            del self._data[next(iter(self._data))]
        prepared = splits(data, training.validation_split, training.validation)
        self._data[key] = prepared, data.content
        return prepared

    def _compiled(self, job: TrainJob, data: Splits) -> Programs:
        key = (job.recipe, job.training, job.data)
        if key not in self._programs:
            with on_all_cores():
                self._programs[key] = compiled(job, data, self._lanes)
        return self._programs[key]


def _ends(spec: DataSpec, data: Splits) -> tuple[float, float]:
    """The smallest and the largest value that a network reads, in the first examples that are trained on."""
    x = np.asarray(data.train.rows(0, RANGE_EXAMPLES), np.float32)
    if spec.standardize:
        standard = data.train.standardization()
        x = (x - standard.mean) / standard.deviation
    elif spec.scale is not None:
        x = x / np.float32(spec.scale)
    return float(x.min()), float(x.max())
