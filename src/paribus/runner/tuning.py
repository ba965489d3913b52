"""Tuning carried out: candidates are trained as ordinary runs, and each arm's choice is made from what is stored.

The choice is computed anew whenever it is needed, by a pure function of the candidates' runs, which are found by their
fingerprints. So it is the same however often it was interrupted, and more seeds of the study do not change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import Mistake, ModelError, ParibusError
from paribus.outcome.choice import Choice, ScoredCandidate
from paribus.records import DataSummary, Recipe, RunResult, StudyKind, TrainJob
from paribus.results.tuning import stored_choices
from paribus.runner.jobs import compute_missing, try_arms
from paribus.runner.save import save_request
from paribus.store.base import Store
from paribus.study.candidates import (
    Candidate,
    candidates,
    spelled,
    trial_study,
    with_values,
)
from paribus.study.document import StudyDocument
from paribus.study.identity import trains_alike
from paribus.study.plan import RunPlan, plan_runs, wanted_runs
from paribus.study.request import StudyRequest


def tune_arms(request: StudyRequest, store: Store, backend: Backend, display: Display) -> StudyDocument:
    """The arms asked for with the values that were chosen for them, after training the candidates that are missing.

    Args:
        request: what is asked, its arms untuned.
        store: where candidates are found and kept.
        backend: what computes them.
        display: what is told how it goes.

    Raises:
        ModelError: Keras refuses a candidate; nothing was trained.
        ParibusError: no candidate of an arm ended with a score, so that nothing can be chosen.
    """
    document, data = request.arms, request.data
    if not document.tuned:
        return document
    trials = trial_study(document)
    recipes = _described(document, trials, data, store, backend)
    by_arm = candidates(document)
    jobs = [
        job for of_arm in by_arm.values() for candidate in of_arm for job in _jobs(candidate, trials, recipes, data)
    ]
    runs = store.runs([job.fingerprint for job in jobs])
    planned = _without(plan_runs(jobs, runs), _begun(request, by_arm, store), runs)
    trial_request = replace(request, study=trial_study(request.study), arms=trials, kind=StudyKind.TUNING)
    save_request(trial_request, planned, store)
    if planned.missing:
        display.planned(trials.model_copy(update={"name": trial_request.label}), data, planned)
        compute_missing(planned, store, backend, display)
    choices = stored_choices(request, store)
    arms = dict(document.arms)
    for name in by_arm:
        choice = choices[name]
        if choice.best is None:
            raise ParibusError(_nothing_to_choose(choice))
        changed = with_values(arms[name], choice.best.candidate)
        arms[name] = changed.model_copy(update={"levels": arms[name].levels})
    return document.model_copy(update={"arms": arms})


def _described(
    document: StudyDocument, trials: StudyDocument, data: DataSummary, store: Store, backend: Backend
) -> dict[str, Recipe]:
    """The canonical form of every candidate; what Keras refuses is told with the arm and the values."""
    recipes, refused = try_arms(trials, data, store, backend)
    names = {each.name: each for found in candidates(document).values() for each in found}
    mistakes = [
        Mistake(mistake.place.replace(f"arm '{name}'", _spelled(names[name]), 1), mistake.message)
        for name, found in refused.items()
        for mistake in found
    ]
    if mistakes:
        raise ModelError(f"study '{document.name}'", mistakes)
    return recipes


def _jobs(
    candidate: Candidate, trials: StudyDocument, recipes: Mapping[str, Recipe], data: DataSummary
) -> tuple[TrainJob, ...]:
    one = trials.model_copy(update={"arms": {candidate.name: trials.arms[candidate.name]}})
    return wanted_runs(one, recipes, data, candidate.seeds)


def _begun(request: StudyRequest, by_arm: Mapping[str, Sequence[Candidate]], store: Store) -> set[str]:
    """The candidates of arms whose values were chosen already: the study's own runs began with those."""
    stored = store.study(request.stored_as)
    if stored is None or not trains_alike(StudyDocument.model_validate_json(stored.document), request.study):
        return set()
    begun = {arm.name for arm in stored.arms}
    return {candidate.name for name, of_arm in by_arm.items() if name in begun for candidate in of_arm}


def _without(planned: RunPlan, begun: set[str], runs: Mapping[str, RunResult]) -> RunPlan:
    """A candidate that failed is tried again only before its arm's choice is made, or the choice could change."""
    missing = tuple(job for job in planned.missing if job.arm not in begun or job.fingerprint not in runs)
    return RunPlan(planned.wanted, missing)


def _spelled(candidate: Candidate) -> str:
    return f"arm '{candidate.arm}' with {spelled(candidate.by_key)}"


def _nothing_to_choose(choice: Choice) -> str:
    reasons = list(dict.fromkeys(_remarks(choice.candidates)))
    return (
        f"arm '{choice.arm}': none of its {len(choice.candidates)} candidates has a score, so that nothing can be "
        f"chosen ({'; '.join(reasons)}); the same command tries them again"
    )


def _remarks(found: Iterable[ScoredCandidate]) -> Iterable[str]:
    for each in found:
        yield from each.remarks
