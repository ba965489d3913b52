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

from paribus.backends.oom import OomKills
from paribus.backends.schedule import Group, Program, program_of
from paribus.backends.worker import OUT_OF_MEMORY, Message, Raised, Roam, WarmUp
from paribus.engine.variables import check_environment, without_foreign_settings
from paribus.errors import BackendError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Gpu, Place, format_place
from paribus.records import Ended, EpochDone, Event

MODULE = "paribus.backends.worker"


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker died, in words, and whether memory ran out (or may have, where that cannot be known)."""

    words: str
    memory: bool


@final
class Process:
    """A worker process in one place, with at most one group of jobs at a time.

    Attributes:
        number: its number among the workers, from 1; None before it has one.
        jobs: what it was sent and has not ended yet.
        epochs: how many epochs its runs have behind them; those of a group go through them together.
        had_jobs: whether it was ever sent any.
        roams: whether it was sent away from its place.
    """

    def __init__(self, place: Place, imports: Imports, kills: OomKills, lanes: int = 1) -> None:
        """Start it, with so many lanes; ``kills`` is shared by all workers.

        Raises:
            BackendError: it cannot be started, or not under the user's environment variables.
        """
        check_environment(os.environ, on_gpu=isinstance(place, Gpu))
        self.place = place
        self.number: int | None = None
        self.jobs: Group = ()
        self.epochs = 0
        self.had_jobs = self.roams = False
        self.program: Program | None = None
        self._kills = kills
        self._kills_before = kills.unexplained()
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(lifeline), format_place(place), str(lanes)]
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(), lifeline),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
                env=without_foreign_settings(os.environ),
            )
        except OSError as error:
            ours.close()
            os.close(self._lifeline)
            self._log.close()
            raise BackendError(f"a worker process cannot be started: {error}") from error
        finally:
            theirs.close()
            os.close(lifeline)
        self.connection: Connection[Message, Event | Raised] = Connection(ours.detach())
        self._say(imports)

    def warm_up(self) -> None:
        """Have it import what trains networks, if it has not yet. If that fails, its first job's end will tell."""
        self._say(WarmUp())

    def roam(self, cores: tuple[int, ...]) -> None:
        """Let the operating system move the worker among these cores; with one core it is pinned to its own again.

        Args:
            cores: the numbers of the cores.
        """
        self.roams = len(cores) > 1
        self._say(Roam(cores))

    def take(self, group: Group) -> None:
        """Give the worker jobs. If it is dead already, ``listen`` will tell.

        Args:
            group: one job, or runs of one arm, a lane each.
        """
        self.jobs, self.had_jobs = group, True
        self.epochs = 0
        self.program = program_of(group[0]) or self.program
        if self._process.poll() is None:  # else it died idle, by what has happened since its last job began
            self._kills_before = self._kills.unexplained()
        self._say(group)

    def listen(self) -> Event | None:
        """The worker's next event; None if it is dead.

        Raises:
            ParibusError: a job raised it in the worker.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError):  # OSError: it died in the middle of a message
            return None
        if isinstance(message, EpochDone):
            self.epochs = message.report.epoch
        elif isinstance(message, Ended):
            self.jobs = tuple(job for job in self.jobs if job != message.job)
        else:
            self.jobs = ()
        if isinstance(message, Raised):
            raise message.error
        return message

    def dismiss(self) -> None:
        """Ask the worker to leave."""
        self._say(None)

    def _say(self, message: Message) -> None:
        """Send, unless the worker has gone."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def kill(self, patience: float = 0.0) -> None:
        """End the worker's process.

        Args:
            patience: seconds in which it may leave by itself.
        """
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.connection.close()
        os.close(self._lifeline)
        self._log.close()

    def bury(self) -> Death:
        """End a worker whose process has died, and say how it died, with the last line that it wrote.

        Raises:
            BackendError: XLA ended it because of the user's ``XLA_FLAGS``: the next one would die as well.
        """
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        self.kill()
        refused = next((line for line in lines if "XLA_FLAGS" in line), None)
        if refused is not None and code != OUT_OF_MEMORY:
            raise BackendError(
                f"XLA_FLAGS={os.environ.get('XLA_FLAGS', '')}: XLA ends every worker over it ({refused[:300]}); "
                "correct or unset it"
            )
        how, memory = self._explained(code)
        return Death(f"{how} ({lines[-1][:300]})" if lines else how, memory)

    def _explained(self, code: int) -> tuple[str, bool]:
        """What a return code means, and whether it means that memory ran out."""
        if code == OUT_OF_MEMORY:
            return "out of memory", True
        if code >= 0:
            return f"exit code {code}", False
        how = f"killed by {signal.Signals(-code).name}"
        if code != -signal.SIGKILL:
            return how, False
        match self._kills.explain(self._kills_before):
            case True:
                return f"{how} by the kernel, out of memory", True
            case False:
                return f"{how}, but not by the kernel: memory had not run out", False
        # Unknown. Fewer workers than there could be cost time; more than memory holds would cost the runs.
        return f"{how}, as the kernel does when memory runs out (whether it did cannot be known on this system)", True
