"""What is known of a study while it runs: counts, accuracies so far, and an estimate of what is left. No drawing.

The estimate: an arm's cost per epoch is the mean of its epochs so far, as they passed on the clock; arms that have none
yet are priced by their parameters at the rate of those that have. What is left is the sum over open epochs, divided by
the workers that are busy. A run of a scikit-learn estimator counts as one epoch; nobody knows beforehand how long
it takes, so arms of estimators that have no run yet are priced like a mean run of the others.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from paribus.plan import Plan
from paribus.records import Ended, EpochDone, EpochReport, Event, Interrupted, RunResult, Started, Status, TrainJob

FIXED_COST = 50_000
"""Parameters that an epoch costs whatever the network: small networks are not free."""


@dataclass(slots=True)
class Running:
    """A run under way: when its last epoch ended, and what it said."""

    job: TrainJob
    since: float
    report: EpochReport | None = None
    attempt: int = 1


@dataclass(slots=True)
class Tally:
    """Counts events. ``clock`` gives seconds and never goes back."""

    plan: Plan
    clock: Callable[[], float] = time.monotonic
    running: dict[str, Running] = field(default_factory=dict)
    ended: dict[str, RunResult] = field(default_factory=dict)
    _seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def count(self, event: Event) -> None:
        """Take an event in."""
        now = self.clock()
        match event:
            case Started(job, attempt):
                self.running[job.fingerprint] = Running(job, now, None, attempt)
            case EpochDone(job, report):
                run = self.running[job.fingerprint]
                self._seconds[job.arm].append(now - run.since)
                run.since, run.report = now, report
            case Interrupted(stopped=stopped):
                for job in stopped:
                    self.running.pop(job.fingerprint, None)
            case Ended(job, result):
                ended = self.running.pop(job.fingerprint, None)
                if ended is not None and job.recipe.is_estimator:
                    self._seconds[job.arm].append(now - ended.since)
                # Without its arrays: of a thousand runs they would take all memory.
                self.ended[job.fingerprint] = replace(result, weights=None, predictions=None)

    @property
    def total(self) -> int:
        """How many runs there are to do."""
        return len(self.plan.missing)

    def failed(self) -> int:
        """How many runs ended without a score."""
        return sum(result.status is Status.FAILED for result in self.ended.values())

    def fraction(self) -> float:
        """The share of the work that is done, by cost."""
        open_cost = self._open_cost()
        whole = sum(_cost(job) * _epochs(job) for job in self.plan.missing)
        return 1.0 - open_cost / whole if whole else 1.0

    def seconds_left(self) -> float | None:
        """An estimate; None before the first epoch, or run of an estimator, has passed."""
        seconds = {arm: sum(times) / len(times) for arm, times in self._seconds.items()}
        if not seconds:
            return None
        by_arm = {job.arm: job for job in self.plan.missing}
        networks = [arm for arm in seconds if not by_arm[arm].recipe.is_estimator]
        run = sum(mean * _epochs(by_arm[arm]) for arm, mean in seconds.items()) / len(seconds)
        rate = sum(seconds[arm] for arm in networks) / sum(_cost(by_arm[arm]) for arm in networks) if networks else None

        def priced(job: TrainJob) -> float:
            if job.arm in seconds:
                return seconds[job.arm]
            return run / _epochs(job) if rate is None or job.recipe.is_estimator else rate * _cost(job)

        waiting = (job for job in self.plan.missing if job.fingerprint not in self.ended)
        return sum(self._open_epochs(job) * priced(job) for job in waiting) / max(1, len(self.running))

    def _open_epochs(self, job: TrainJob) -> int:
        run = self.running.get(job.fingerprint)
        return _epochs(job) - (run.report.epoch if run is not None and run.report is not None else 0)

    def _open_cost(self) -> int:
        waiting = (job for job in self.plan.missing if job.fingerprint not in self.ended)
        return sum(self._open_epochs(job) * _cost(job) for job in waiting)


def _cost(job: TrainJob) -> int:
    return job.recipe.parameters + FIXED_COST


def _epochs(job: TrainJob) -> int:
    """How many steps a run is told in."""
    return 1 if job.recipe.is_estimator else job.training.epochs
