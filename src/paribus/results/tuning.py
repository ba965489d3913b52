"""The choices of the tuned arms of a study, from the stored candidates (``docs/decisions/0038-the-choice.md``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paribus.outcome.choice import CandidateRun, Choice, choose_candidate, score_candidate
from paribus.records import RunResult, StudyKind
from paribus.store.base import Store
from paribus.study.candidates import (
    Candidate,
    candidate_study,
    choose_validation_split,
    count_combinations,
    list_candidates,
)
from paribus.study.document import StudyDocument
from paribus.study.request import StudyRequest


def read_choices(request: StudyRequest, store: Store) -> dict[str, Choice]:
    """Read the candidates of a study's arms, and select the best one of each arm.

    Arms whose candidates are not stored, or were trained under another protocol, are left out.

    Args:
        request: the request for the study.
        store: holds the candidates.

    Returns:
        The choice by the name of the arm.
    """
    document = request.study
    stored = store.study(request.stored_as, StudyKind.TUNING) if document.tuned else None
    if stored is None or stored.data != request.data:
        return {}
    candidate_document, stored_arms = candidate_study(document), StudyDocument.model_validate_json(stored.document)
    if stored_arms.protocol != candidate_document.protocol:
        return {}
    fingerprints = {arm.name: {run.seeds: run.fingerprint for run in arm.runs} for arm in stored.arms}
    choices = {}
    for name, candidates in list_candidates(document).items():
        if all(
            c.name in fingerprints and stored_arms.arms.get(c.name) == candidate_document.arms[c.name]
            for c in candidates
        ):
            by_candidate = {c.name: [fingerprints[c.name].get(seeds) for seeds in c.seeds] for c in candidates}
            runs = store.runs(
                [
                    fingerprint
                    for of_candidate in by_candidate.values()
                    for fingerprint in of_candidate
                    if fingerprint is not None
                ]
            )
            endings = {
                c.name: [_hide_test_scores(runs.get(fingerprint or "")) for fingerprint in by_candidate[c.name]]
                for c in candidates
            }
            choices[name] = _make_choice(document, candidate_document, name, candidates, endings)
    return choices


def _make_choice(
    document: StudyDocument,
    candidate_document: StudyDocument,
    arm: str,
    candidates: Sequence[Candidate],
    endings: Mapping[str, Sequence[CandidateRun | None]],
) -> Choice:
    monitor, rule = document.tuning.monitor, candidate_document.protocol.training().early_stopping
    scored = tuple(score_candidate(candidate, endings[candidate.name], monitor, rule) for candidate in candidates)
    return Choice(
        arm=arm,
        monitor=monitor,
        combinations=count_combinations(document.arms[arm].grid or {}),
        candidates=scored,
        best_index=choose_candidate(scored, monitor),
        epochs=candidate_document.protocol.epochs,
        validation_split=choose_validation_split(document),
    )


def _hide_test_scores(run: RunResult | None) -> CandidateRun | None:
    """The part of a run that the choice may depend on: nothing of the test split."""
    return None if run is None else CandidateRun(run.status, run.curve, run.reason)
