"""One worker process, seen from the driver."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import final

from paribus.backends.oom import OomKills
from paribus.backends.pool import Death, Worker
from paribus.backends.worker import OUT_OF_MEMORY, Message, Raised, Roam
from paribus.engine.variables import check_environment, without_foreign_settings
from paribus.errors import BackendError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Gpu, Place, format_place
from paribus.records import Event

MODULE = "paribus.backends.worker"


@final
class Process(Worker):
    """A worker process in one place of this machine.

    Attributes:
        place: the core or GPU it was started for.
        connection: readable when it has something to say, or is dead.
        roams: whether it was sent away from its place.
    """

    def __init__(
        self, place: Place, imports: Imports, kills: OomKills, lanes: int = 1, module: str | None = None
    ) -> None:
        """Start it, with so many lanes; ``kills`` is shared by all workers, ``module`` is its program.

        Raises:
            BackendError: it cannot be started, or not under the user's environment variables.
        """
        check_environment(os.environ, on_gpu=isinstance(place, Gpu))
        self.place = place
        self.roams = False
        self._kills = kills
        self._kills_before = kills.unexplained()
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        descriptors = [str(theirs.fileno()), str(lifeline)]
        command = [sys.executable, "-m", module or MODULE, *descriptors, format_place(place), str(lanes)]
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
        self.send(imports)

    @property
    def host(self) -> str:
        """This machine."""
        return ""

    @property
    def ready(self) -> bool:
        """It takes messages from the start, and reads them when it can."""
        return True

    def send(self, message: Message) -> None:
        """See ``Worker.send``."""
        if isinstance(message, Roam):
            self.roams = len(message.cores) > 1
        elif isinstance(message, tuple) and self._process.poll() is None:
            # Otherwise it died idle, by what has happened since its last job began.
            self._kills_before = self._kills.unexplained()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def listen(self) -> Sequence[Event | Raised] | None:
        """See ``Worker.listen``; waits for one message."""
        try:
            return (self.connection.recv(),)
        except (EOFError, OSError):  # OSError: it died in the middle of a message
            return None

    def kill(self, patience: float = 0.0) -> None:
        """See ``Worker.kill``."""
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
