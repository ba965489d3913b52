"""Carries a study out for the Python side: a store in memory or in a folder, workers, progress; then the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from paribus.api.results import Results
from paribus.backends.base import Backend
from paribus.data import summarize
from paribus.display.base import Display, Silent
from paribus.display.choose import suitable
from paribus.errors import InterruptedRunError, Mistake, ModelError
from paribus.outcome.outcome import Outcome
from paribus.results.assemble import assemble_outcome
from paribus.runner.jobs import describe_arms, stored_arms
from paribus.runner.run import announce, run_study, warm_up
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan


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
    with session(folder, backend) as store:
        display = shown(progress=progress)
        warm_up(chosen, store, backend)
        announce(chosen, display)
        check_parameters(chosen, store, backend, parameters)
        planned = run_study(chosen, store, backend, display, whole=whole)
    store = reopened(store)
    return Results(judged(chosen, planned, store), store, held)


@contextmanager
def session(folder: Path | None, backend: Backend) -> Iterator[Store]:
    """A store to write to, in memory or in a folder; workers are sent home at the end, and interruptions explained.

    Raises:
        InterruptedRunError: the user interrupted; the message says what is kept.
    """
    store = MemoryStore() if folder is None else SqliteStore.open(folder, mode="write")
    try:
        with backend:
            yield store
    except KeyboardInterrupt:
        kept = (
            "runs that ended were kept in memory and are gone; give `store=` a folder to keep them"
            if folder is None
            else "every run that ended is kept; the same call goes on from there"
        )
        raise InterruptedRunError(f"interrupted: {kept}") from None
    finally:
        if folder is not None:
            # The next run, in whatever process, finds the store free.
            store.close()


def reopened(store: Store) -> Store:
    """The store for reading."""
    return SqliteStore.open(store.folder, mode="read") if isinstance(store, SqliteStore) else store


def shown(*, progress: bool) -> Display:
    """What shows how it goes."""
    return suitable() if progress else Silent()


def judged(document: StudyDocument, planned: RunPlan, store: Store) -> Outcome:
    """What the planned runs say."""
    return assemble_outcome(document, summarize(document.data.spec()), stored_arms(planned), store)


def check_parameters(document: StudyDocument, store: Store, backend: Backend, parameters: Mapping[str, int]) -> None:
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
