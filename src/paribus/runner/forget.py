"""Moving a stored study aside, into a store of its own inside the store's folder (decision 0120).

The copy is whole and durable before anything is removed from the store. Killed at any moment, the study is in one of
the two stores, or in both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from paribus.errors import StoreError, unknown_name
from paribus.records import StudyKind
from paribus.results.stored_study import find_stored
from paribus.store.base import Store, StoredStudy
from paribus.store.copies import DamagedRunError, RunCopy, StoreReader
from paribus.store.points import Hook, nothing
from paribus.store.regular import check_folder
from paribus.store.sqlite import SqliteStore

FORGOTTEN_NAME = "forgotten"
_GROUP = 64
"""Runs that are copied together."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was moved aside.

    Attributes:
        studies: the labels of the study and of the candidates and noise runs that belong to it.
        folder: the store that holds them now.
        runs: how many runs were moved.
        shared: how many of its runs stay, because another study has them too.
        size: bytes of the weights and predictions that were moved.
    """

    studies: tuple[str, ...]
    folder: Path
    runs: int
    shared: int
    size: int


def forget_study(name: str, store: Path, at: Hook = nothing) -> Forgotten:
    """Move a study with its candidates and noise runs, and the runs that no other study has, out of a store.

    Args:
        name: the name under which it is stored.
        store: the folder of the store.
        at: called at every moment of writing, for tests.

    Returns:
        What was moved, and where it is now.

    Raises:
        UnknownNameError: nothing is stored under that name.
        StoreError: a run is damaged, or the store cannot be written; nothing was removed.
    """
    with SqliteStore.open(store, mode="read") as opened:
        _find_related(opened, name)  # before the store is opened for writing, which makes one where there is none
    with ExitStack() as stack:
        main = stack.enter_context(SqliteStore.open(store, "write", at))
        related = _find_related(main, name)
        keys = {(study.name, study.kind) for study in related}
        others = _list_fingerprints([study for study in main.studies() if (study.name, study.kind) not in keys])
        of_study = _list_fingerprints(related)
        stored = main.runs(sorted(of_study))
        own = [fingerprint for fingerprint in stored if fingerprint not in others]
        reader = stack.enter_context(StoreReader(store))
        folder = _choose_folder(store, related[0].label)
        aside = stack.enter_context(SqliteStore.open(folder, "write", at))
        size = 0
        for start in range(0, len(stored), _GROUP):
            # Shared runs are copied too, so that the store aside answers by itself.
            copies = _copy_runs(reader, list(stored)[start : start + _GROUP])
            aside.adopt(copies)
            size += sum(
                len(content)
                for copy in copies
                if copy.result.fingerprint not in others
                for content in copy.artifacts.values()
            )
        aside.adopt_studies(related, reader.recipes(), reader.judgements())
        main.forget(related, own)
    return Forgotten(tuple(study.label for study in related), folder, len(own), len(stored) - len(own), size)


def _find_related(store: Store, name: str) -> tuple[StoredStudy, ...]:
    """The study, then what serves it: candidates and noise runs."""
    study = find_stored(name, store)
    if study is None:
        raise unknown_name("study", name, [stored.label for stored in store.studies()], "this store")
    if study.kind is not StudyKind.STUDY:
        return (study,)
    serving = (store.study(study.name, kind) for kind in (StudyKind.TUNING, StudyKind.NOISE))
    return (study, *(other for other in serving if other is not None))


def _list_fingerprints(studies: Sequence[StoredStudy]) -> frozenset[str]:
    return frozenset(run.fingerprint for study in studies for arm in study.arms for run in arm.runs)


def _choose_folder(store: Path, label: str) -> Path:
    """A folder that is not there yet: ``forgotten/digits``, else ``forgotten/digits.1`` and so on."""
    place = store / FORGOTTEN_NAME
    check_folder(place)
    folder, number = place / label, 0
    while os.path.lexists(folder):
        number += 1
        folder = place / f"{label}.{number}"
    return folder


def _copy_runs(reader: StoreReader, fingerprints: Sequence[str]) -> list[RunCopy]:
    rows = reader.rows(fingerprints)
    if rows.broken:
        raise _damaged(reader, "; ".join(rows.broken.values()))
    try:
        return [reader.copy(rows.sound[fingerprint]) for fingerprint in fingerprints]
    except DamagedRunError as error:
        raise _damaged(reader, str(error)) from error


def _damaged(reader: StoreReader, reason: str) -> StoreError:
    return StoreError(
        f"{reader.folder}: a run is damaged, and nothing was moved: {reason}; `paribus doctor --repair --store "
        f"{reader.folder}` first"
    )
