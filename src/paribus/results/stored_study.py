"""Opening the stored results of a study: for commands that read results and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from paribus.analysis.contrasts import JudgedContrast
from paribus.data import summarize
from paribus.errors import StoreDamagedError, StudyError, UnknownNameError, UsageError, unknown_name
from paribus.outcome.outcome import Outcome
from paribus.records import DataSummary, StudyKind
from paribus.results.assemble import assemble_outcome, count_complete
from paribus.results.history import read_history
from paribus.results.noise import read_noise
from paribus.results.notes import note_mixed_environments, note_untuned_arms
from paribus.results.predictions import PredictionCache
from paribus.results.scores import StudyScores
from paribus.results.verdicts import judge_contrasts
from paribus.store.base import Store, StoredArm, StoredStudy, labelled_study
from paribus.study.design import Design
from paribus.study.document import StudyDocument
from paribus.study.identity import is_same_study, is_variant, list_differences
from paribus.study.load import load_study
from paribus.study.overrides import with_absolute_paths
from paribus.study.request import StudyRequest, list_seeds
from paribus.study.statements import Statement


@dataclass(frozen=True, slots=True)
class StoredResults:
    """The stored results of a study.

    Attributes:
        request: the stored request.
        arms: its arms with the seeds and fingerprints of their runs.
        store: holds the runs.
        predictions: their predictions, which are read once.
    """

    request: StudyRequest
    arms: tuple[StoredArm, ...]
    store: Store
    predictions: PredictionCache

    @classmethod
    def of(cls, request: StudyRequest, store: Store, predictions: PredictionCache | None = None) -> Self:
        """The stored results of a request that was computed.

        Args:
            request: the request, as it was stored.
            store: the store.
            predictions: the cache of predictions that were read already, if there is one.
        """
        stored = store.study(request.stored_as, request.kind)
        assert stored is not None, "a request is stored before it is computed"
        return cls(
            request, _drop_earlier_seeds(stored.arms, request.study), store, predictions or PredictionCache(store)
        )

    @property
    def document(self) -> StudyDocument:
        """The study."""
        return self.request.study

    @property
    def design(self) -> Design:
        """The study: names, contrasts, and how they are judged."""
        return self.request.study

    @property
    def data(self) -> DataSummary:
        """The study's data."""
        return self.request.data

    def outcome(self) -> Outcome:
        """The outcome of all stored runs of the study.

        Raises:
            StoreError: a run's predictions cannot be read.
            DataError: the data can no longer be read, so that the labels are not known.
        """
        outcome = assemble_outcome(self.request, self.arms, self.store, self.predictions)
        return replace(outcome, noise=read_noise(self.request, self.store))

    def scores(self) -> StudyScores:
        """Scores by arm and metric."""
        runs = self.store.runs([run.fingerprint for arm in self.arms for run in arm.runs])
        return StudyScores(self.document, self.data, self.arms, runs, self.predictions)

    def judge_pair(
        self, scores: StudyScores, a: str, b: str, metric: str, margin: float | None = None
    ) -> tuple[Statement, JudgedContrast | None] | None:
        """Judge one declared contrast as a member of the study's family.

        Args:
            scores: the scores of the study's runs.
            a: one arm of the contrast.
            b: the other one; the contrast may be declared as a against b or as b against a.
            metric: what is compared.
            margin: takes the place of the declared margin.

        Returns:
            The statement and the judged contrast, which is None before its first planned look; None where no such
            contrast was declared.
        """
        statements = list(read_history(self.document, self.arms, self.store).statements)
        for index, statement in enumerate(statements):
            if statement.contrast is not None and set(statement.arms) == {a, b} and statement.metric == metric:
                statements[index] = replace(statement, margin=margin or statement.margin)
                runs = self.store.runs([run.fingerprint for arm in self.arms for run in arm.runs])
                judged = judge_contrasts(self.document, statements, scores, count_complete(self.arms, runs))
                return statement, next((c for c in judged.contrasts if c.key == statement.key), None)
        return None

    def remarks(self, scores: StudyScores, *arms: str) -> tuple[str, ...]:
        """Notes for any answer about these arms.

        They are about damaged runs, different environments, and tuned arms beside others.
        """
        stored = self.store.runs([run.fingerprint for name in arms for run in self.arm(name).runs])
        environments = dict.fromkeys(run.environment for run in stored.values() if run.environment is not None)
        damage = [text for fingerprint, text in scores.damaged.items() if fingerprint in stored]
        return (*damage, *note_untuned_arms(self.document, arms), *note_mixed_environments(tuple(environments)))

    def require_arm(self, name: str) -> str:
        """Check the name of an arm, and return it.

        Raises:
            UnknownNameError: nothing is stored of such an arm.
        """
        return self.arm(name).name

    def arm(self, name: str) -> StoredArm:
        """The arm of that name.

        Raises:
            UnknownNameError: nothing is stored of such an arm.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise unknown_name("stored arm", name, [arm.name for arm in self.arms], f"study '{self.document.name}'")


def open_results(study: str, store: Store) -> StoredResults:
    """Open the stored results of a study.

    Args:
        study: the name under which it is stored, or a study as for ``paribus run``: a built-in name, a .toml file,
            module:object. The only stored variant of a study (``digits.epochs-2``) may be named like the study.
        store: the store.

    Returns:
        The results; nothing is computed.

    Raises:
        UnknownNameError: nothing is stored under that name.
        UsageError: the study file has changed since it was run.
    """
    stored = find_stored(study, store)
    if stored is None:
        document = load_study(study) if _names_study(study) else None
        stored = None if document is None else find_stored(document.name, store)
        if stored is None:
            known = ", ".join(entry.label for entry in store.studies()) or "nothing yet"
            name = document.name if document is not None else study
            raise UnknownNameError(
                f"nothing is stored of study '{name}'; stored: {known}. First: `paribus run {study}`"
            )
        if document is not None:
            _check_unchanged(study, document, stored)
    return _open_stored(stored, store)


def open_document(document: StudyDocument, store: Store) -> StoredResults:
    """Open the stored results of a study.

    Args:
        document: the study.
        store: the store.

    Raises:
        UnknownNameError: nothing is stored under its name.
        UsageError: another study, or one with other data, is stored under its name.
    """
    stored = find_stored(document.name, store)
    if stored is None:
        known = ", ".join(entry.label for entry in store.studies()) or "nothing yet"
        raise UnknownNameError(f"nothing is stored of study '{document.name}'; stored: {known}. Run it first")
    differences = list_differences(read_document(stored), document)
    if not differences and stored.data is not None and stored.data != summarize(document.data.spec()):
        differences = ("its data",)
    if differences:
        raise UsageError(
            f"this is not what was run as '{stored.name}' ({'; '.join(differences)}): run it, or ask for the stored "
            f"study by its name, '{stored.name}'"
        )
    return _open_stored(stored, store)


def _open_stored(stored: StoredStudy, store: Store) -> StoredResults:
    try:
        document = read_document(stored)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise StoreDamagedError(
            f"the stored document of study '{stored.label}' breaks rules of this version: {where}: {first['msg']}; "
            "it may be that of a newer paribus: update it"
        ) from error
    data = stored.data or summarize(document.data.spec())
    arms = _drop_earlier_seeds(stored.arms, document)
    recipes = {arm.name: arm.recipe for arm in arms}
    request = StudyRequest(document, data, stored.name, document, recipes, list_seeds(document), stored.kind)
    return StoredResults(request, arms, store, PredictionCache(store))


def read_document(stored: StoredStudy) -> StudyDocument:
    """Read the document of a stored study. Store format 2 has no number of requested seeds: all seeds count there.

    Raises:
        pydantic.ValidationError: it is no document of a study that this version knows.
    """
    document = StudyDocument.model_validate_json(stored.document)
    seeds = stored.seeds or max((len(arm.runs) for arm in stored.arms), default=document.seeds)
    return document.model_copy(update={"seeds": seeds, "first_seed": stored.first_seed})


def _drop_earlier_seeds(arms: Sequence[StoredArm], document: StudyDocument) -> tuple[StoredArm, ...]:
    """Leave out the runs of seeds before the study's first one."""
    first = document.first_seed * document.data.runs_per_seed
    return tuple(
        replace(arm, runs=tuple(run for run in arm.runs if (run.seeds.seed or 0) >= first)) if first else arm
        for arm in arms
    )


