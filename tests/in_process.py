"""Real training in this process with one engine, without the start of workers: a backend, or a study's runs."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from paribus.backends.base import Backend
from paribus.data import summarize
from paribus.engine.engine import Engine
from paribus.errors import ModelError
from paribus.records import (
    Described,
    DescribeJob,
    Ended,
    EpochDone,
    EpochReport,
    Event,
    Job,
    Refused,
    RunResult,
    Started,
)
from paribus.runner.jobs import describe_arms
from paribus.store.memory import MemoryStore
from paribus.study.document import StudyDocument
from paribus.study.plan import list_jobs
from paribus.study.request import list_seeds


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


def train_study(document: StudyDocument, engine: Engine, lanes: int = 1) -> list[RunResult]:
    """The runs of a study by arm and seed, with the weights that a store would hold."""
    data = summarize(document.data.spec())
    with MemoryStore() as store:
        recipes = describe_arms(document, data, store, InProcess(engine))
    jobs = list_jobs(document, recipes, data, list_seeds(document))
    groups = [jobs[start : start + lanes] for start in range(0, len(jobs), lanes)]
    return [result for group in groups for result in engine.run_group(group)]
