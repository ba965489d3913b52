"""One worker process, seen from the driver."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import final

from paribus.backends.schedule import Program, program_of
from paribus.backends.worker import OUT_OF_MEMORY, Raised
from paribus.custom import Imports
from paribus.errors import BackendError
from paribus.records import EpochDone, Event, Job

MODULE = "paribus.backends.worker"


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker died: in words, and whether it was (as far as can be told) for want of memory."""

    words: str
    memory: bool


@final
class Process:
    """A worker process on one core, with at most one job at a time."""

    def __init__(self, core: int, imports: Imports) -> None:
        """Start it.

        Raises:
            BackendError: it cannot be started.
        """
        self.core = core
        self.job: Job | None = None
        self.epochs = 0
        self.program: Program | None = None
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(lifeline), str(core)]
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
            ours.close()
            os.close(self._lifeline)
            self._log.close()
            raise BackendError(f"a worker process cannot be started: {error}") from error
        finally:
            theirs.close()
            os.close(lifeline)
        self.connection: Connection[Imports | Job | None, Event | Raised] = Connection(ours.detach())
        self._say(imports)

    def take(self, job: Job) -> None:
        """Give the worker a job. If it is dead already, ``listen`` will tell."""
        self.job = job
        self.epochs = 0
        self.program = program_of(job) or self.program
        self._say(job)

    def listen(self) -> Event | None:
        """The worker's next event; None if it is dead. An error of ours in the worker is raised here."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):  # OSError: it died in the middle of a message
            return None
        if isinstance(message, EpochDone):
            self.epochs = message.report.epoch
        else:
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

    def bury(self) -> Death:
        """How the worker died, with the last line that it wrote; then it is gone altogether."""
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        self.kill()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        # Nobody but the kernel, out of memory, kills a worker by SIGKILL as a rule.
        memory = code in (-signal.SIGKILL, OUT_OF_MEMORY)
        if code == OUT_OF_MEMORY:
            how = "out of memory"
        elif memory:
            how += ", as the kernel does when memory runs out"
        return Death(f"{how} ({lines[-1][:300]})" if lines else how, memory)
