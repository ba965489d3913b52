"""The composition root: joins a study, a store and a backend, and carries out what the plan says."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.backends.base import Backend
from paribus.data import pending, summarize
from paribus.display.base import Display
from paribus.records import Seeds, StudyKind
from paribus.runner.jobs import compute_missing, describe_arms, stored_arms, stored_document, stored_name
from paribus.runner.tuning import tune_arms
from paribus.store.base import Store
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan, plan_runs, wanted_runs

LARGE = 512 << 20
"""Bytes of data above which reading it is announced."""


def run_study(
    document: StudyDocument,
    store: Store,
    backend: Backend,
    display: Display,
    *,
    whole: StudyDocument | None = None,
    seeds: Sequence[Seeds] | None = None,
    kind: StudyKind = StudyKind.STUDY,
) -> RunPlan:
    """Compute what is missing of a study's runs, and record each as it ends. Arms with a grid are tuned first.

    Args:
        document: what to run, with seeds 0 to ``document.seeds`` - 1.
        store: where runs are found and kept.
        backend: what computes them.
        display: what is told how it goes.
        whole: the study that the runs are kept under, where ``document`` holds only some of its arms.
        seeds: other seeds than 0 to ``document.seeds`` - 1, the streams seeded apart perhaps.
        kind: what the runs are for.

    Returns:
        The plan that was carried out; the runs themselves are in the store.

    Raises:
        ModelError: Keras refuses an arm; nothing was trained.
        DataError, StoreError, BackendError: as their names say; what was recorded stays.
    """
    announce(document, display)
    data = summarize(document.data.spec())
    backend.sized(data)
    chosen = tune_arms(document, whole or document, data, store, backend, display)
    recipes = describe_arms(chosen, data, store, backend)
    wanted = wanted_runs(chosen, recipes, data, seeds or [Seeds.of(seed) for seed in range(document.seeds)])
    planned = plan_runs(wanted, store.runs([job.fingerprint for job in wanted]))
    store.save_study(
        stored_name(document, kind),
        stored_document(whole or document),
        stored_arms(planned),
        data,
        kind=kind,
        seeds=document.seeds if seeds is None else None,
    )
    display.planned(document, data, planned)
    if planned.missing:
        compute_missing(planned, store, backend, display)
    return planned


def warm_up(document: StudyDocument, store: Store, backend: Backend) -> None:
    """Have workers start where they will surely be needed: they do while the data is read and the rest imported.

    A study that the store has already may need none.
    """
    if store.study(document.name) is None:
        backend.warm_up(document.seeds * sum(arm.estimator is None for arm in document.arms.values()))


def announce(document: StudyDocument, display: Display) -> None:
    """Say so if the study's data will take a while to read.

    Raises:
        DataError: it cannot be read.
    """
    size = pending(document.data.spec())
    if size >= LARGE:
        display.reading(document.data.source, size)
