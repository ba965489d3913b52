"""Ctrl-C while jobs run: once to stop in order, twice to stop now.

What an unfinished run has computed is not stored (its bits come from its seed, so computing it again costs time and
nothing else). So at the first Ctrl-C no run is started any more, runs with at least half of their epochs behind them
go on to their end, and the others are stopped. At the second all is stopped at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Self, final

from paribus.records import TrainJob


def nearly_done(job: TrainJob, epochs: int) -> bool:
    """Whether an interrupted run goes on to its end: half of its epochs or more are done.

    Args:
        job: the run.
        epochs: how many of its epochs are done.
    """
    return 2 * epochs >= job.training.epochs


@final
class Interruption:
    """While entered, the first SIGINT only sets ``requested`` and makes ``wakes`` readable; the second raises.

    Python's own handler comes back on leaving. Where SIGINT is ignored or somebody else's, and in other threads than
    the main one (which get no signals), nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._mine = False
        self.wakes, self._wake = os.pipe()

    def __enter__(self) -> Self:
        in_main = threading.current_thread() is threading.main_thread()
        self._mine = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._mine:
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._mine:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(self.wakes)
        os.close(self._wake)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        os.write(self._wake, b"!")


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM and SIGHUP (the terminal is gone) raise KeyboardInterrupt, unless they have another handler.

    Raises:
        KeyboardInterrupt: on such a signal.
    """
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
