"""When pages last asked for something: a dashboard that was opened along with a run ends when they no longer do."""

from __future__ import annotations

import time
from collections.abc import Callable


class Activity:
    """When the last request was answered. An open page asks at least once a minute, also one behind another tab.

    Args:
        clock: the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def note(self) -> None:
        """A page asks for something."""
        self._last = self._clock()

    @property
    def idle(self) -> float:
        """For how many seconds no page has asked for anything."""
        return self._clock() - self._last
