"""From a study's name to what is stored of it: for commands that read results and train nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from paribus.data import summarize
from paribus.errors import StudyError, UnknownNameError, UsageError
from paribus.outcome.outcome import Outcome
from paribus.records import DataSummary
from paribus.results.assemble import assemble_outcome
from paribus.results.noise import stored_noise
from paribus.results.notes import note_mixed_environments, note_untuned_arms
from paribus.results.scores import StudyScores
from paribus.store.base import Store, StoredArm, StoredStudy, labelled_study
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import with_absolute_paths


@dataclass(frozen=True, slots=True)
class StoredResults:
    """A stored study, opened for questions."""

    document: StudyDocument
    data: DataSummary
    arms: tuple[StoredArm, ...]
    store: Store

    def outcome(self) -> Outcome:
        """The result object over everything that is stored under the study's name."""
        outcome = assemble_outcome(self.document, self.data, self.arms, self.store)
        return replace(outcome, noise=stored_noise(self.document, self.data, self.store))

    def evidence(self) -> StudyScores:
        """Scores by arm and metric."""
        runs = self.store.runs([run.fingerprint for arm in self.arms for run in arm.runs])
        return StudyScores(self.document, self.data, self.arms, runs, self.store)

    def remarks(self, evidence: StudyScores, *arms: str) -> tuple[str, ...]:
        """What must be said beside any answer about these arms.

        Runs that are damaged, environments that differ, tuning of some alone.
        """
        stored = self.store.runs([run.fingerprint for name in arms for run in self.arm(name).runs])
        environments = dict.fromkeys(run.environment for run in stored.values() if run.environment is not None)
        damage = [text for fingerprint, text in evidence.damaged.items() if fingerprint in stored]
        return (*damage, *note_untuned_arms(self.document, arms), *note_mixed_environments(tuple(environments)))

    def arm(self, name: str) -> StoredArm:
        """The arm of that name.

        Raises:
            UnknownNameError: nothing is stored of such an arm.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        known = ", ".join(arm.name for arm in self.arms)
        raise UnknownNameError(f"study '{self.document.name}' has no stored arm '{name}'; stored are {known}")


def open_results(study: str, store: Store) -> StoredResults:
    """Find what is stored of a study.

    Args:
        study: its name as stored, or whatever ``paribus run`` takes: a built-in name, a .toml file, module:object.
        store: where to look.

    Raises:
        UnknownNameError: nothing is stored under that name.
        UsageError: the study says something else now than when it was run.
    """
    found = labelled_study(store, study)
    if found is None:
        document = load_study(study) if _may_be_file(study) else None
        found = labelled_study(store, document.name) if document is not None else None
        if found is None:
            known = ", ".join(stored.label for stored in store.studies()) or "nothing yet"
            name = document.name if document is not None else study
            raise UnknownNameError(
                f"nothing is stored of study '{name}'; stored: {known}. First: `paribus run {study}`"
            )
        if document is not None:
            _check_same(study, document, found)
    kept = StudyDocument.model_validate_json(found.document)
    return StoredResults(kept, found.data or summarize(kept.data.spec()), found.arms, store)


def _may_be_file(study: str) -> bool:
    if study.endswith(".toml") or ":" in study:
        return True
    try:
        load_study(study)
    except (UnknownNameError, StudyError):
        return False
    return True


def _check_same(study: str, document: StudyDocument, found: StoredStudy) -> None:
    """Arms, data and tuning of a file must be what was run; epochs and seeds, which flags may change, may differ."""
    # Paths that were kept before they were made absolute started at the current folder, as a flag's still do.
    kept, document = (
        with_absolute_paths(each, Path()) for each in (StudyDocument.model_validate_json(found.document), document)
    )
    if (kept.arms, kept.data, kept.tuning) != (document.arms, document.data, document.tuning):
        raise UsageError(
            f"{study} has other arms, other data or another tuning than when it was run as '{found.name}': "
            f"run it again (`paribus run {study}`; runs that stayed the same are not computed again)"
        )
