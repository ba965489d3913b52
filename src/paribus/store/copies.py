"""Reading a whole store in order to copy it: every run with the bytes of its artifacts, and what is damaged by name.

Nothing is written, as with every reader. A run that is not what was written is named and not read; a study or a
judgement that is not is an error, since an answer would be made without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar, final

from paribus.errors import StoreError
from paribus.records import Recipe, RunResult
from paribus.store import judgement_queries, queries, study_queries
from paribus.store.artifacts import Artifacts, DamagedArtifactError, Kind
from paribus.store.base import Judgement, StoredStudy
from paribus.store.checks import is_fingerprint
from paribus.store.database import DATABASE_NAME
from paribus.store.failures import decodable, doctor, explained
from paribus.store.points import nothing
from paribus.store.reading import ReadingDatabase
from paribus.store.regular import check_kinds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunCopy:
    """A run without its arrays, and the bytes of its artifacts, which are those that were written."""

    result: RunResult
    artifacts: Mapping[Kind, bytes]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run's row: the run without its arrays, the sha256 of each of its artifacts, and the row's checksum."""

    result: RunResult
    artifacts: Mapping[Kind, str]
    checksum: str


@dataclass(frozen=True, slots=True)
class RunRows:
    """Rows of runs by fingerprint, and what is wrong with those that are not what was written."""

    sound: Mapping[str, RunRow]
    broken: Mapping[str, str]


class DamagedRunError(Exception):
    """An artifact of a run is missing or not what was written; ``str`` says which."""


@final
class StoreReader:
    """Everything in one store, for whoever copies it. A store that is not there (yet) is empty."""

    def __init__(self, folder: Path) -> None:
        """Open the store.

        Raises:
            StoreError: it is not a store.
        """
        self.folder = folder
        with explained(folder, "the store cannot be opened"):
            check_kinds(folder)
        self._database = ReadingDatabase(folder / DATABASE_NAME)
        self._artifacts = Artifacts(folder, nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def fingerprints(self) -> tuple[str, ...]:
        """The names of all runs, sorted, whether they are fingerprints or not."""
        names: tuple[str, ...] = ()
        return tuple(sorted(self._read(queries.fingerprints, names)))

    def rows(self, fingerprints: Sequence[str]) -> RunRows:
        """The rows of runs.

        Args:
            fingerprints: as :meth:`fingerprints` lists them; a name that is no fingerprint is that of a broken row.
        """
        return self._read(lambda connection: _rows(connection, fingerprints), RunRows({}, {}))

    def copy(self, row: RunRow) -> RunCopy:
        """A run with the bytes of its artifacts, whose sha256 were compared with the row's.

        Args:
            row: a sound row.

        Raises:
            DamagedRunError: one of them is missing or not what was written.
            StoreError: an artifact could not be looked at.
        """
        while True:
            try:
                with explained(self.folder, "an artifact cannot be read"):
                    contents = {
                        kind: self._artifacts.read(row.result.fingerprint, kind, sha256)
                        for kind, sha256 in row.artifacts.items()
                    }
            except DamagedArtifactError as error:
                # A writer may have replaced the run since its row was read: then the row names another file now.
                current = self.rows([row.result.fingerprint]).sound.get(row.result.fingerprint)
                if current is None or current.artifacts == row.artifacts:
                    raise DamagedRunError(str(error)) from error
                row = current
            else:
                return RunCopy(row.result, contents)

    def studies(self) -> tuple[StoredStudy, ...]:
        """All studies, of every kind."""
        return self._read(study_queries.studies, ())

    def judgements(self) -> tuple[Judgement, ...]:
        """All judgements, in the order in which they were recorded."""
        return self._read(judgement_queries.judgements, ())

    def recipes(self) -> dict[str, Recipe]:
        """All canonical forms by their keys. One that is not what was written is left out: Keras gives it again."""
        return self._read(_recipes, {})

    def _read(self, query: Callable[[sqlite3.Connection], T], empty: T) -> T:
        with explained(self.folder, "the store cannot be read"):
            try:
                return self._database.read(query, empty)
            except (ValueError, TypeError) as error:
                raise StoreError(f"{self.folder}: a row cannot be read ({error}); {doctor(self.folder)}") from error


def _rows(connection: sqlite3.Connection, names: Sequence[str]) -> RunRows:
    # Names of files are made of fingerprints, and a row may be a stranger's.
    fingerprints = [name for name in names if is_fingerprint(name)]
    broken = {name: "its name is not a fingerprint" for name in names if not is_fingerprint(name)}
    try:
        with decodable():
            return RunRows(_sound_rows(connection, fingerprints), broken)
    except (ValueError, TypeError):
        pass
    # One of them is broken: one after the other, to tell which.
    sound: dict[str, RunRow] = {}
    for fingerprint in fingerprints:
        try:
            with decodable():
                sound |= _sound_rows(connection, [fingerprint])
        except (ValueError, TypeError) as error:
            broken[fingerprint] = str(error)
    return RunRows(sound, broken)


def _sound_rows(connection: sqlite3.Connection, fingerprints: Sequence[str]) -> dict[str, RunRow]:
    rows = {}
    for fingerprint, result in queries.runs(connection, fingerprints).items():
        head = queries.run_head(connection, fingerprint)
        assert head is not None, "both belong to one state of the database"
        rows[fingerprint] = RunRow(result, head.artifacts, queries.checksum(connection, fingerprint))
    return rows


def _recipes(connection: sqlite3.Connection) -> dict[str, Recipe]:
    recipes = {}
    for key in queries.recipe_keys(connection):
        try:
            with decodable():
                recipe = queries.recipe(connection, key)
        except (ValueError, TypeError):
            continue
        if recipe is not None:
            recipes[key] = recipe
    return recipes
