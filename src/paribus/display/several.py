"""Several displays of one run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from paribus.display.base import Display
from paribus.records import DataSummary, Event
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan


class Several(Display):
    """Passes everything on to several displays, in their order.

    Args:
        displays: those that show it; none of them may raise, so that all see everything (``BestEffort``).
    """

    def __init__(self, displays: Sequence[Display]) -> None:
        self._displays = tuple(displays)
        self._entered = ExitStack()

    def reading(self, source: str, size: int) -> None:
        """As all displays."""
        for display in self._displays:
            display.reading(source, size)

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """As all displays."""
        for display in self._displays:
            display.planned(document, data, plan)

    def show(self, event: Event) -> None:
        """As all displays."""
        for display in self._displays:
            display.show(event)

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            for display in self._displays:
                entered.enter_context(display)
            self._entered = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.__exit__(kind, error, trace)
