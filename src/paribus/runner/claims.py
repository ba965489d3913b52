"""What a store or a report claims about its runs, and the jobs that compute them again."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from paribus.data import summarize
from paribus.errors import DataError, ParibusError, StoreError, StudyError, UnknownNameError, UsageError
from paribus.keras_config.custom_objects import SOURCES
from paribus.records import (
    Curve,
    DataSummary,
    Predictions,
    Recipe,
    RunResult,
    Seeds,
    Status,
    StudyKind,
    TrainJob,
)
from paribus.report.runs_block import ReportClaims, claimed_environment, claimed_metrics, claimed_scores
from paribus.results.stored_study import read_document
from paribus.store.base import Store, StoredStudy
from paribus.study.document import StudyDocument
from paribus.study.load import check_table
from paribus.study.overrides import override
from paribus.study.plan import list_jobs


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that somebody says to have computed.

    Attributes:
        name: study, arm and seed, for readers: ``digits/small/0``.
        job: what computes it again.
        run: its result as it is claimed, without arrays. A claim of a report has no curve.
        arm_scores: the test accuracies that are claimed of all seeds of its arm.
        store: has its weights and predictions; None for a claim of a report.
    """

    name: str
    job: TrainJob
    run: RunResult
    arm_scores: tuple[float, ...]
    store: Store | None

    @property
    def code_digests(self) -> frozenset[str]:
        """The sha256 of the files of code that the run was computed with, beside Keras's own; empty for most."""
        if SOURCES not in self.job.recipe.model:
            return frozenset()
        sources = json.loads(self.job.recipe.model).get(SOURCES, {})
        return frozenset(map(str, sources.values())) if isinstance(sources, dict) else frozenset()


@dataclass(frozen=True, slots=True)
class Unverifiable:
    """A run, or all runs of an arm or a study, that cannot be computed again here, and why not."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Claims:
    """The runs that are claimed: those that can be computed again, and those that cannot."""

    verifiable: tuple[Claim, ...]
    unverifiable: tuple[Unverifiable, ...]


def read_store_claims(store: Store, data: str | None = None) -> Claims:
    """What a store claims.

    Args:
        store: the store.
        data: where its data is, if not where its studies say.

    Returns:
        The claims of all its studies.
    """
    claims: dict[str, Claim] = {}
    unverifiable: list[Unverifiable] = []
    for study in store.studies():
        try:
            document = override(read_document(study), data=data)
        except ValidationError as error:
            unverifiable.append(Unverifiable(study.label, f"its document breaks rules ({error.error_count()} of them)"))
            continue
        summary = _summarize(document, None if study.data is None else study.data.fingerprint)
        if isinstance(summary, str):
            unverifiable.append(Unverifiable(study.label, summary))
            continue
        for claim in _list_study_claims(study, document, summary, store):
            if isinstance(claim, Unverifiable):
                unverifiable.append(claim)
            else:
                claims.setdefault(claim.job.fingerprint, claim)
    return Claims(tuple(claims.values()), tuple(unverifiable))


def read_report_claims(report: ReportClaims, source: str, data: str | None = None) -> Claims:
    """What a report claims.

    Args:
        report: what it says about its runs.
        source: names it in errors.
        data: where its data is, if not where its study says.

    Returns:
        The claims of its study.

    Raises:
        StudyError: its study breaks rules.
        UsageError: its study is not TOML.
    """
    try:
        document = check_table(tomllib.loads(report.study), source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{source}: the study in it is not TOML; verify the store instead") from error
    document = override(document, data=data)
    summary = _summarize(document, report.data)
    if isinstance(summary, str):
        return Claims((), (Unverifiable(document.name, summary),))
    claims: dict[str, Claim] = {}
    unverifiable: list[Unverifiable] = []
    for arm in report.arms:
        recipe = Recipe(arm.model, arm.optimizer, arm.parameters, ())
        runs = [
            RunResult(
                claim.fingerprint,
                Status(claim.status),
                Seeds(*claim.seeds),
                claimed_scores(claim),
                Curve((), ()),
                0.0,
                claim.weights_digest,
                claimed_environment(report, claim),
                metrics=claimed_metrics(claim),
            )
            for claim in arm.runs
        ]
        for claim in _list_arm_claims(document.name, document, arm.name, recipe, runs, summary, None):
            if isinstance(claim, Unverifiable):
                unverifiable.append(claim)
            else:
                claims.setdefault(claim.job.fingerprint, claim)
    return Claims(tuple(claims.values()), tuple(unverifiable))


def read_report(path: Path) -> str:
    """The text of a report.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path}: the report cannot be read: {reason}") from error


