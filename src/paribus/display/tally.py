"""The progress of a study while it runs: counts, accuracies so far, an estimate of the time left. Draws nothing.

The estimate: an arm's seconds per epoch are the mean over its epochs so far, without the first one of each run, in
which its network may be compiled. Where runs have one epoch, it is the shortest of two or more. An arm without any is
estimated from its parameters, at the rate of the other arms. The time left is the sum over all epochs to do, divided by
the number of busy workers. A run of a scikit-learn estimator counts as one epoch. How long it takes is not known
beforehand, so an arm of estimators without a run is estimated as a mean run of the others.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from paribus.records import Ended, EpochDone, EpochReport, Event, Interrupted, RunResult, Started, Status, TrainJob
from paribus.study.plan import RunPlan

FIXED_COST = 50_000
"""Parameters that an epoch costs whatever the network: small networks are not free."""


@dataclass(slots=True)
class Running:
    """A run that is being computed.

    Attributes:
        job: the run.
        started: when it was started, by the clock of the tally.
        since: when its last epoch ended, or when it was started.
        report: the measures after its last epoch; None before the first.
        attempt: how many times it was started, above 1 where a worker died.
    """

    job: TrainJob
    started: float
    since: float
    report: EpochReport | None = None
    attempt: int = 1


@dataclass(slots=True)
class _Arm:
    """An arm's runs to do: their epochs, and their cost; the number and the seconds of its timed epochs.

    ``first_epochs`` counts the first epochs of runs, and ``shortest_first`` is the shortest of them.
    """

    job: TrainJob
    epochs: int = 0
    cost: int = 0
    later_epochs: int = 0
    later_seconds: float = 0.0
    first_epochs: int = 0
    shortest_first: float = math.inf

    def time(self, seconds: float, *, first: bool = False) -> None:
        """Add the seconds of an epoch."""
        if first:
            self.first_epochs += 1
            self.shortest_first = min(self.shortest_first, seconds)
        else:
            self.later_epochs += 1
            self.later_seconds += seconds

    @property
    def timed(self) -> bool:
        """Whether the seconds of an epoch are known."""
        return self.later_epochs > 0 or (_epochs(self.job) == 1 and self.first_epochs > 1)

    @property
    def mean(self) -> float:
        """Seconds of an epoch."""
        return self.later_seconds / self.later_epochs if self.later_epochs else self.shortest_first


@dataclass(slots=True)
class Tally:
    """Counts events. ``clock`` gives seconds and never goes back. An estimate costs the same for any number of runs."""

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
        """Count an event.

        Args:
            event: what the backend reported.
        """
        now = self.clock()
        match event:
            case Started(job, attempt):
                self.running[job.fingerprint] = Running(job, now, now, None, attempt)
            case EpochDone(job, report):
                run = self.running[job.fingerprint]
                self._arms[job.arm].time(now - run.since, first=run.report is None)
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
        """The fraction of the work that is done, by cost."""
        done = sum(_epochs_done(run) * _cost(run.job) for run in self.running.values())
        open_cost = sum(arm.cost for arm in self._arms.values()) - done
        return 1.0 - open_cost / self._whole if self._whole else 1.0

    def seconds_left(self) -> float | None:
        """An estimate of the seconds until all runs have ended.

        Returns:
            None before a second epoch of some run, or a run of an estimator, has ended.
        """
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
        # A run with an epoch behind it belongs to an arm that has a mean.
        left -= sum(
            _epochs_done(run) * self._arms[run.job.arm].mean for run in self.running.values() if _epochs_done(run)
        )
        return max(0.0, left) / max(1, len(self.running))


def _epochs_done(run: Running) -> int:
    """The number of epochs that a run has finished."""
    return 0 if run.report is None else run.report.epoch


def _cost(job: TrainJob) -> int:
    return job.recipe.parameters + FIXED_COST


def _epochs(job: TrainJob) -> int:
    """The number of epochs of a run; an estimator has one."""
    return 1 if job.recipe.is_estimator else job.training.epochs
