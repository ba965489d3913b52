"""The interface of a display, and the display that shows nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, final

from paribus.records import DataSummary, Event
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan


class Display(ABC):
    """Shows the progress of a study. Used as a context manager around the events of one run."""

    def reading(self, source: str, size: int) -> None:  # noqa: B027 - nothing to say, for most
        """Announce that large data is read whole for its fingerprint, which takes seconds to minutes.

        Args:
            source: the name or path of the data.
            size: bytes.
        """

    @abstractmethod
    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Show the plan, before the first run starts.

        Args:
            document: the study.
            data: the summary of its data.
            plan: all its runs, and which of them are missing.
        """

    @abstractmethod
    def show(self, event: Event) -> None:
        """Show an event of the runs.

        Args:
            event: what the backend reported.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 - nothing to leave, for most
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The events are over, or an error ended them."""


class Silent(Display):
    """Shows nothing."""

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Nothing."""

    def show(self, event: Event) -> None:
        """Nothing."""


@final
class BestEffort(Display):
    """Another display, until something cannot be written: full, closed, or an ended pipe. Then it displays no more.

    Args:
        display: what shows it, as long as it can.
    """

    def __init__(self, display: Display) -> None:
        self.display: Display = display

    def reading(self, source: str, size: int) -> None:
        """As the other display."""
        with self._silenced():
            self.display.reading(source, size)

    def planned(self, *args: Any) -> None:
        """As the other display."""
        with self._silenced():
            self.display.planned(*args)

    def show(self, event: Event) -> None:
        """As the other display."""
        with self._silenced():
            self.display.show(event)

    def __enter__(self) -> Self:
        with self._silenced():
            self.display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._silenced():
            self.display.__exit__(kind, error, trace)

    @contextmanager
    def _silenced(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):  # ValueError: a closed file, or a character that its encoding lacks
            self.display = Silent()
