"""What is known of a study while it runs: counts, accuracies so far, and an estimate of what is left. No drawing.

The estimate: an arm's cost per epoch is the mean of its epochs so far, as they passed on the clock; arms that have none
yet are priced by their parameters at the rate of those that have. What is left is the sum over open epochs, divided by
the workers that are busy. A run of a scikit-learn estimator counts as one epoch; nobody knows beforehand how long
it takes, so arms of estimators that have no run yet are priced like a mean run of the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from paribus.records import Ended, EpochDone, EpochReport, Event, Interrupted, RunResult, Started, Status, TrainJob
from paribus.study.plan import RunPlan

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
class _Arm:
    """An arm's runs that have not ended: their epochs, those weighed by cost; and the epochs that were timed."""

    job: TrainJob
    epochs: int = 0
    cost: int = 0
    timed: int = 0
    seconds: float = 0.0

    def time(self, seconds: float) -> None:
        """An epoch has taken so long."""
        self.timed += 1
        self.seconds += seconds

    @property
    def mean(self) -> float:
        """Seconds of an epoch."""
        return self.seconds / self.timed


@dataclass(slots=True)
class Tally:
    """Counts events. ``clock`` gives seconds and never goes back. Telling what is left takes no look at every run."""

    plan: RunPlan
    clock: Callable[[], float] = time.monotonic
    running: dict[str, Running] = field(default_factory=dict)
    ended: dict[str, RunResult] = field(default_factory=dict)
    _arms: dict[str, _Arm] = field(default_factory=dict)
    _whole: int = 0

    def __post_init__(self) -> None:
        for job in self.plan.missing:
            arm = self._arms.setdefault(job.arm, _Arm(job))
            arm.epochs += _epochs(job)
            arm.cost += _epochs(job) * _cost(job)
            self._whole += _epochs(job) * _cost(job)

    def count(self, event: Event) -> None:
        """Take an event in."""
        now = self.clock()
        match event:
            case Started(job, attempt):
                self.running[job.fingerprint] = Running(job, now, None, attempt)
            case EpochDone(job, report):
                run = self.running[job.fingerprint]
                self._arms[job.arm].time(now - run.since)
                run.since, run.report = now, report
            case Interrupted(stopped=stopped):
                for job in stopped:
                    self.running.pop(job.fingerprint, None)
            case Ended(job, result):
                arm, ended = self._arms[job.arm], self.running.pop(job.fingerprint, None)
                if ended is not None and job.recipe.is_estimator:
                    arm.time(now - ended.since)
                arm.epochs -= _epochs(job)
                arm.cost -= _epochs(job) * _cost(job)
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
        done = sum(_told(run) * _cost(run.job) for run in self.running.values())
        open_cost = sum(arm.cost for arm in self._arms.values()) - done
        return 1.0 - open_cost / self._whole if self._whole else 1.0

    def seconds_left(self) -> float | None:
        """An estimate; None before the first epoch, or run of an estimator, has passed."""
        timed = [arm for arm in self._arms.values() if arm.timed]
        if not timed:
            return None
        networks = [arm for arm in timed if not arm.job.recipe.is_estimator]
        run = sum(arm.mean * _epochs(arm.job) for arm in timed) / len(timed)
        rate = sum(arm.mean for arm in networks) / sum(_cost(arm.job) for arm in networks) if networks else None
        left = 0.0
        for arm in self._arms.values():
            if arm.timed:
                left += arm.epochs * arm.mean
            elif rate is None or arm.job.recipe.is_estimator:
                left += arm.epochs * run / _epochs(arm.job)
            else:
                left += arm.cost * rate
        # Epochs that were told belong to arms that were timed.
        left -= sum(_told(run) * self._arms[run.job.arm].mean for run in self.running.values() if _told(run))
        return max(0.0, left) / max(1, len(self.running))


def _told(run: Running) -> int:
    """How many of its epochs a run has behind it."""
    return 0 if run.report is None else run.report.epoch


def _cost(job: TrainJob) -> int:
    return job.recipe.parameters + FIXED_COST


def _epochs(job: TrainJob) -> int:
    """How many steps a run is told in."""
    return 1 if job.recipe.is_estimator else job.training.epochs
