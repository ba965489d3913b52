"""A store to write to and workers to compute with, for the command line and for Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paribus.backends.base import Backend
from paribus.backends.local import LocalBackend
from paribus.errors import InterruptedRunError
from paribus.keras_config.custom_objects import imports_for
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument


def local_backend(study: StudyDocument, workers: int | None, lanes: int | None) -> LocalBackend:
    """Worker processes of this machine that import the modules of the study's own layers."""
    imports = imports_for(arm.model for arm in study.arms.values() if arm.model is not None)
    return LocalBackend(workers, imports, lanes=lanes)


@contextmanager
def open_session(folder: Path | None, backend: Backend, *, repeat: str = "the same call") -> Iterator[Store]:
    """A store in a folder, or in memory; workers are sent home at the end, and interruptions explained.

    Args:
        folder: where runs are kept; None for memory.
        backend: what computes; it is closed at the end.
        again: what the user repeats to go on after an interruption.

    Raises:
        InterruptedRunError: the user interrupted; the message says what is kept.
    """
    store = MemoryStore() if folder is None else SqliteStore.open(folder, mode="write")
    try:
        with backend:
            yield store
    except KeyboardInterrupt:
        consequence = (
            "runs that ended were kept in memory and are gone; give `store=` a folder to keep them"
            if folder is None
            else f"every run that ended is kept in {folder}; {repeat} goes on from there"
        )
        raise InterruptedRunError(f"interrupted: {consequence}") from None
    finally:
        if folder is not None:
            # The next run, in whatever process, finds the store free.
            store.close()


def reopen_for_reading(store: Store) -> Store:
    """The same store, for results that outlive the session that wrote it."""
    return SqliteStore.open(store.folder, mode="read") if isinstance(store, SqliteStore) else store
