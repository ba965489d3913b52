"""A request: the study, its data, the canonical forms of its arms and the seeds, resolved once (decision 0080)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from paribus.records import DataSummary, Recipe, Seeds, StudyKind, TrainJob, label_study
from paribus.study.document import StudyDocument
from paribus.study.plan import list_jobs


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """A study to be run, or one that was run. The command line, Python and the reports all use this record.

    Attributes:
        study: the whole study. Its contrasts are the family that every verdict answers for, whichever arms are run.
        data: the summary of its data.
        stored_as: the name under which its runs are stored: the study's name, and what a caller changed as in
            ``digits.epochs-2``.
        arms: the study with only the requested arms, and with the values that tuning selected for them.
        recipes: the canonical form of each of those arms.
        seeds: the requested seeds.
        kind: the purpose of its runs.
        notes: remarks about the request, for the reader of its outcome.
    """

    study: StudyDocument
    data: DataSummary
    stored_as: str
    arms: StudyDocument
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    seeds: tuple[Seeds, ...] = ()
    kind: StudyKind = StudyKind.STUDY
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name of the request in progress: that of its study, or ``digits.noise`` for runs that serve it."""
        if self.kind in (StudyKind.STUDY, StudyKind.ABLATION):
            return self.study.name
        return label_study(self.stored_as, self.kind)

    def jobs(self) -> tuple[TrainJob, ...]:
        """Every requested arm with every requested seed."""
        return list_jobs(self.arms, self.recipes, self.data, self.seeds, self.kind)

    def with_seeds(self, seeds: tuple[Seeds, ...]) -> StudyRequest:
        """The same request for other seeds."""
        return replace(self, seeds=seeds)


def list_seeds(document: StudyDocument) -> tuple[Seeds, ...]:
    """The seeds of a study: ``seeds`` of them, from ``first_seed`` on.

    In cross-validation every run has a seed of its own, which says its repetition and fold
    (``paribus.records.Folds.of_seed``): there are ``seeds`` of them in each fold of each repetition.
    """
    runs = document.data.runs_per_seed
    first = document.first_seed * runs
    return tuple(Seeds.of(seed) for seed in range(first, first + document.seeds * runs))
