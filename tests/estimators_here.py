"""A backend that fits scikit-learn's estimators in this process."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from paribus.backends.base import Backend
from paribus.errors import ModelError
from paribus.estimators.estimators import Estimators
from paribus.records import Described, DescribeJob, Ended, Event, Job, Refused, Started


class EstimatorsHere(Backend):
    """Fits estimators one after the other."""

    def __init__(self) -> None:
        self.fitted = 0
        self._estimators = Estimators(lambda *_: {})

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        for job in jobs:
            if isinstance(job, DescribeJob):
                try:
                    yield Described(job.arm, self._estimators.describe(job))
                except ModelError as error:
                    yield Refused(job.arm, tuple((mistake.place, mistake.message) for mistake in error.mistakes))
            else:
                self.fitted += 1
                yield Started(job)
                yield Ended(job, self._estimators.run(job))
