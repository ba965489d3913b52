"""From what a store holds to the result object: the runs, the estimates of each arm, the judgement and the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from paribus.analysis.estimates import Estimate, estimate_scores, estimate_values
from paribus.analysis.metrics import METRICS
from paribus.analysis.pairing import SeedScores
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import DataSummary, RunResult, Status
from paribus.results.notes import list_notes
from paribus.results.scores import StudyScores, own_metrics
from paribus.results.tuning import stored_choices
from paribus.results.verdicts import judge_contrasts
from paribus.store.base import Store, StoredArm
from paribus.study.document import StudyDocument


def assemble_outcome(document: StudyDocument, data: DataSummary, stored: Sequence[StoredArm], store: Store) -> Outcome:
    """What the named runs of a study say, as far as they are in the store.

    Args:
        document: the study: what to compare, and how.
        data: its data.
        stored: for each arm, the seeds and fingerprints of the runs to be judged.
        store: where the runs are.

    A run whose predictions are damaged is shown as failed, with what is wrong with it.

    Raises:
        StoreError: a run's predictions cannot be read.
        DataError: the data can no longer be read, so that the labels are not known.
    """
    runs = store.runs([run.fingerprint for arm in stored for run in arm.runs])
    by_name = {arm.name: arm for arm in stored}
    present = [by_name[name] for name in document.arms if name in by_name]
    evidence = StudyScores(document, data, present, runs, store)
    choices = stored_choices(document, data, store)
    arms = tuple(replace(_arm(arm, document, runs, evidence), tuning=choices.get(arm.name)) for arm in present)
    judged = judge_contrasts(document, evidence, min((_complete(arm, runs) for arm in present), default=0))
    environments = tuple(dict.fromkeys(run.environment for run in runs.values() if run.environment is not None))
    remarks = list_notes(document, arms, environments, data.notes)
    return Outcome(
        document,
        data,
        arms,
        judged.contrasts,
        judged.effects,
        remarks,
        environments,
        store.predictions,
        metrics=own_metrics(document),
    )


def _complete(arm: StoredArm, runs: Mapping[str, RunResult]) -> int:
    """How many of an arm's seeds have ended one after the other from the first: looks are taken at whole ones only."""
    return sum(1 for _ in takewhile(lambda run: run.fingerprint in runs, arm.runs))


def _arm(arm: StoredArm, document: StudyDocument, runs: Mapping[str, RunResult], evidence: StudyScores) -> ArmOutcome:
    missing = tuple(run.seeds for run in arm.runs if run.fingerprint not in runs)
    names = [*METRICS, *(metric.name for metric in own_metrics(document))]
    estimates = {name: _estimate(evidence.scores(arm.name, name), document) for name in names}
    found = tuple(
        _as_damaged(result, damage) if (damage := evidence.damaged.get(run.fingerprint)) else result
        for run in arm.runs
        if (result := run.among(runs)) is not None
    )
    return ArmOutcome(arm.name, arm.recipe, document.arms[arm.name].levels, found, missing, estimates)


def _as_damaged(run: RunResult, damage: str) -> RunResult:
    """A run that ended well, as it counts since its predictions cannot be read any more."""
    return replace(run, status=Status.FAILED, scores=None, metrics={}, weights_digest=None, reason=damage)


def _estimate(scores: SeedScores, document: StudyDocument) -> Estimate | None:
    if not scores.seeds:
        return None
    if scores.values.shape[1] == 1:
        return estimate_values(scores.values[:, 0], document.comparison.level)
    return estimate_scores(scores.values, document.comparison.level, document.comparison.scope)
