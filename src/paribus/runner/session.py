"""A store to write to and workers to compute with, for the command line and for Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paribus.backends.base import Backend
from paribus.backends.choose import LOCAL, BackendChoice, make_backend
from paribus.errors import InterruptedRunError, UsageError
from paribus.keras_config.custom_objects import imports_for
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument


def backend_for(study: StudyDocument, choice: BackendChoice) -> Backend:
    """The backend of a choice, whose workers import the modules of the study's own layers and metrics.

    Raises:
        UsageError: as :func:`make_backend`.
    """
    models = (arm.model for arm in study.arms.values() if arm.model is not None)
    return make_backend(choice, imports_for(models, study.protocol.own_metric_classes))


def choose_backend(
    study: StudyDocument, backend: Backend | str | None, *, workers: int | None, lanes: int | None, address: str | None
) -> Backend:
    """The backend that a caller from Python names, or has made.

    Raises:
        UsageError: as :func:`make_backend`; or a backend that is made already comes with one of the other arguments.
    """
    if backend is None or isinstance(backend, str):
        return backend_for(study, BackendChoice(backend or LOCAL, workers, lanes, address))
    values = {"workers": workers, "lanes": lanes, "address": address}
    if surplus := [f"{name}={value!r}" for name, value in values.items() if value is not None]:
        raise UsageError(f"{surplus[0]} beside a backend that is made already: say so when you make it")
    return backend


@contextmanager
def open_session(folder: Path | None, backend: Backend, *, repeat: str = "the same call") -> Iterator[Store]:
    """Open a store in a folder, or in memory; at the end workers are stopped and the store is closed.

    Args:
        folder: the folder of the store; None for memory.
        backend: computes the runs; it is closed at the end.
        repeat: names what the user repeats to continue after an interruption.

    Yields:
        The store.

    Raises:
        InterruptedRunError: the user interrupted; the message says which runs are stored.
    """
    store = MemoryStore() if folder is None else SqliteStore.open(folder, mode="write")
    try:
        with backend:
            yield store
    except KeyboardInterrupt:
        consequence = (
            "runs that ended were in memory and are lost; give `store=` a folder to store them"
            if folder is None
            else f"every run that ended is stored in {folder}; {repeat} continues from there"
        )
        raise InterruptedRunError(f"interrupted: {consequence}") from None
    finally:
        if folder is not None:
            # The next run may be in another process, and one process at a time writes to a store.
            store.close()


@contextmanager
def resume_session(store: Store, backend: Backend) -> Iterator[Store]:
    """Write again to a store whose session has ended; at the end workers are stopped.

    Args:
        store: a store in memory, or one in a folder, which is opened again.
        backend: computes the runs; it is closed at the end.

    Raises:
        InterruptedRunError: the user interrupted; runs that ended are stored.
    """
    if isinstance(store, SqliteStore):
        with open_session(store.folder, backend) as opened:
            yield opened
        return
    try:
        with backend:
            yield store
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted: runs that ended are in memory; the same call goes on") from None


def reopen_for_reading(store: Store) -> Store:
    """Open the store for reading, for results that are used after the session that wrote it."""
    return SqliteStore.open(store.folder, mode="read") if isinstance(store, SqliteStore) else store