def find_stored(name: str, store: Store) -> StoredStudy | None:
    """Find a stored study by its label, else the only stored variant of it; None where there is none.

    Args:
        name: such as ``digits``; also finds ``digits.epochs-2`` where that is the only variant.
        store: the store.
    """
    stored = labelled_study(store, name)
    if stored is not None:
        return stored
    variants = [study for study in store.studies() if study.kind is StudyKind.STUDY and is_variant(study.name, name)]
    return variants[0] if len(variants) == 1 else None


def _names_study(study: str) -> bool:
    if study.endswith(".toml") or ":" in study:
        return True
    try:
        load_study(study)
    except (UnknownNameError, StudyError):
        return False
    return True


def _check_unchanged(study: str, document: StudyDocument, stored: StoredStudy) -> None:
    """Check that a file is the study that was run, apart from its question and its number of seeds.

    Raises:
        UsageError: it is another study; the message lists the differences.
    """
    stored_document = read_document(stored)
    if is_variant(stored.name, document.name):
        # Epochs and data were changed by an option, and not in the file.
        document = document.with_epochs(stored_document.protocol.epochs)
        document = document.model_copy(update={"data": stored_document.data})
    # Older stores have relative paths, which started at the current folder (decision 0043).
    stored_document, document = (with_absolute_paths(one, Path()) for one in (stored_document, document))
    if not is_same_study(stored_document, document) or stored_document.data != document.data:
        differences = "; ".join(list_differences(stored_document, document)) or "data.source"
        raise UsageError(
            f"{study} is not what was run as '{stored.name}' ({differences}): run it (`paribus run {study}`; runs that "
            f"stayed the same are not computed again), or ask for the stored study by its name, '{stored.name}'"
        )
