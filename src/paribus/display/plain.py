"""A line for every run that ends: for logs, pipes and CI."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from paribus.display import wording
from paribus.display.base import Display
from paribus.display.tally import Tally
from paribus.errors.control_characters import show_control_characters
from paribus.records import DataSummary, Ended, Event, Interrupted, Started
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan


class Plain(Display):
    """Writes to ``stream``, one line at a time, without colours or cursor movements."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._tally: Tally | None = None

    def reading(self, source: str, size: int) -> None:
        """Say that it takes a while."""
        self._line(wording.describe_reading(source, size))

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Say what is stored and what is missing."""
        self._tally = Tally(plan, self._clock)
        sizes = wording.describe_folds(document, data) or f"{data.train} train and {data.test} test examples"
        self._line(
            f"{document.name}: {len(document.arms)} arms, {wording.count_runs(plan.run_count)} in all, "
            f"{plan.stored_count} stored, "
            f"{len(plan.missing)} to do; "
            f"data {data.name}, {sizes}"
        )

    def show(self, event: Event) -> None:
        """A line when a run ends, or when it is tried again."""
        if self._tally is None:
            return
        run = self._tally.running.get(event.job.fingerprint) if isinstance(event, Ended) else None
        self._tally.count(event)
        if isinstance(event, Started) and event.attempt > 1:
            self._line(wording.describe_retry(event))
        if isinstance(event, Interrupted):
            self._line(wording.describe_interruption(event))
        if isinstance(event, Ended):
            done, total = len(self._tally.ended), self._tally.total
            tail = wording.format_time_left(self._tally.seconds_left()) if done < total else "done"
            # What somebody waited for, with compilation; the seconds of a result are those of training.
            seconds = event.result.seconds if run is None else self._clock() - run.started
            parts = [
                f"[{done:{len(str(total))}}/{total}] {wording.name_run(event.job)}",
                f"{wording.describe_result(event.job, event.result)} ({wording.format_duration(seconds)})",
                tail,
            ]
            self._line("; ".join(part for part in parts if part))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say how far it came, if it was interrupted."""
        if kind is KeyboardInterrupt and self._tally is not None:
            self._line(wording.describe_unfinished(self._tally))

    def _line(self, text: str) -> None:
        print(show_control_characters(text), file=self._stream, flush=True)
