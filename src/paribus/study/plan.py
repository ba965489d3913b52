"""The jobs of a study, and which of them are not stored yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from paribus.data import known
from paribus.errors import Mistake, StudyError
from paribus.records import DataSpec, DataSummary, Recipe, RunResult, Seeds, Status, StudyKind, Training, TrainJob
from paribus.study.document import StudyDocument
from paribus.study.fingerprint import run_fingerprint

LISTED = 12
"""The largest number of classes that a message names."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All jobs of a study, by arm and then by seed; ``missing`` are those that must be computed."""

    jobs: tuple[TrainJob, ...]
    missing: tuple[TrainJob, ...]

    @property
    def run_count(self) -> int:
        """The number of different runs; a run that arms or seeds share counts once."""
        return len({job.fingerprint for job in self.jobs})

    @property
    def stored_count(self) -> int:
        """The number of runs that are stored already."""
        return self.run_count - len(self.missing)

    def of_arm(self, arm: str) -> tuple[TrainJob, ...]:
        """The jobs of one arm, by seed."""
        return tuple(job for job in self.jobs if job.arm == arm)


def list_jobs(
    document: StudyDocument,
    recipes: Mapping[str, Recipe],
    data: DataSummary,
    seeds: Sequence[Seeds],
    kind: StudyKind = StudyKind.STUDY,
) -> tuple[TrainJob, ...]:
    """List the jobs of every arm with every seed, by arm and then by seed.

    Args:
        document: the study.
        recipes: the canonical form of each arm.
        data: the data that the jobs are planned on; each of them carries its fingerprint.
        seeds: the seeds.
        kind: the purpose of the runs.

    Returns:
        The jobs, each with the fingerprint of its run.

    Raises:
        StudyError: a weight is for a class that the data does not have.
    """
    spec = document.data.spec()
    splits = _list_splits(spec, data, seeds)
    trainings = {
        name: with_class_indices(document.protocol.training(arm), data, document.name)
        for name, arm in document.arms.items()
    }
    return tuple(
        TrainJob(
            run_fingerprint(recipes[arm], training, split.spec, split.data, seed),
            arm,
            seed,
            recipes[arm],
            training,
            split.spec,
            split.data.fingerprint,
            split.files,
            kind,
            None if (weights := document.arms[arm].initial_weights) is None else weights.as_record(),
        )
        for arm, training in trainings.items()
        for seed, split in zip(seeds, splits, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Split:
    """The data of one run: how it is read, its summary, and stamps of its files."""

    spec: DataSpec
    data: DataSummary
    files: tuple[tuple[str, int, int, int], ...]


def _list_splits(spec: DataSpec, data: DataSummary, seeds: Sequence[Seeds]) -> list[_Split]:
    """The data of the runs with these seeds: of cross-validation the fold that a seed says, else the same for all."""
    if spec.folds is None:
        return [_Split(spec, data, known.files_of(data.fingerprint))] * len(seeds)
    assert len(data.folds) == spec.folds.runs, "the summary is that of all folds"
    splits = []
    for seed in seeds:
        assert seed.seed is not None, "runs of folds have one seed for all streams"
        summary = data.folds[seed.seed % spec.folds.runs]
        of_fold = replace(data, fingerprint=summary.fingerprint, train=summary.train, test=summary.test, folds=())
        splits.append(_Split(replace(spec, folds=spec.folds.of_seed(seed.seed)), of_fold, ()))
    return splits


def with_class_indices(training: Training, data: DataSummary, study: str) -> Training:
    """Replace the class labels of a training's weights by class indices.

    A study names classes by the labels of the data. Where no weight is for a label, whole numbers are indices, as older
    studies have them.

    Args:
        training: the protocol, with weights by label.
        data: the summary of the data, which has the labels.
        study: the name of the study, for errors.

    Returns:
        The protocol, with weights by class index.

    Raises:
        StudyError: a weight is for a class that the data does not have; every such weight is listed.
    """
    if not isinstance(training.class_weight, tuple):
        return training
    names = data.class_names or tuple(map(str, range(data.classes)))
    positions = {name: index for index, name in enumerate(names)}
    by_label = any(str(label) in positions for label, _ in training.class_weight)
    mistakes, pairs = [], []
    for label, weight in training.class_weight:
        index = positions.get(str(label)) if by_label or isinstance(label, str) else label
        if index is None or index >= data.classes:
            listed = ", ".join(names[:LISTED]) + (" ..." if len(names) > LISTED else "")
            text = f"class {label}: {data.name} has {data.classes} classes, {listed}"
            mistakes.append(Mistake("protocol, class_weight", text))
        else:
            pairs.append((index, weight))
    if mistakes:
        raise StudyError(f"study '{study}'", mistakes)
    return replace(training, class_weight=tuple(sorted(pairs)))


def plan_runs(jobs: Sequence[TrainJob], stored: Mapping[str, RunResult]) -> RunPlan:
    """Plan the jobs that are not stored, and those that failed; finished and diverged runs are not computed again.

    Arms with equal recipes share their runs, and so do all seeds of an arm that does not depend on them.

    Args:
        jobs: all jobs of the study.
        stored: stored runs by fingerprint; runs of other studies among them do not matter.
    """
    missing: dict[str, TrainJob] = {}
    for job in jobs:
        if job.fingerprint not in stored or stored[job.fingerprint].status is Status.FAILED:
            missing.setdefault(job.fingerprint, job)
    return RunPlan(tuple(jobs), tuple(missing.values()))
