"""The display of a notebook: one output that changes in place while a study runs, and one line when it is done."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from html import escape
from types import TracebackType
from typing import Any, Self

from paribus.control_characters import show_control_characters
from paribus.display import wording
from paribus.display.base import Display
from paribus.display.tally import Tally
from paribus.records import DataSummary, Ended, Event, Interrupted, Started
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan

SECONDS = 0.25
"""An output is not changed more often than this: each change goes through the browser."""


class Notebook(Display):
    """Passes pieces of HTML to ``put``, each of which replaces the one before.

    Args:
        put: shows a piece of HTML instead of the last one.
        clock: gives seconds and never goes back.
    """

    def __init__(self, put: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._output = put
        self._clock = clock
        self._tally: Tally | None = None
        self._title = ""
        self._remarks: list[str] = []
        self._started = self._updated = 0.0

    def _put(self, html: str) -> None:
        """Replace the output; names in it come from whoever made the data."""
        self._output(show_control_characters(html))

    def reading(self, source: str, size: int) -> None:
        """Say that it takes a while."""
        self._put(f"<div>{escape(wording.describe_reading(source, size))}</div>")

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """What is stored, and what is to do."""
        self._tally = Tally(plan, self._clock)
        counts = f"{wording.count_runs(plan.run_count)}, {plan.stored_count} stored, {len(plan.missing)} to do"
        self._title = f"<b>{escape(document.name)}</b> {counts}; data {escape(data.name)}"
        self._put(f"<div>{self._title}</div>")

    def show(self, event: Event) -> None:
        """Change the output, if it is time; a run that did not simply finish leaves a line."""
        if self._tally is None:
            return
        self._tally.count(event)
        if isinstance(event, Ended) and event.result.reason is not None:
            self._remarks.append(f"{wording.name_run(event.job)}: {wording.describe_result(event.job, event.result)}")
        elif isinstance(event, Started) and event.attempt > 1:
            self._remarks.append(wording.describe_retry(event))
        elif isinstance(event, Interrupted):
            self._remarks.append(wording.describe_interruption(event))
        if self._clock() - self._updated >= SECONDS:
            self._updated = self._clock()
            self._put(self._progress(self._tally))

    def __enter__(self) -> Self:
        self._started = self._updated = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tally is None:
            return
        if kind is KeyboardInterrupt:
            self._remarks.append(wording.describe_unfinished(self._tally))
        done = (
            f"{wording.count_runs(len(self._tally.ended))} in {wording.format_duration(self._clock() - self._started)}"
        )
        self._put(f"<div>{self._title}; {done}{self._lines(self._remarks)}</div>")

    def _progress(self, tally: Tally) -> str:
        """A bar, the runs under way, and accuracies so far."""
        seconds = wording.format_duration(self._clock() - self._started)
        facts = [
            f"{len(tally.ended)} of {wording.count_runs(tally.total)}",
            seconds,
            wording.format_time_left(tally.seconds_left()),
        ]
        bar = (
            f'<progress value="{tally.fraction():.3f}" max="1"></progress> {", ".join(fact for fact in facts if fact)}'
        )
        running = sorted(tally.running.values(), key=lambda run: (run.job.arm, run.job.seeds))
        now = [f"{wording.name_run(run.job)}: {wording.describe_progress(run)}" for run in running]
        return f"<div>{self._title}<br>{bar}{self._lines([*now, *self._remarks])}</div>"

    @staticmethod
    def _lines(texts: list[str]) -> str:
        return "".join(f"<br><small>{escape(text)}</small>" for text in texts)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython is never imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def output() -> Callable[[str], None]:
    """An output of the cell that runs, to be changed in place."""
    display: Any = importlib.import_module("IPython.display")
    handles: list[Any] = []

    def put(html: str) -> None:
        if handles:
            handles[0].update(display.HTML(html))
        else:
            handles.append(display.display(display.HTML(html), display_id=True))

    return put
