"""Which job an idle worker takes next. Pure; it decides speed, never results.

A program is compiled once per worker and architecture, so a worker stays with the arm it has; otherwise it takes the
costliest arm that nobody has yet, so that the long runs do not come last.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from paribus.records import Job, Recipe, TrainJob


def program_of(job: Job) -> Recipe | None:
    """What must be compiled for a job: jobs with equal answers share it."""
    return job.recipe if isinstance(job, TrainJob) else None


def cost(job: Job) -> int:
    """A rough measure of a job's work, for ordering only: parameters times epochs."""
    return job.recipe.parameters * job.training.epochs if isinstance(job, TrainJob) else 0


def choose(waiting: Sequence[Job], mine: Recipe | None, others: Collection[Recipe | None]) -> int:
    """The index in ``waiting`` of the next job for a worker that has compiled ``mine`` last.

    ``others`` is what the other workers have compiled last. ``waiting`` must not be empty.
    """

    def rank(index: int) -> tuple[bool, bool, int, int]:
        program = program_of(waiting[index])
        return (program != mine, program in others, -cost(waiting[index]), index)

    return min(range(len(waiting)), key=rank)
