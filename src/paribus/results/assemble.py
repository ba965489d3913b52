"""From what a store holds to the result object: the runs, the estimates of each arm, the judgement and the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from paribus.analysis.estimates import Estimate, estimate_scores, estimate_values
from paribus.analysis.metrics import METRICS, Metric
from paribus.analysis.pairing import SeedScores
from paribus.data import class_names
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import DataSummary, RunResult, Status
from paribus.results.history import note_unplanned_looks, read_history, with_looks_taken
from paribus.results.next_step import with_next_steps
from paribus.results.notes import list_notes, positive_metrics
from paribus.results.predictions import PredictionCache
from paribus.results.scores import StudyScores, own_metrics
from paribus.results.tuning import stored_choices
from paribus.results.verdicts import judge_contrasts
from paribus.store.base import Store, StoredArm
from paribus.study.document import StudyDocument
from paribus.study.request import StudyRequest


def assemble_outcome(
    request: StudyRequest, arms: Sequence[StoredArm], store: Store, predictions: PredictionCache | None = None
) -> Outcome:
    """What the stored runs of a study say.

    Args:
        request: the study as it was asked for.
        arms: for each arm that was run, the seeds and fingerprints of the runs to be judged.
        store: where the runs are.
        predictions: those that were read already, if any were.

    A run whose predictions are damaged is shown as failed, with what is wrong with it.

    Raises:
        StoreError: a run's predictions cannot be read.
        DataError: the data can no longer be read, so that the labels are not known.
    """
    document = request.study
    runs = store.runs([run.fingerprint for arm in arms for run in arm.runs])
    by_name = {arm.name: arm for arm in arms}
    present = [by_name[name] for name in document.arms if name in by_name]
    read = predictions or PredictionCache(store)
    scores = StudyScores(document, request.data, present, runs, read)
    choices = stored_choices(request, store)
    outcomes = tuple(replace(_arm(arm, document, runs, scores), tuning=choices.get(arm.name)) for arm in present)
    history = read_history(document, present, store)
    judgement = judge_contrasts(document, history.statements, scores, count_complete(present, runs))
    environments = tuple(dict.fromkeys(run.environment for run in runs.values() if run.environment is not None))
    remarks = list_notes(
        document,
        outcomes,
        environments,
        request.data.notes,
        loss_is_per_example=scores.loss_is_per_example,
        positive=_unnamed_positive(document, request.data),
    )
    outcome = Outcome(
        request,
        outcomes,
        judgement.contrasts,
        judgement.effects,
        (*request.notes, *history.notes, *remarks),
        environments,
        read,
        metrics=own_metrics(document),
        statements=history.statements,
    )
    outcome = with_next_steps(with_looks_taken(outcome, history))
    return replace(outcome, notes=(*note_unplanned_looks(outcome), *outcome.notes))


def count_complete(arms: Sequence[StoredArm], runs: Mapping[str, RunResult]) -> dict[str, int]:
    """How many seeds of each arm have ended one after the other from the first: looks are taken at whole ones only."""
    return {arm.name: sum(1 for _ in takewhile(lambda run: run.fingerprint in runs, arm.runs)) for arm in arms}


def _unnamed_positive(document: StudyDocument, data: DataSummary) -> str | None:
    """The class that binary metrics of two classes are about where the study does not say it; None where it does."""
    if data.classes != 2 or document.protocol.positive is not None or not positive_metrics(document):
        return None
    return class_names(document.data.spec())[1]


def _arm(arm: StoredArm, document: StudyDocument, runs: Mapping[str, RunResult], scores: StudyScores) -> ArmOutcome:
    missing = tuple(run.seeds for run in arm.runs if run.fingerprint not in runs)
    names = [*METRICS, *(metric.name for metric in own_metrics(document))]
    estimates = {name: _estimate(scores.scores(arm.name, name), scores.metric(name), document) for name in names}
    results = tuple(
        _as_damaged(result, damage) if (damage := scores.damaged.get(run.fingerprint)) else result
        for run in arm.runs
        if (result := run.among(runs)) is not None
    )
    return ArmOutcome(arm.name, arm.recipe, document.arms[arm.name].levels, results, missing, estimates)


def _as_damaged(run: RunResult, damage: str) -> RunResult:
    """A run that ended well, as it counts since its predictions cannot be read any more."""
    return replace(run, status=Status.FAILED, scores=None, metrics={}, weights_digest=None, reason=damage)


def _estimate(scores: SeedScores, metric: Metric, document: StudyDocument) -> Estimate | None:
    if not scores.seeds:
        return None
    if scores.values.shape[1] == 1:
        return estimate_values(scores.values[:, 0], document.comparison.level, proportion=metric.proportion)
    return estimate_scores(scores.values, document.comparison.level, document.comparison.scope)
