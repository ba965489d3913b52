"""Which job an idle worker takes next. Pure; it decides speed, never results.

A program is compiled once per worker and architecture, so a worker stays with the arm it has; otherwise it takes the
costliest arm that nobody has yet, so that the long runs do not come last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import final

from paribus.records import Job, Recipe, TrainJob

Program = tuple[Recipe, str | None]
"""What must be compiled for a job: a recipe, in a precision."""


def program_of(job: Job) -> Program | None:
    """What must be compiled for a job: jobs with equal answers share it."""
    return (job.recipe, job.training.precision) if isinstance(job, TrainJob) else None


def cost(job: Job) -> int:
    """A rough measure of a job's work, for ordering only: parameters times epochs."""
    return job.recipe.parameters * job.training.epochs if isinstance(job, TrainJob) else 0


def choose(waiting: Sequence[Job], mine: Program | None, others: Collection[Program | None]) -> int:
    """The index in ``waiting`` of the next job for a worker that has compiled ``mine`` last.

    ``others`` is what the other workers have compiled last. ``waiting`` must not be empty.
    """

    def rank(index: int) -> tuple[bool, bool, int, int]:
        program = program_of(waiting[index])
        return (program != mine, program in others, -cost(waiting[index]), index)

    return min(range(len(waiting)), key=rank)


@final
class Waiting:
    """Jobs that nobody has taken yet; of those with one network and one cost, only the first is weighed."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._alike: dict[tuple[Program | None, int], deque[Job]] = {}
        for job in jobs:
            self._of(job).append(job)

    def __bool__(self) -> bool:
        return bool(self._alike)

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._alike.values())

    def take(self, mine: Program | None, others: Collection[Program | None]) -> Job:
        """The next job for a worker, as ``choose`` says; there must be one."""
        first = [jobs[0] for jobs in self._alike.values()]
        job = first[choose(first, mine, others)]
        jobs = self._of(job)
        jobs.popleft()
        if not jobs:
            del self._alike[program_of(job), cost(job)]
        return job

    def put_back(self, job: Job) -> None:
        """A job to be tried again, before those like it."""
        self._of(job).appendleft(job)

    def _of(self, job: Job) -> deque[Job]:
        return self._alike.setdefault((program_of(job), cost(job)), deque())
