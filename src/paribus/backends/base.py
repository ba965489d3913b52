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

        Args:
            jobs: descriptions of arms and runs, in the order in which they should start.

        Yields:
            For each job exactly one event that ends it, and before that the events of its progress.

        Raises:
            BackendError: workers cannot be started, or not under the user's environment variables.
            DataError: the data cannot be read, or is not what a job was planned on.
            UsageError: a module with the user's own classes cannot be imported, or a file of initial weights cannot be
                read.
            KeyboardInterrupt: the user interrupted.
        """

    @property
    def has_more(self) -> bool:
        """Whether the events of the jobs that are running go on at once.

        Whoever records results may wait for those and record them together. A backend that cannot tell has none.
        """
        return False

    def sized(self, data: DataSummary) -> None:  # noqa: B027 - most backends need not know
        """Take note of the size of the data of the coming jobs. It decides speed, never results.

        Args:
            data: the summary of the data, with the number of its examples and their shape.
        """

    def warm_up(self, jobs: int) -> None:  # noqa: B027 - a backend that needs no time to start has nothing to prepare
        """Start what takes time to start, since networks are about to be trained. Returns at once.

        Args:
            jobs: how many networks will be asked for.
        """

    def close(self) -> None:  # noqa: B027 - a backend that holds nothing has nothing to let go
        """Release what is held between calls of ``run``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
