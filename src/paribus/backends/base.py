"""The interface of a backend, which computes jobs: one method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Self

from paribus.records import DataSummary, Event, Job


class Backend(ABC):
    """Computes jobs and tells how it goes.

    Guarantees, whatever the implementation: every job ends in exactly one ``Described``, ``Refused`` or ``Ended``
    (unless the user interrupts: then there is one ``Interrupted``, and at the end a KeyboardInterrupt); the
    bits of a run depend on its job alone, not on what else was computed, where, or in which order; closing the iterator
    (or leaving the context) stops what is running, and nothing is left behind.
    """

    @abstractmethod
    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """Compute jobs, in any order, and yield events as they happen.

        Raises:
            BackendError: workers cannot be started.
            DataError: the data cannot be read.
        """

    @property
    def has_more(self) -> bool:
        """Whether the events of the jobs that are running go on at once.

        Whoever records results may wait for those and record them together. A backend that cannot tell has none.
        """
        return False

    def sized(self, data: DataSummary) -> None:  # noqa: B027 - most backends need not know
        """How large the data of the coming jobs is. It decides speed, never results."""

    def warm_up(self, jobs: int) -> None:  # noqa: B027 - a backend that needs no time to start has nothing to prepare
        """So many networks will be asked for soon: what takes time to start may start now. Returns at once."""

    def close(self) -> None:  # noqa: B027 - a backend that holds nothing has nothing to let go
        """Let go of what is held between calls of ``run``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
