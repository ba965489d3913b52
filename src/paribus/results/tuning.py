"""What was chosen for the tuned arms of a study, from the candidates that are stored under its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paribus.outcome.choice import CandidateRun, Choice, choose_candidate, score_candidate
from paribus.records import RunResult, StudyKind
from paribus.store.base import Store
from paribus.study.candidates import Candidate, candidates, combinations, trial_study, validation_split
from paribus.study.document import StudyDocument
from paribus.study.request import StudyRequest


def stored_choices(request: StudyRequest, store: Store) -> dict[str, Choice]:
    """What was chosen for the arms of a study, from the candidates that are stored under its name.

    Arms whose candidates are not stored there (any more), or under another protocol, are left out.
    """
    document = request.study
    stored = store.study(request.stored_as, StudyKind.TUNING) if document.tuned else None
    if stored is None or stored.data != request.data:
        return {}
    trials, before = trial_study(document), StudyDocument.model_validate_json(stored.document)
    if before.protocol != trials.protocol:
        return {}
    fingerprints = {arm.name: {run.seeds: run.fingerprint for run in arm.runs} for arm in stored.arms}
    choices = {}
    for name, of_arm in candidates(document).items():
        if all(c.name in fingerprints and before.arms.get(c.name) == trials.arms[c.name] for c in of_arm):
            of_seeds = {c.name: [fingerprints[c.name].get(seeds) for seeds in c.seeds] for c in of_arm}
            runs = store.runs([one for several in of_seeds.values() for one in several if one is not None])
            endings = {c.name: [_ending(runs.get(one or "")) for one in of_seeds[c.name]] for c in of_arm}
            choices[name] = _choice(document, trials, name, of_arm, endings)
    return choices


def _choice(
    document: StudyDocument,
    trials: StudyDocument,
    arm: str,
    of_arm: Sequence[Candidate],
    endings: Mapping[str, Sequence[CandidateRun | None]],
) -> Choice:
    monitor, rule = document.tuning.monitor, trials.protocol.training().early_stopping
    found = tuple(score_candidate(each, endings[each.name], monitor, rule) for each in of_arm)
    return Choice(
        arm=arm,
        monitor=monitor,
        combinations=combinations(document.arms[arm].grid or {}),
        candidates=found,
        best_index=choose_candidate(found, monitor),
        epochs=trials.protocol.epochs,
        validation_split=validation_split(document),
    )


def _ending(run: RunResult | None) -> CandidateRun | None:
    """What the choice may know of a run: nothing of the test split."""
    return None if run is None else CandidateRun(run.status, run.curve, run.reason)
