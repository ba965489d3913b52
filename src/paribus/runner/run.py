"""Running a study: its request is resolved, its missing runs are computed, and its outcome is assembled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paribus.backends.base import Backend
from paribus.data import pending, summarize
from paribus.display.base import Display
from paribus.outcome.outcome import Outcome
from paribus.records import Seeds
from paribus.results.history import list_judgements
from paribus.results.stored_study import StoredResults
from paribus.runner.jobs import check_parameters, compute_missing, describe_arms
from paribus.runner.save import save_request
from paribus.runner.tuning import tune_arms
from paribus.store.base import Store
from paribus.study.document import StudyDocument
from paribus.study.fold_rules import check_fold_metrics
from paribus.study.plan import plan_runs
from paribus.study.request import StudyRequest, list_seeds
from paribus.study.shard import Shard

LARGE = 512 << 20
"""Bytes of data above which reading is announced."""


def run_study(
    study: StudyDocument,
    store: Store,
    backend: Backend,
    display: Display,
    *,
    stored_as: str | None = None,
    arms: Sequence[str] = (),
    seeds: int | None = None,
    parameters: Mapping[str, int] | None = None,
) -> Outcome:
    """Compute the missing runs of a study, and judge all its stored runs.

    Args:
        study: the whole study; its seeds are the requested ones.
        store: holds the runs.
        backend: computes the missing ones.
        display: shows the progress.
        stored_as: the name under which the runs are stored, if not the study's (see ``study.identity``).
        arms: only these are run; all by default. The outcome is always that of the whole study (decision 0080).
        seeds: the number of seeds of these arms, if not the study's.
        parameters: the number of weights of an arm's network, where the caller knows it.

    Returns:
        The outcome of all stored runs of the study.

    Raises:
        ModelError: Keras refuses an arm, or rebuilds another network than the caller's; nothing was trained.
        DataError, StoreError, BackendError: as their names say; runs that have ended stay stored.
    """
    numbers = None if seeds is None else list_seeds(study.model_copy(update={"seeds": seeds}))
    request = resolve_request(
        study, store, backend, display, stored_as=stored_as, arms=arms, seeds=numbers, parameters=parameters
    )
    return carry_out(request, store, backend, display)


def resolve_request(
    study: StudyDocument,
    store: Store,
    backend: Backend,
    display: Display,
    *,
    stored_as: str | None = None,
    arms: Sequence[str] = (),
    seeds: Sequence[Seeds] | None = None,
    parameters: Mapping[str, int] | None = None,
    shard: Shard | None = None,
) -> StudyRequest:
    """Summarize the data, tune the arms that have a grid, and describe every requested arm.

    Args:
        study: as for :func:`run_study`; so are the others that are not named here.
        store: holds the runs and the known canonical forms.
        backend: trains missing candidates, and describes arms.
        display: shows the progress.
        stored_as: the name under which the runs are stored.
        arms: only these are run.
        seeds: take the place of the study's; their streams may have different seeds.
        parameters: the number of weights of an arm's network, where the caller knows it.
        shard: the shard that is requested, if it is one: no candidate is trained for it, all of them must be stored.

    Raises:
        UsageError: some fold cannot be measured by the study's own metrics; or the study is tuned, and a shard of it
            is requested before all candidates are stored.
        ModelError, DataError, StoreError, BackendError: as :func:`run_study`.
    """
    announce_reading(study, display)
    data = summarize(study.data.spec())
    check_fold_metrics(study, data)
    backend.sized(data)
    selected = {name: arm for name, arm in study.arms.items() if not arms or name in arms}
    document = study.model_copy(update={"arms": selected})
    check_parameters(document, data, store, backend, parameters or {})
    request = StudyRequest(study, data, stored_as or study.name, document, seeds=list_seeds(study))
    tuned = tune_arms(request, store, backend, display, shard)
    recipes = describe_arms(tuned, data, store, backend)
    return StudyRequest(
        study, data, request.stored_as, tuned, recipes, request.seeds if seeds is None else tuple(seeds)
    )


def carry_out(request: StudyRequest, store: Store, backend: Backend, display: Display) -> Outcome:
    """Compute the missing runs of a request, and judge all stored runs of its study. The store records the judgement.

    Args:
        request: what :func:`resolve_request` returned.
        store: holds the runs.
        backend: computes the missing ones.
        display: shows the progress.

    Raises:
        DataError, StoreError, BackendError: as :func:`run_study`.
    """
    request = compute_request(request, store, backend, display)
    results = StoredResults.of(request, store)
    outcome = results.outcome()
    store.record_judgements(list_judgements(outcome, results.arms))
    return outcome


def compute_request(
    request: StudyRequest, store: Store, backend: Backend, display: Display, *, only: Sequence[Seeds] | None = None
) -> StudyRequest:
    """Compute the missing runs of a request, which is stored before anything is trained.

    Args:
        request: the request; all of it is stored.
        store: holds the runs.
        backend: computes the missing ones.
        display: shows the progress.
        only: the seeds whose runs are computed; all requested ones by default.

    Returns:
        The request, with a note if another study of its name was moved aside.
    """
    jobs = request.jobs()
    runs = store.runs([job.fingerprint for job in jobs])
    planned = plan_runs(jobs, runs)
    request = save_request(request, planned, store)
    if only is not None:
        selected = frozenset(only)
        planned = plan_runs([job for job in jobs if job.seeds in selected], runs)
    display.planned(request.arms.model_copy(update={"name": request.label}), request.data, planned)
    if planned.missing:
        compute_missing(planned, store, backend, display)
    return request


def announce_reading(study: StudyDocument, display: Display) -> None:
    """Announce that the study's data takes long to read, if it is large.

    Raises:
        DataError: it cannot be read.
    """
    size = pending(study.data.spec())
    if size >= LARGE:
        display.reading(study.data.source, size)
