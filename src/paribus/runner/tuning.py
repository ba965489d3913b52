"""Tuning: candidates are trained as ordinary runs, and the best one of each arm is selected from the stored runs.

The choice is not stored: it is a pure function of the candidates' runs, and computed whenever it is needed. So it is
the same after an interruption, and more seeds of the study do not change it (``docs/decisions/0038-the-choice.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import Mistake, ModelError, ParibusError, UsageError
from paribus.outcome.choice import Choice, ScoredCandidate
from paribus.records import DataSummary, Recipe, RunResult, StudyKind, TrainJob
from paribus.results.tuning import read_choices
from paribus.runner.jobs import compute_missing, try_arms
from paribus.runner.save import save_request
from paribus.store.base import Store
from paribus.study.candidates import (
    Candidate,
    candidate_study,
    format_values,
    list_candidates,
    with_values,
)
from paribus.study.document import StudyDocument
from paribus.study.identity import trains_alike
from paribus.study.plan import RunPlan, list_jobs, plan_runs
from paribus.study.request import StudyRequest
from paribus.study.shard import Shard


def tune_arms(
    request: StudyRequest, store: Store, backend: Backend, display: Display, shard: Shard | None = None
) -> StudyDocument:
    """Train the missing candidates of the requested arms, and set the best values in each arm.

    Args:
        request: the request, its arms untuned.
        store: holds the candidates.
        backend: computes the missing ones.
        display: shows the progress.
        shard: the shard that is requested, if it is one: then nothing is trained.

    Returns:
        The study with the selected values in its arms.

    Raises:
        UsageError: a shard is requested, and not all candidates are stored.
        ModelError: Keras refuses a candidate; nothing was trained.
        ParibusError: no candidate of an arm ended with a score, so that none can be selected.
    """
    document, data = request.arms, request.data
    if not document.tuned:
        return document
    candidate_document = candidate_study(document)
    recipes = _describe_candidates(document, candidate_document, data, store, backend)
    by_arm = list_candidates(document)
    jobs = [
        job
        for candidates in by_arm.values()
        for candidate in candidates
        for job in _list_candidate_jobs(candidate, candidate_document, recipes, data)
    ]
    runs = store.runs([job.fingerprint for job in jobs])
    planned = _without_retries(plan_runs(jobs, runs), _list_settled(request, by_arm, store), runs)
    if shard is not None and planned.missing:
        raise UsageError(_explain_untuned_shard(request, shard, len(planned.missing)))
    candidate_request = replace(
        request, study=candidate_study(request.study), arms=candidate_document, kind=StudyKind.TUNING
    )
    save_request(candidate_request, planned, store)
    if planned.missing:
        display.planned(candidate_document.model_copy(update={"name": candidate_request.label}), data, planned)
        compute_missing(planned, store, backend, display)
    choices = read_choices(request, store)
    arms = dict(document.arms)
    for name in by_arm:
        choice = choices[name]
        if choice.best is None:
            raise ParibusError(_explain_no_choice(choice))
        changed = with_values(arms[name], choice.best.candidate)
        arms[name] = changed.model_copy(update={"levels": arms[name].levels})
    return document.model_copy(update={"arms": arms})


def _describe_candidates(
    document: StudyDocument, candidate_document: StudyDocument, data: DataSummary, store: Store, backend: Backend
) -> dict[str, Recipe]:
    """Describe every candidate; a mistake names the arm and the values."""
    recipes, refused = try_arms(candidate_document, data, store, backend)
    names = {candidate.name: candidate for candidates in list_candidates(document).values() for candidate in candidates}
    mistakes = [
        Mistake(mistake.place.replace(f"arm '{name}'", _name_candidate(names[name]), 1), mistake.message)
        for name, candidates in refused.items()
        for mistake in candidates
    ]
    if mistakes:
        raise ModelError(f"study '{document.name}'", mistakes)
    return recipes


def _list_candidate_jobs(
    candidate: Candidate, candidate_document: StudyDocument, recipes: Mapping[str, Recipe], data: DataSummary
) -> tuple[TrainJob, ...]:
    single = candidate_document.model_copy(update={"arms": {candidate.name: candidate_document.arms[candidate.name]}})
    return list_jobs(single, recipes, data, candidate.seeds, StudyKind.TUNING)


def _list_settled(request: StudyRequest, by_arm: Mapping[str, Sequence[Candidate]], store: Store) -> set[str]:
    """List the candidates of arms whose choice is settled, as the study's own runs with these values have started."""
    stored = store.study(request.stored_as)
    if stored is None or not trains_alike(StudyDocument.model_validate_json(stored.document), request.study):
        return set()
    started = {arm.name for arm in stored.arms}
    return {candidate.name for name, candidates in by_arm.items() if name in started for candidate in candidates}


def _without_retries(planned: RunPlan, settled: set[str], runs: Mapping[str, RunResult]) -> RunPlan:
    """Drop failed candidates of settled arms: tried again, they could change the choice (decision 0038)."""
    missing = tuple(job for job in planned.missing if job.arm not in settled or job.fingerprint not in runs)
    return RunPlan(planned.jobs, missing)


def _name_candidate(candidate: Candidate) -> str:
    return f"arm '{candidate.arm}' with {format_values(candidate.by_key)}"


def _explain_untuned_shard(request: StudyRequest, shard: Shard, missing: int) -> str:
    arms = ", ".join(f"'{name}'" for name in request.arms.tuned)
    return (
        f"--shard {shard}: {arms} of study '{request.study.name}' {'is' if len(request.arms.tuned) == 1 else 'are'} "
        f"tuned, and {missing} of the candidates are not in this store. Shards must agree on the values that are "
        "selected, so tuning comes first: run the study with --seeds 1 and without --shard, then let every shard begin "
        "with that store (`paribus merge TUNED --into SHARD`)"
    )


def _explain_no_choice(choice: Choice) -> str:
    reasons = list(dict.fromkeys(_remarks(choice.candidates)))
    return (
        f"arm '{choice.arm}': none of its {len(choice.candidates)} candidates has a score, so that none can be "
        f"selected ({'; '.join(reasons)}); the same command tries them again"
    )


def _remarks(candidates: Iterable[ScoredCandidate]) -> Iterable[str]:
    for candidate in candidates:
        yield from candidate.remarks
