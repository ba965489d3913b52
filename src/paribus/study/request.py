"""What is asked, resolved once: the study, its data, its canonical arms and the seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from paribus.records import DataSummary, Recipe, Seeds, StudyKind, TrainJob, label_study
from paribus.study.document import StudyDocument
from paribus.study.plan import list_jobs


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """A study to be carried out, or one that was: what the command line, Python and the reports hand on.

    Attributes:
        study: the whole study. Its contrasts are the family that every verdict answers for, whichever arms are run.
        data: its data.
        stored_as: the name under which its runs are stored: the study's, with what a caller changed of it.
        arms: the arms asked for as they are trained, with the values that tuning chose; all of the study's by default.
        recipes: the canonical form of each of those arms.
        seeds: the seeds asked for.
        kind: what its runs are for.
        notes: remarks about the request itself, for the reader of its answer.
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
        """What the request is called in progress and in lists: ``digits``, ``digits.noise``."""
        return label_study(self.stored_as, self.kind)

    def jobs(self) -> tuple[TrainJob, ...]:
        """Every arm asked for with every seed asked for."""
        return list_jobs(self.arms, self.recipes, self.data, self.seeds)

    def with_seeds(self, seeds: tuple[Seeds, ...]) -> StudyRequest:
        """The same request for other seeds."""
        return replace(self, seeds=seeds)


def list_seeds(document: StudyDocument) -> tuple[Seeds, ...]:
    """The seeds that a study asks for: as many as it says, from its first one."""
    first = document.first_seed
    return tuple(Seeds.of(seed) for seed in range(first, first + document.seeds))
