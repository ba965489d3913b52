"""Computing a job in this process: the engine for networks, the estimators for scikit-learn's.

Either package is imported with its first job: a worker that fits estimators alone starts without Keras and JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paribus.data import class_names
from paribus.engine.compilation_cache import damage_removed
from paribus.engine.imports import import_keras, imports_uncollected
from paribus.errors import ModelError
from paribus.records import DescribeJob, EpochReport, Recipe, RunResult, Training, TrainJob

if TYPE_CHECKING:
    from paribus.engine.engine import Engine
    from paribus.estimators.estimators import Estimators


class JobRunner:
    """Computes jobs, one group after the other. Not safe to share between threads."""

    def __init__(self, lanes: int = 1) -> None:
        """``lanes`` is how many networks are trained side by side."""
        self._lanes = lanes

    def warm_up(self) -> None:
        """Import what trains networks."""
        assert self._engine

    def describe(self, job: DescribeJob) -> Recipe:
        """The canonical form of an arm.

        Args:
            job: the arm as the study writes it.

        Raises:
            ModelError: Keras or scikit-learn refuses the arm; the error lists every mistake.
            UsageError, DataError: as :meth:`paribus.engine.engine.Engine.describe`.
        """
        if not job.is_estimator:
            with damage_removed():
                return self._engine.describe(job)
        recipe = self._estimators.describe(job)
        if job.training.metrics is not None:
            from paribus.engine.describe import metric_mistakes

            names = class_names(job.data)
            mistakes = metric_mistakes(job.training, names, len(names), of_estimator=True)
            if mistakes:
                raise ModelError(f"arm '{job.arm}'", mistakes)
        return recipe

    def run(self, jobs: Sequence[TrainJob], on_epoch: Callable[[TrainJob, EpochReport], None]) -> list[RunResult]:
        """Compute the runs of a group.

        Args:
            jobs: equal in all but their seeds; of an estimator one at a time.
            on_epoch: called after every epoch of a network.

        Returns:
            The runs, in the order of the jobs.

        Raises:
            UsageError, DataError: as :meth:`paribus.engine.engine.Engine.run_group`.
        """
        if jobs[0].recipe.is_estimator:
            return [self._estimators.run(job) for job in jobs]
        with damage_removed():
            return self._engine.run_group(jobs, on_epoch)

    @cached_property
    def _engine(self) -> Engine:
        with imports_uncollected():
            import_keras()
            from paribus.engine.engine import Engine

        return Engine(self._lanes)

    @cached_property
    def _estimators(self) -> Estimators:
        from paribus.estimators.estimators import Estimators

        return Estimators(_measured)


def _measured(
    training: Training, class_names: Sequence[str], probabilities: NDArray[np.float32], labels: NDArray[np.int32]
) -> dict[str, float]:
    """Metrics of Keras, which only the engine knows, on an estimator's answers."""
    from paribus.engine.metrics import ProtocolMetrics, measure_metrics

    metrics = ProtocolMetrics.of_training(training, class_names, of_estimator=True)
    return measure_metrics(metrics, probabilities, labels)
