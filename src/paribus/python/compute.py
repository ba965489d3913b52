"""Carries a study out for the Python side: a store in memory or in a folder, workers, progress; then the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from paribus.backends.base import Backend
from paribus.collect import collect
from paribus.data import summarize
from paribus.display.base import Silent
from paribus.display.choose import suitable
from paribus.errors import InterruptedRunError, Mistake, ModelError
from paribus.plan import Plan
from paribus.python.results import Results
from paribus.run import describe_arms, run_study, stored_arms
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study import StudyDocument


def compute(
    chosen: StudyDocument,
    whole: StudyDocument,
    folder: Path | None,
    backend: Backend,
    *,
    parameters: Mapping[str, int],
    progress: bool,
    held: object,
) -> Results:
    """Compute what is missing of a study, and judge it.

    Args:
        chosen: what to run.
        whole: the study that the runs are kept under.
        folder: where runs are kept; None for memory.
        backend: what computes them; it is closed at the end.
        parameters: how many weights an arm's model has, where it is known; a rebuilt network must have as many.
        progress: whether to show how it goes.
        held: what must live as long as the results.
    """
    if folder is None:
        memory = MemoryStore()
        planned = _run(chosen, whole, memory, backend, parameters, progress=progress)
        return _judged(chosen, planned, memory, held)
    with SqliteStore.open(folder, mode="write") as store:
        planned = _run(chosen, whole, store, backend, parameters, progress=progress)
    # From here on it is read only, so that the next run, in whatever process, finds the store free.
    return _judged(chosen, planned, SqliteStore.open(folder, mode="read"), held)


def _run(
    chosen: StudyDocument,
    whole: StudyDocument,
    store: Store,
    backend: Backend,
    parameters: Mapping[str, int],
    *,
    progress: bool,
) -> Plan:
    with backend, _interruptible(store):
        _check_parameters(chosen, store, backend, parameters)
        return run_study(chosen, store, backend, suitable() if progress else Silent(), whole=whole)


def _check_parameters(document: StudyDocument, store: Store, backend: Backend, parameters: Mapping[str, int]) -> None:
    """A class whose config does not tell everything would be rebuilt as another network, and nobody would notice."""
    recipes = describe_arms(document, summarize(document.data.spec()), store, backend)
    mistakes = [
        Mistake(
            f"arm '{name}'",
            f"rebuilt from its config the network has {recipe.parameters:,} parameters, yours has "
            f"{parameters[name]:,}: get_config of a class in it does not return every argument of __init__",
        )
        for name, recipe in recipes.items()
        if parameters.get(name, recipe.parameters) != recipe.parameters
    ]
    if mistakes:
        raise ModelError(f"study '{document.name}'", mistakes)


@contextmanager
def _interruptible(store: Store) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        kept = (
            "every run that ended is kept; the same call goes on from there"
            if isinstance(store, SqliteStore)
            else "runs that ended were kept in memory and are gone; give `store=` a folder to keep them"
        )
        raise InterruptedRunError(f"interrupted: {kept}") from None


def _judged(document: StudyDocument, planned: Plan, store: Store, held: object) -> Results:
    outcome = collect(document, summarize(document.data.spec()), stored_arms(planned), store)
    return Results(outcome, store, held)
