"""What a backend reports while it computes."""

from __future__ import annotations

from dataclasses import dataclass, field

from paribus.records.jobs import Recipe, TrainJob
from paribus.records.runs import EpochReport, RunResult


@dataclass(frozen=True, slots=True)
class Described:
    """Event: an arm's canonical form is known."""

    arm: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Refused:
    """Event: an arm cannot be built; ``mistakes`` are pairs of place and message."""

    arm: str
    mistakes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Started:
    """Event: a worker has started a run (again, if ``attempt`` is above 1: ``death`` is how the last worker died).

    ``worker`` is its number, from 1; None where a backend has no workers.
    """

    job: TrainJob
    attempt: int = 1
    death: str | None = field(default=None, compare=False)
    worker: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EpochDone:
    """Event: a run has finished an epoch."""

    job: TrainJob
    report: EpochReport


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Event: a run has ended with some status."""

    job: TrainJob
    result: RunResult


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Event: the user interrupted. No further run is started; the ``finishing`` ones are completed."""

    finishing: tuple[TrainJob, ...]
    stopped: tuple[TrainJob, ...]


Event = Described | Refused | Started | EpochDone | Ended | Interrupted
