"""What must be run: the study's runs less those that are stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paribus.records import DataSummary, Recipe, RunResult, Seeds, Status, TrainJob
from paribus.study.document import StudyDocument
from paribus.study.fingerprint import run_fingerprint


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All runs of a study, by arm and then by seed; ``missing`` are those that must be computed."""

    wanted: tuple[TrainJob, ...]
    missing: tuple[TrainJob, ...]

    @property
    def different(self) -> int:
        """How many runs are wanted; what arms or seeds share counts once."""
        return len({job.fingerprint for job in self.wanted})

    @property
    def stored(self) -> int:
        """How many of them need not be computed."""
        return self.different - len(self.missing)

    def of_arm(self, arm: str) -> tuple[TrainJob, ...]:
        """The wanted runs of one arm, by seed."""
        return tuple(job for job in self.wanted if job.arm == arm)


def wanted_runs(
    document: StudyDocument, recipes: Mapping[str, Recipe], data: DataSummary, seeds: Sequence[Seeds]
) -> tuple[TrainJob, ...]:
    """Every arm with every seed."""
    spec = document.data.spec()
    trainings = {name: document.protocol.training(arm.precision) for name, arm in document.arms.items()}
    return tuple(
        TrainJob(run_fingerprint(recipes[arm], training, spec, data, seed), arm, seed, recipes[arm], training, spec)
        for arm, training in trainings.items()
        for seed in seeds
    )


def plan_runs(wanted: Sequence[TrainJob], stored: Mapping[str, RunResult]) -> RunPlan:
    """Finished and diverged runs are kept; failed ones are tried again.

    Arms with equal recipes share their runs, and so do all seeds of an arm that does not depend on them.
    """
    missing: dict[str, TrainJob] = {}
    for job in wanted:
        if job.fingerprint not in stored or stored[job.fingerprint].status is Status.FAILED:
            missing.setdefault(job.fingerprint, job)
    return RunPlan(tuple(wanted), tuple(missing.values()))
