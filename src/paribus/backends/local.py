"""The local backend: long-lived worker processes, one per core, each single-threaded and pinned.

Workers are plain subprocesses with a socket pair, not a ``multiprocessing`` pool: a pool hangs when a member is killed,
forking after JAX is imported deadlocks, and spawning runs the caller's script a second time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait

from paribus.backends.base import Backend
from paribus.backends.schedule import choose, program_of
from paribus.backends.worker import Raised, failed
from paribus.custom import Imports
from paribus.errors import BackendError, UsageError
from paribus.records import DescribeJob, Ended, EpochDone, Event, Job, Recipe, Refused, Started, TrainJob

MAX_ATTEMPTS = 3
"""How often a run is tried whose worker dies under it."""


def available_cores() -> list[int]:
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


class LocalBackend(Backend):
    """Worker processes on this machine.

    Args:
        workers: how many, by default one per core. More than cores is allowed; each is pinned, cores are shared.
        imports: the modules that define the user's own Keras classes.

    Raises:
        UsageError: fewer than one worker.
    """

    def __init__(self, workers: int | None = None, imports: Imports = Imports()) -> None:  # noqa: B008 - frozen
        if workers is not None and workers < 1:
            raise UsageError(f"{workers} workers: at least 1 is needed; leave --workers out for one per core")
        self._cores = available_cores()
        self._limit = workers or len(self._cores)
        self._imports = imports
        self._workers: list[_Worker] = []

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Backend.run``. A run whose worker dies is tried again, ``MAX_ATTEMPTS`` times in all, then failed."""
        waiting = list(jobs)
        attempts: Counter[str] = Counter()
        try:
            while waiting or any(worker.job for worker in self._workers):
                for worker in self._idle(len(waiting)):
                    if not waiting:
                        break
                    others = [w.program for w in self._workers if w is not worker]
                    job = waiting.pop(choose(waiting, worker.program, others))
                    worker.take(job)
                    if isinstance(job, TrainJob):
                        attempts[job.fingerprint] += 1
                        yield Started(job, attempts[job.fingerprint])
                for worker in self._speaking():
                    under_way = worker.job
                    event = worker.listen()
                    if event is not None:
                        yield event
                    elif under_way is not None:
                        yield from self._bury(worker, under_way, waiting, attempts)
        finally:
            for worker in [w for w in self._workers if w.job is not None]:
                worker.kill()
                self._workers.remove(worker)

    def close(self) -> None:
        """Stop all workers; those that do not leave by themselves within a few seconds are killed."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.kill(patience=2.0)
        self._workers.clear()

    def _idle(self, wanted: int) -> list[_Worker]:
        """Workers without a job; new ones are started as long as there is work and room."""
        idle = [worker for worker in self._workers if worker.job is None]
        while len(idle) < wanted and len(self._workers) < self._limit:
            taken = Counter(worker.core for worker in self._workers)
            core = min(self._cores, key=lambda c: taken[c])
            worker = _Worker(core, self._imports)
            self._workers.append(worker)
            idle.append(worker)
        return idle

    def _speaking(self) -> list[_Worker]:
        ready = wait([worker.connection for worker in self._workers if worker.job is not None])
        return [worker for worker in self._workers if worker.connection in ready]

    def _bury(self, worker: _Worker, job: Job, waiting: list[Job], attempts: Counter[str]) -> Iterator[Event]:
        """A worker died under a job: try the job again, or give it up with its reason."""
        reason = worker.epitaph()
        self._workers.remove(worker)
        if isinstance(job, DescribeJob):
            yield Refused(job.arm, ((f"arm '{job.arm}'", f"its worker died: {reason}"),))
        elif attempts[job.fingerprint] < MAX_ATTEMPTS:
            waiting.insert(0, job)
        else:
            yield Ended(job, failed(job, f"its worker died {MAX_ATTEMPTS} times, at last: {reason}"))


class _Worker:
    """One worker process, seen from the driver."""

    def __init__(self, core: int, imports: Imports) -> None:
        self.core = core
        self.job: Job | None = None
        self.program: Recipe | None = None
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        command = [sys.executable, "-m", "paribus.backends.worker", str(theirs.fileno()), str(lifeline), str(core)]
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(), lifeline),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        except OSError as error:
            raise BackendError(f"a worker process cannot be started: {error}") from error
        finally:
            theirs.close()
            os.close(lifeline)
        self.connection: Connection[Imports | Job | None, Event | Raised] = Connection(ours.detach())
        self._say(imports)

    def take(self, job: Job) -> None:
        """Give the worker a job. If it is dead already, ``listen`` will tell."""
        self.job = job
        self.program = program_of(job) or self.program
        self._say(job)

    def listen(self) -> Event | None:
        """The worker's next event; None if it is dead. An error of ours in the worker is raised here."""
        try:
            message = self.connection.recv()
        except (EOFError, ConnectionResetError):
            return None
        if not isinstance(message, EpochDone):
            self.job = None
        if isinstance(message, Raised):
            raise message.error
        return message

    def dismiss(self) -> None:
        """Ask the worker to leave."""
        self._say(None)

    def _say(self, message: Imports | Job | None) -> None:
        """Send, unless nobody is there any more."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def kill(self, patience: float = 0.0) -> None:
        """Make sure the worker is gone."""
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.connection.close()
        os.close(self._lifeline)
        self._log.close()

    def epitaph(self) -> str:
        """How the worker died, and the last line it wrote."""
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        self.kill()
        return f"{how} ({lines[-1]})" if lines else how
