"""A backend that computes in this process with one engine: real training, without the start of workers."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from paribus.backends.base import Backend
from paribus.engine.engine import Engine
from paribus.errors import ModelError
from paribus.records import Described, DescribeJob, Ended, EpochDone, EpochReport, Event, Job, Refused, Started


class InProcess(Backend):
    """Answers jobs one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Backend.run``."""
        for job in jobs:
            if isinstance(job, DescribeJob):
                try:
                    yield Described(job.arm, self._engine.describe(job))
                except ModelError as error:
                    yield Refused(job.arm, tuple((mistake.place, mistake.message) for mistake in error.mistakes))
                continue
            yield Started(job)
            reports: list[EpochReport] = []
            result = self._engine.run(job, reports.append)
            for report in reports:
                yield EpochDone(job, report)
            yield Ended(job, result)
