"""A worker process: takes jobs from its driver, one group at a time, and sends events back.

Started as ``python -m paribus.backends.worker CHANNEL LIFELINE PLACE LANES``: two inherited file descriptors, the core
or GPU to compute on, and how many runs to compute there side by side. The first message says which modules define the
user's own Keras classes. A worker never outlives its driver: the lifeline is a pipe no process writes to, and the end
of the driver closes it.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from paribus.backends.job_runner import JobRunner
from paribus.backends.schedule import Group
from paribus.data.read_once import READ_DATA
from paribus.engine import environment
from paribus.errors import BackendError, ModelError, ParibusError, UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Place, parse_place
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

OUT_OF_MEMORY = 77
"""Exit code of a worker that ran out of memory. It cannot go on: what holds its memory is unknown."""

MAX_REASON = 300
"""Characters of an unexpected error's first line that become a run's reason; the worker's log has the rest."""


@dataclass(frozen=True, slots=True)
class Raised:
    """Sent instead of an event: a job raised one of our errors, which is the driver's to raise."""

    error: ParibusError


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Sent before the first job: networks will be trained, so that what trains them can be imported meanwhile."""


@dataclass(frozen=True, slots=True)
class Roam:
    """Sent where more workers than cores compute: to be moved about among these cores."""

    cores: tuple[int, ...]


Message = Imports | WarmUp | Roam | Group | None
"""What a driver sends; None asks the worker to leave."""


def main(channel: int, lifeline: int, place: Place, lanes: int) -> None:
    """Serve jobs until the driver closes the connection or asks the worker to leave.

    Errors of paribus in a job are sent to the driver, which raises them; any other exception becomes the run's reason.
    A process that runs out of memory ends with the exit code ``OUT_OF_MEMORY``.

    Args:
        channel: the file descriptor of the socket to the driver.
        lifeline: the file descriptor of a pipe that is closed when the driver ends; the worker then ends, too.
        place: the core or GPU to compute on.
        lanes: how many runs of an arm to train side by side.

    Raises:
        BackendError: JAX is imported already.
    """
    threading.Thread(target=_die_with_driver, args=(lifeline,), daemon=True).start()
    environment.prepare(place)
    READ_DATA.hold_nothing()
    runner = JobRunner(lanes)
    connection: Connection[Event | Raised, Message] = Connection(channel)
    problem: ParibusError | None = None
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        if message is None:
            return
        if isinstance(message, Imports):
            problem = _import(message)
        elif isinstance(message, WarmUp):
            runner.warm_up()
        elif isinstance(message, Roam):
            environment.roam(message.cores)
        elif problem is not None:
            connection.send(Raised(problem))
        else:
            for event in _serve(runner, message, connection):
                connection.send(event)


def _import(imports: Imports) -> ParibusError | None:
    """Import what defines the user's own classes; the error that the first job is to be answered with, if it fails."""
    sys.path[:0] = imports.folders
    try:
        for module in imports.modules:
            importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - it is the user's code: whatever it raises is reported
        return UsageError(
            f"module '{module}' defines classes of a network and cannot be imported by a worker: "
            f"{type(error).__name__}: {error}. Make it importable by itself, without the script that uses it"
        )
    finally:
        # They come last from now on, so that a file named like a library's does not take precedence.
        for folder in imports.folders:
            sys.path.remove(folder)
            sys.path.append(folder)
    return None


def _serve(
    runner: JobRunner, group: Group, connection: Connection[Event | Raised, Message]
) -> Sequence[Event | Raised]:
    try:
        return _computed(runner, group, connection)
    except ParibusError as error:
        return [Raised(error)]
    except Exception as error:  # noqa: BLE001 - the boundary of the process: whatever it was becomes the run's reason
        lines = str(error).strip().splitlines() or [""]
        if "Unable to initialize backend" in lines[0]:
            return [
                Raised(BackendError(f"{lines[0][:MAX_REASON]}: that is the machine or its environment, not the study"))
            ]
        reason = f"{type(error).__name__}: {lines[0][:MAX_REASON]}"
        if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in reason:
            print(reason, file=sys.stderr, flush=True)
            os._exit(OUT_OF_MEMORY)
        traceback.print_exc()
        return [lost_job(job, reason) for job in group]


def _computed(runner: JobRunner, group: Group, connection: Connection[Event | Raised, Message]) -> Sequence[Event]:
    def on_epoch(job: TrainJob, report: EpochReport) -> None:
        connection.send(EpochDone(job, report))

    runs = [job for job in group if isinstance(job, TrainJob)]
    if runs:
        return [Ended(job, result) for job, result in zip(runs, runner.run(runs, on_epoch), strict=True)]
    return [_described(runner, job) for job in group if isinstance(job, DescribeJob)]


def _described(runner: JobRunner, job: DescribeJob) -> Described | Refused:
    try:
        return Described(job.arm, runner.describe(job))
    except ModelError as error:
        return Refused(job.arm, tuple((mistake.place, mistake.message) for mistake in error.mistakes))


def lost_job(job: Job, reason: str) -> Refused | Ended:
    """The event that ends a job whose worker died: a refused arm or a failed run.

    Args:
        job: the job.
        reason: how the worker died.
    """
    if isinstance(job, DescribeJob):
        return Refused(job.arm, ((f"arm '{job.arm}'", reason),))
    return Ended(job, failed(job, reason))


def failed(job: TrainJob, reason: str) -> RunResult:
    """A run without a score.

    Args:
        job: the run.
        reason: why it failed.
    """
    return RunResult(job.fingerprint, Status.FAILED, job.seeds, None, Curve((), ()), 0.0, None, None, reason)


def _die_with_driver(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


if __name__ == "__main__":
    # By its own name: what is defined here and sent would else be looked for in the driver's __main__.
    from paribus.backends import worker

    worker.main(int(sys.argv[1]), int(sys.argv[2]), parse_place(sys.argv[3]), int(sys.argv[4]))
    # All is sent. Taking JAX down in good order would keep the driver waiting for a third of a second.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