def _summarize(document: StudyDocument, fingerprint: str | None) -> DataSummary | str:
    """The study's data as it is here, or why it is not the data of the claims."""
    try:
        summary = summarize(document.data.spec())
    except (DataError, UnknownNameError, UsageError) as error:
        return f"its data cannot be read ({error}); say where it is with --data"
    if fingerprint is not None and summary.fingerprint != fingerprint:
        return (
            f"its data is another one: {document.data.source} has sha256 {summary.fingerprint[:12]}, the runs were "
            f"computed on {fingerprint[:12]}; say where that is with --data"
        )
    return summary


def _list_study_claims(
    study: StoredStudy, document: StudyDocument, data: DataSummary, store: Store
) -> Iterator[Claim | Unverifiable]:
    for arm in study.arms:
        if arm.name not in document.arms:
            yield Unverifiable(f"{study.label}/{arm.name}", "the study no longer has this arm")
            continue
        try:
            stored = store.runs([run.fingerprint for run in arm.runs])
        except StoreError as error:
            yield Unverifiable(f"{study.label}/{arm.name}", str(error))
            continue
        runs = [result for run in arm.runs if (result := run.among(stored)) is not None]
        yield from _list_arm_claims(study.label, document, arm.name, arm.recipe, runs, data, store, study.kind)


def _list_arm_claims(
    study: str,
    document: StudyDocument,
    arm: str,
    recipe: Recipe,
    runs: Sequence[RunResult],
    data: DataSummary,
    store: Store | None,
    kind: StudyKind = StudyKind.STUDY,
) -> Iterator[Claim | Unverifiable]:
    if arm not in document.arms:
        yield Unverifiable(f"{study}/{arm}", "the study has no such arm")
        return
    if not _is_json_object(recipe.model):
        yield Unverifiable(f"{study}/{arm}", "its canonical form is not one")
        return
    alone = document.model_copy(update={"arms": {arm: document.arms[arm]}})
    try:
        jobs = list_jobs(alone, {arm: recipe}, data, [run.seeds for run in runs], kind)
    except (StudyError, ValueError, KeyError, AttributeError, TypeError) as error:
        # A stranger's canonical form may be anything.
        reason = str(error) if isinstance(error, ParibusError) else "its canonical form is not one"
        yield Unverifiable(f"{study}/{arm}", reason)
        return
    accuracies = tuple(run.scores.test_accuracy for run in runs if run.scores is not None)
    for run, job in zip(runs, jobs, strict=True):
        name = f"{study}/{arm}/{_format_seeds(run.seeds)}"
        if run.scores is None:
            continue  # a failed run claims nothing
        if job.fingerprint != run.fingerprint:
            reason = "its fingerprint is not that of what the report claims to have trained, in this version of paribus"
            yield Unverifiable(name, reason)
        else:
            yield Claim(name, job, run, accuracies, store)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _format_seeds(seeds: Seeds) -> str:
    return str(seeds.seed) if seeds.seed is not None else f"{seeds.init}-{seeds.order}-{seeds.dropout}"


def claimed_arrays(claim: Claim) -> tuple[Predictions, Mapping[str, object] | None] | None:
    """The claimed predictions and weights; None for a claim of a report. An estimator has no weights.

    Raises:
        StoreError: they are damaged, or cannot be read.
    """
    if claim.store is None:
        return None
    weights = None if claim.job.recipe.is_estimator else claim.store.weights(claim.run.fingerprint)
    return claim.store.predictions(claim.run.fingerprint), weights
