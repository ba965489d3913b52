"""From stored runs to the outcome: the runs, the estimates of each arm, the judged statements and the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from paribus.analysis.comparison import Scope
from paribus.analysis.estimates import Estimate, estimate_scores, estimate_values
from paribus.analysis.folds import FoldLayout
from paribus.analysis.metrics import METRICS, Metric
from paribus.analysis.pairing import SeedScores
from paribus.data import class_names
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import DataSummary, RunResult, Status
from paribus.results.history import add_looks_taken, note_unplanned_looks, read_history
from paribus.results.next_step import add_next_steps
from paribus.results.notes import list_notes, list_positive_metrics
from paribus.results.predictions import PredictionCache
from paribus.results.scores import StudyScores, list_added_metrics
from paribus.results.tuning import read_choices
from paribus.results.verdicts import judge_contrasts
from paribus.store.base import Store, StoredArm
from paribus.study.document import StudyDocument
from paribus.study.request import StudyRequest


def assemble_outcome(
    request: StudyRequest, arms: Sequence[StoredArm], store: Store, predictions: PredictionCache | None = None
) -> Outcome:
    """Assemble the outcome of a study from its stored runs.

    A run whose predictions are damaged counts as failed, and its reason describes the damage
    (``docs/decisions/0071-what-a-store-answers-from-has-a-checksum.md``).

    Args:
        request: the request for the study.
        arms: for each arm that was run, the seeds and fingerprints of the runs to be judged.
        store: holds the runs.
        predictions: the cache of predictions that were read already, if there is one.

    Returns:
        The outcome of the whole study.

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
    choices = read_choices(request, store)
    outcomes = tuple(
        replace(_assemble_arm(arm, document, runs, scores), tuning=choices.get(arm.name)) for arm in present
    )
    history = read_history(document, present, store)
    judgement = judge_contrasts(document, history.statements, scores, count_complete(present, runs))
    environments = tuple(dict.fromkeys(run.environment for run in runs.values() if run.environment is not None))
    remarks = list_notes(
        document,
        outcomes,
        environments,
        request.data.notes,
        loss_is_per_example=scores.loss_is_per_example,
        positive=_find_default_positive(document, request.data),
    )
    outcome = Outcome(
        request,
        outcomes,
        judgement.contrasts,
        judgement.effects,
        (*request.notes, *history.notes, *remarks),
        environments,
        read,
        metrics=list_added_metrics(document),
        statements=history.statements,
    )
    outcome = add_next_steps(add_looks_taken(outcome, history))
    return replace(outcome, notes=(*note_unplanned_looks(outcome), *outcome.notes))


def count_complete(arms: Sequence[StoredArm], runs: Mapping[str, RunResult]) -> dict[str, int]:
    """Count the seeds of each arm that have ended without a gap from the first: a look needs all of its seeds.

    Args:
        arms: the arms with the fingerprints of their runs.
        runs: the runs that have ended, by fingerprint.

    Returns:
        The number of seeds by the name of the arm.
    """
    return {arm.name: sum(1 for _ in takewhile(lambda run: run.fingerprint in runs, arm.runs)) for arm in arms}


def _find_default_positive(document: StudyDocument, data: DataSummary) -> str | None:
    """The class that binary metrics are about by default; None where the study names it or has no such metric."""
    if data.classes != 2 or document.protocol.positive is not None or not list_positive_metrics(document):
        return None
    return class_names(document.data.spec())[1]


def _assemble_arm(
    arm: StoredArm, document: StudyDocument, runs: Mapping[str, RunResult], scores: StudyScores
) -> ArmOutcome:
    missing = tuple(run.seeds for run in arm.runs if run.fingerprint not in runs)
    names = [*METRICS, *(metric.name for metric in list_added_metrics(document))]
    layout = scores.folds
    estimates = {
        name: _estimate_metric(scores.scores(arm.name, name), scores.metric(name), document, layout) for name in names
    }
    results = tuple(
        _mark_damaged(result, damage) if (damage := scores.damaged.get(run.fingerprint)) else result
        for run in arm.runs
        if (result := run.among(runs)) is not None
    )
    return ArmOutcome(arm.name, arm.recipe, document.arms[arm.name].levels, results, missing, estimates)


def _mark_damaged(run: RunResult, damage: str) -> RunResult:
    """The run as failed, without scores, since its predictions are damaged."""
    return replace(run, status=Status.FAILED, scores=None, metrics={}, weights_digest=None, reason=damage)


def _estimate_metric(
    scores: SeedScores, metric: Metric, document: StudyDocument, layout: FoldLayout | None
) -> Estimate | None:
    if not scores.seeds:
        return None
    if layout is not None:
        return _estimate_over_folds(scores, metric, document, layout)
    if scores.values.shape[1] == 1:
        return estimate_values(scores.values[:, 0], document.comparison.level, proportion=metric.proportion)
    return estimate_scores(scores.values, document.comparison.level, document.comparison.scope)


def _estimate_over_folds(
    scores: SeedScores, metric: Metric, document: StudyDocument, layout: FoldLayout
) -> Estimate | None:
    """The estimate of a metric in cross-validation; only metrics of the test parts have an interval.

    Training parts share most of their examples, so that no interval holds for what is measured on them (decision 0115).
    """
    level = document.comparison.level
    if metric.name.startswith("test_"):
        rows = layout.of_rows(scores.seeds, scores.values.shape[1])
        scope = Scope(document.scope)
        if scope is Scope.THESE_TRAINING_SETS and len(scores.seeds) < 2:
            return None
        return estimate_scores(scores.values, level, scope, proportion=metric.proportion, folds=rows)
    runs = scores.values.astype(float)
    spread = float(runs.std(ddof=1))
    return Estimate(float(runs.mean()), None, None, spread, runs.size, Scope(document.scope), level)
