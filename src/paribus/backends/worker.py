"""A worker process: takes jobs from its driver, one at a time, and sends events back.

Started as ``python -m paribus.backends.worker CHANNEL LIFELINE CORE``: two inherited file descriptors and the core to
stay on. It never outlives its driver: the lifeline is a pipe that nobody writes to, and the end of the driver closes it.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection

from paribus.engine import environment
from paribus.errors import ModelError, ParibusError
from paribus.records import (
    Curve,
    Described,
    DescribeJob,
    Ended,
    EpochDone,
    EpochReport,
    Event,
    Job,
    Refused,
    RunResult,
    Status,
    TrainJob,
)


@dataclass(frozen=True, slots=True)
class Raised:
    """Sent instead of an event: the job raised one of our errors, which is the driver's to raise."""

    error: ParibusError


def main(channel: int, lifeline: int, core: int) -> None:
    """Serve jobs until the driver hangs up."""
    threading.Thread(target=_die_with_driver, args=(lifeline,), daemon=True).start()
    environment.prepare(core if core >= 0 else None)
    from paribus.engine.engine import Engine

    engine = Engine()
    connection: Connection[Event | Raised, Job | None] = Connection(channel)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        if job is None:
            return
        connection.send(_serve(engine, job, connection))


def _serve(engine: object, job: Job, connection: Connection[Event | Raised, Job | None]) -> Event | Raised:
    from paribus.engine.engine import Engine

    assert isinstance(engine, Engine)

    def on_epoch(report: EpochReport) -> None:
        assert isinstance(job, TrainJob)
        connection.send(EpochDone(job, report))

    try:
        if isinstance(job, DescribeJob):
            return Described(job.arm, engine.describe(job))
        return Ended(job, engine.run(job, on_epoch))
    except ModelError as error:
        return Refused(job.arm, tuple((mistake.place, mistake.message) for mistake in error.mistakes))
    except ParibusError as error:
        return Raised(error)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: whatever it was becomes the run's reason
        reason = f"{type(error).__name__}: {error}".strip()
        traceback.print_exc()
        if isinstance(job, DescribeJob):
            return Refused(job.arm, ((f"arm '{job.arm}'", reason),))
        return Ended(job, failed(job, reason))


def failed(job: TrainJob, reason: str) -> RunResult:
    """A run without a score, with its reason."""
    return RunResult(job.fingerprint, Status.FAILED, job.seeds, None, Curve((), ()), 0.0, None, None, reason)


def _die_with_driver(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
