"""Tuning carried out: candidates are trained as ordinary runs, and each arm's choice is made from what is stored.

The choice is computed anew whenever it is needed, by a pure function of the candidates' runs, which are found by their
fingerprints. So it is the same however often it was interrupted, and more seeds of the study do not change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import Mistake, ModelError, ParibusError
from paribus.outcome.choice import Choice, ScoredCandidate
from paribus.records import DataSummary, Recipe, RunResult, TrainJob
from paribus.results.tuning import stored_choices
from paribus.runner.jobs import compute_missing, stored_arms, stored_document, try_arms
from paribus.store.base import Store
from paribus.study.candidates import (
    Candidate,
    candidates,
    spelled,
    trial_study,
    with_values,
)
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan, plan_runs, wanted_runs


def tune_arms(
    document: StudyDocument, whole: StudyDocument, data: DataSummary, store: Store, backend: Backend, display: Display
) -> StudyDocument:
    """The study with the chosen values in its arms, after training the candidates that are missing.

    Args:
        document: the arms that are wanted.
        whole: the study that they are of, under whose name everything is kept.
        data: its data.
        store: where candidates are found and kept.
        backend: what computes them.
        display: what is told how it goes.

    Raises:
        ModelError: Keras refuses a candidate; nothing was trained.
        ParibusError: no candidate of an arm ended with a score, so that nothing can be chosen.
    """
    if not document.tuned:
        return document
    trials = trial_study(document)
    recipes = _described(document, trials, data, store, backend)
    by_arm = candidates(document)
    wanted = [job for found in by_arm.values() for each in found for job in _jobs(each, trials, recipes, data)]
    runs = store.runs([job.fingerprint for job in wanted])
    planned = _without(plan_runs(wanted, runs), _begun(whole, by_arm, store), runs)
    store.save_study(trials.name, stored_document(trial_study(whole)), stored_arms(planned), data)
    if planned.missing:
        display.planned(trials, data, planned)
        compute_missing(planned, store, backend, display)
    choices = stored_choices(document, data, store)
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


def _begun(whole: StudyDocument, by_arm: Mapping[str, Sequence[Candidate]], store: Store) -> set[str]:
    """The candidates of arms that were chosen already: the study's own runs were begun with what was chosen."""
    found = store.study(whole.name)
    if found is None:
        return set()
    kept = StudyDocument.model_validate_json(found.document)
    if (kept.arms, kept.data, kept.protocol, kept.tuning) != (whole.arms, whole.data, whole.protocol, whole.tuning):
        return set()
    begun = {arm.name for arm in found.arms}
    return {each.name for name, of_arm in by_arm.items() if name in begun for each in of_arm}


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
