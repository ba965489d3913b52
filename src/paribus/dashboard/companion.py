"""A dashboard beside a run: a process of its own, which outlives the run as long as a page is open (decision 0139).

The run holds one end of a pipe, so that the kernel says when it is over, whatever became of it.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from paribus.errors import ParibusError

if TYPE_CHECKING:
    from paribus.dashboard.activity import Activity

MODULE: Final = "paribus.dashboard.companion"

PATIENCE: Final = 180.0
"""Seconds without a request after which no page is open: those behind another tab ask once a minute."""

STARTING: Final = 10.0
"""Seconds that a run waits at most for the address, while its workers start."""

NICENESS: Final = 5
"""Behind whatever trains."""

_LINES: Final = 2
_POLL: Final = 1.0


class Companion:
    """The dashboard of a store, started along with a run. It never raises: a run goes on without it.

    Args:
        store: the store's folder.
        browser: whether it opens a browser.
        python: the interpreter.

    Attributes:
        process: its process id; 0 where it was not started.
    """

    def __init__(self, store: Path, *, browser: bool = True, python: str = sys.executable) -> None:
        self._output, self.process = -1, 0
        lifeline, self._lifeline = os.pipe()
        output, writes = os.pipe()
        nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        arguments = [python, "-m", MODULE, str(store.absolute()), *(["--no-browser"] if not browser else [])]
        streams = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate((lifeline, writes, nothing))]
        try:
            # No subprocess.Popen: it is not waited for, as it may go on when the run is over.
            self.process = os.posix_spawn(python, arguments, os.environ, file_actions=streams)
            self._output = output
        except OSError as error:
            self._problem = str(error)
            os.close(output)
        finally:
            for descriptor in (lifeline, writes, nothing):
                os.close(descriptor)

    def report(self, tell: Callable[[str], None], patience: float = STARTING) -> None:
        """Say where it is, or why it is not, once; to be called while workers start.

        Args:
            tell: displays a line.
            patience: for so many seconds the answer is waited for.
        """
        if self._output < 0:
            tell(f"paribus: no dashboard ({self._problem}); the run goes on")
            return
        content, end = b"", time.monotonic() + patience
        while content.count(b"\n") < _LINES and (left := end - time.monotonic()) > 0:
            if select.select([self._output], [], [], left)[0]:
                added = os.read(self._output, 4096)
                if not added:
                    break
                content += added
        os.close(self._output)
        lines = content.decode("utf-8", "replace").splitlines()
        if len(lines) >= _LINES:
            for line in lines:
                tell(line)
        elif time.monotonic() < end:
            tell(f"paribus: no dashboard ({' '.join(lines) or 'it ended at once'}); the run goes on")
        else:
            tell("paribus: the dashboard has not started yet; the run goes on")

    def close(self) -> None:
        """Let it know that the run is over, as the end of this process does."""
        os.close(self._lifeline)


def wait_for_end(lifeline: int, activity: Activity, patience: float = PATIENCE) -> None:
    """Wait until the run is over and no page is open any more.

    Args:
        lifeline: the end of a pipe that becomes readable when the run is over, as nothing is ever written to it.
        activity: of the pages.
        patience: for so many seconds no page has asked for anything.
    """
    select.select([lifeline], [], [])
    activity.note()  # a browser may only just have been started
    while activity.idle < patience:
        time.sleep(min(_POLL, patience))


def main(arguments: list[str]) -> int:
    """The process: serves the store that is named until ``wait_for_end`` returns."""
    os.setsid()  # Ctrl-C and the end of a terminal are the run's
    os.nice(NICENESS)
    from paribus.dashboard.serve import serve

    store, *options = arguments

    def tell(text: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the run has read what it waits for
            print(text, flush=True)

    try:
        serve(
            Path(store),
            host="127.0.0.1",
            port=None,
            tls=None,
            browser="--no-browser" not in options,
            tell=tell,
            until=lambda activity: wait_for_end(sys.stdin.fileno(), activity),
        )
    except ParibusError as error:
        tell(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
