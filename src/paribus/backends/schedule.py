"""Which jobs an idle worker takes next. Pure; it decides speed, never results.

A program is compiled once per worker and architecture, so a worker stays with the arm it has; otherwise it takes the
costliest arm no worker has yet, so that the long runs do not come last. With lanes it takes as many jobs as differ in
their seeds alone and have a lane each: a group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import final

from paribus.records import DataSpec, Job, Recipe, Training, TrainJob

Group = tuple[Job, ...]
"""What a worker computes at a time: one job, or runs of one arm, a lane each."""

Program = tuple[Recipe, str | None]
"""What must be compiled for a job: a recipe, in a precision."""


def program_of(job: Job) -> Program | None:
    """What must be compiled for a job: jobs with equal answers share it."""
    return (job.recipe, job.training.precision) if isinstance(job, TrainJob) else None


def cost(job: Job) -> int:
    """A rough measure of a job's work, for ordering only: parameters times epochs."""
    return job.recipe.parameters * job.training.epochs if isinstance(job, TrainJob) else 0


def choose(waiting: Sequence[Job], mine: Program | None, others: Collection[Program | None]) -> int:
    """The index of the next job for a worker. Jobs of the program that it has compiled come first.

    Args:
        waiting: the jobs that no worker has; at least one.
        mine: what this worker has compiled last; None for nothing.
        others: what the other workers have compiled last.
    """

    def rank(index: int) -> tuple[bool, bool, int, int]:
        program = program_of(waiting[index])
        return (program != mine, program in others, -cost(waiting[index]), index)

    return min(range(len(waiting)), key=rank)


_Kind = tuple[Recipe, Training, DataSpec] | None
_ALONE = 1


@final
class Waiting:
    """Jobs that no worker has yet; of those that differ in their seeds alone, only the first is weighed."""

    def __init__(self, jobs: Iterable[Job], lanes: int = 1) -> None:
        self._lanes = lanes
        self._alike: dict[tuple[_Kind, int], deque[Job]] = {}
        for job in jobs:
            self._of(job, self._size(job)).append(job)

    def __bool__(self) -> bool:
        return bool(self._alike)

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._alike.values())

    @property
    def groups(self) -> int:
        """How many groups are left to be taken."""
        return sum(-(-len(jobs) // size) for (_, size), jobs in self._alike.items())

    def take(self, mine: Program | None, others: Collection[Program | None]) -> Group:
        """The next group for a worker, as :func:`choose` selects it; at least one job must wait.

        Args:
            mine: what this worker has compiled last; None for nothing.
            others: what the other workers have compiled last.
        """
        keys = list(self._alike)
        key = keys[choose([self._alike[key][0] for key in keys], mine, others)]
        jobs, (_, size) = self._alike[key], key
        taken = tuple(jobs.popleft() for _ in range(min(len(jobs), size)))
        if not jobs:
            del self._alike[key]
        return taken

    def put_back(self, group: Iterable[Job], *, alone: bool = False) -> None:
        """Put jobs back, to be tried again before those like them.

        Args:
            group: the jobs.
            alone: whether each becomes a group of its own, so that none fails because of another.
        """
        for job in reversed(tuple(group)):
            self._of(job, _ALONE if alone else self._size(job)).appendleft(job)

    def _of(self, job: Job, size: int) -> deque[Job]:
        kind = (job.recipe, job.training, job.data) if isinstance(job, TrainJob) else None
        return self._alike.setdefault((kind, size), deque())

    def _size(self, job: Job) -> int:
        """How many jobs like this one are computed at a time; estimators have no lanes."""
        return self._lanes if isinstance(job, TrainJob) and not job.recipe.is_estimator else _ALONE
