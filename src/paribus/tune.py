"""Tuning carried out: candidates are trained as ordinary runs, and each arm's choice is made from what is stored.

The choice is computed anew whenever it is needed, by a pure function of the candidates' runs, which are found by their
fingerprints. So it is the same however often it was interrupted, and more seeds of the study do not change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import Mistake, ModelError, ParibusError
from paribus.jobs import compute, stored_arms, stored_document, try_arms
from paribus.plan import Plan, plan, wanted_runs
from paribus.records import DataSummary, Recipe, RunResult, TrainJob
from paribus.store.base import Store
from paribus.study import StudyDocument
from paribus.tuning import (
    Candidate,
    Choice,
    Ending,
    Tried,
    candidates,
    choose,
    combinations,
    spelled,
    trial_study,
    tried,
    validation_split,
    with_values,
)


def settled(
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
    planned = _without(plan(wanted, runs), _begun(whole, by_arm, store), runs)
    store.save_study(trials.name, stored_document(trial_study(whole)), stored_arms(planned), data)
    if planned.missing:
        display.planned(trials, data, planned)
        compute(planned, store, backend, display)
    choices = stored_choices(document, data, store)
    arms = dict(document.arms)
    for name in by_arm:
        choice = choices[name]
        if choice.best is None:
            raise ParibusError(_nothing_to_choose(choice))
        changed = with_values(arms[name], choice.best.candidate)
        arms[name] = changed.model_copy(update={"levels": arms[name].levels})
    return document.model_copy(update={"arms": arms})


def stored_choices(document: StudyDocument, data: DataSummary, store: Store) -> dict[str, Choice]:
    """What was chosen for the arms of a study, from the candidates that are kept under its name.

    Arms whose candidates are not kept there (any more), or under another protocol, are left out.
    """
    trials = trial_study(document)
    found = store.study(trials.name) if document.tuned else None
    if found is None or found.data != data:
        return {}
    kept = StudyDocument.model_validate_json(found.document)
    if kept.protocol != trials.protocol:
        return {}
    stored = {arm.name: {run.seeds: run.fingerprint for run in arm.runs} for arm in found.arms}
    choices = {}
    for name, of_arm in candidates(document).items():
        if all(each.name in stored and kept.arms.get(each.name) == trials.arms[each.name] for each in of_arm):
            prints = {each.name: [stored[each.name].get(seeds) for seeds in each.seeds] for each in of_arm}
            runs = store.runs([one for several in prints.values() for one in several if one is not None])
            endings = {each.name: [_ending(runs.get(one or "")) for one in prints[each.name]] for each in of_arm}
            choices[name] = _choice(document, trials, name, of_arm, endings)
    return choices


def _choice(
    document: StudyDocument,
    trials: StudyDocument,
    arm: str,
    of_arm: Sequence[Candidate],
    endings: Mapping[str, Sequence[Ending | None]],
) -> Choice:
    monitor, rule = document.tuning.monitor, trials.protocol.training().early_stopping
    found = tuple(tried(each, endings[each.name], monitor, rule) for each in of_arm)
    return Choice(
        arm=arm,
        monitor=monitor,
        combinations=combinations(document.arms[arm].grid or {}),
        tried=found,
        chosen=choose(found, monitor),
        epochs=trials.protocol.epochs,
        validation_split=validation_split(document),
    )


def _ending(run: RunResult | None) -> Ending | None:
    """What the choice may know of a run: nothing of the test split."""
    return None if run is None else Ending(run.status, run.curve, run.reason)


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


def _without(planned: Plan, begun: set[str], runs: Mapping[str, RunResult]) -> Plan:
    """A candidate that failed is tried again only before its arm's choice is made, or the choice could change."""
    missing = tuple(job for job in planned.missing if job.arm not in begun or job.fingerprint not in runs)
    return Plan(planned.wanted, missing)


def _spelled(candidate: Candidate) -> str:
    return f"arm '{candidate.arm}' with {spelled(candidate.by_key)}"


def _nothing_to_choose(choice: Choice) -> str:
    reasons = list(dict.fromkeys(_remarks(choice.tried)))
    return (
        f"arm '{choice.arm}': none of its {len(choice.tried)} candidates has a score, so that nothing can be chosen "
        f"({'; '.join(reasons)}); the same command tries them again"
    )


def _remarks(found: Iterable[Tried]) -> Iterable[str]:
    for each in found:
        yield from each.remarks
