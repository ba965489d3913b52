"""The store in a folder: rows in SQLite, weights and predictions beside it, one writer, any number of readers.

::

    paribus-runs/
        paribus.sqlite      every ended run's measures; what was run under which name
        artifacts/3f/3f...  weights and predictions, one safetensors file each
        writer.lock         locked by the writer while there is one
        quarantine/         what `paribus doctor --repair` moved aside
        forgotten/          studies that `paribus forget` moved aside, a store each
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar, final

from paribus.errors import StoreDamagedError, StoreError
from paribus.records import DataSummary, Predictions, Recipe, RunResult, Status, StudyKind
from paribus.store import base, checks, judgement_queries, queries, rows, study_queries
from paribus.store.artifacts import Artifacts, DamagedArtifactError, Kind, arrays_of, content_of
from paribus.store.base import Judgement, Store, StoredArm, StoredStudy
from paribus.store.copies import RunCopy
from paribus.store.database import DATABASE_NAME, clean, connect, drop_journal, migrate, transaction
from paribus.store.durable import make_folder
from paribus.store.failures import doctor, explained
from paribus.store.lock import WriterLock
from paribus.store.points import Hook, Point, nothing
from paribus.store.quarantine import Quarantine
from paribus.store.reading import ReadingDatabase, reading
from paribus.store.regular import check_kinds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
Mode = Literal["read", "write"]


@final
class SqliteStore(Store):
    """Keeps the promises of ``Store`` over ``kill -9``, power cuts and full disks.

    One process writes, and a kernel lock sees to it. Readers need no permission to write, create nothing and see one
    consistent state in each call while the writer works; in a folder that holds no store (yet) they find nothing.
    """

    def __init__(self, folder: Path, database: _WritingDatabase | ReadingDatabase, at: Hook) -> None:
        """Use ``open``."""
        self.folder = folder
        self._database = database
        self._artifacts = Artifacts(folder, at)
        self._at = at
        self._owner = os.getpid()
        self._open = True
        self._lock = threading.RLock()
        self._digests: dict[str, str] = {}

    @classmethod
    def open(cls, folder: str | os.PathLike[str], mode: Mode = "read", at: Hook = nothing) -> Self:
        """Open the store in a folder; mode ``write`` makes what is missing, and brings an older format up to date.

        Args:
            folder: where the store is, or shall be.
            mode: ``read`` or ``write``.
            at: called at every ``Point`` of a write; for tests.

        Raises:
            StoreBusyError: another process is writing to it; the message names it.
            StoreTooNewError: it was written by a newer version of paribus.
            StoreError: it is not a store, or cannot be read, made or written to.
        """
        path = Path(folder)
        with explained(path, "the store cannot be opened"):
            if path.exists() and not path.is_dir():
                raise StoreError(f"{path}: not a folder, and a store is one; choose another with --store")
            check_kinds(path)
        if mode == "read":
            return cls(path, ReadingDatabase(path / DATABASE_NAME), at)
        with explained(path, "the store cannot be opened for writing"):
            make_folder(path, at)
            at(Point.BEFORE_LOCK)
            lock = WriterLock(path)
            try:
                at(Point.AFTER_LOCK)
                clean(path)
                Quarantine(path, at).clean()
                Artifacts(path, at).clean()
                return cls(path, _WritingDatabase(path, lock, at), at)
            except BaseException:
                lock.release()
                raise

    def record(self, *results: RunResult) -> None:
        """See ``Store.record``."""
        storable = [checks.storable(result) for result in results]
        self._keep([(result, _contents(result)) for result in storable])

    def adopt(self, runs: Sequence[RunCopy]) -> None:
        """Store runs of another store, their artifacts byte by byte, by the rules of ``record``.

        Args:
            runs: the copies.

        Raises:
            StoreError: the medium failed; none of them is stored.
        """
        self._keep([(checks.storable(run.result), run.artifacts) for run in runs])

    def adopt_studies(
        self, studies: Sequence[StoredStudy], recipes: Mapping[str, Recipe], judgements: Sequence[Judgement]
    ) -> None:
        """Keep what other stores say about their runs, all of it or nothing.

        Args:
            studies: each takes the place of the one of its name and kind.
            recipes: canonical forms by their keys; those of keys that are known stay.
            judgements: they are added as by ``record_judgements``.
        """
        checks.check_judgements(judgements)
        for study in studies:
            checks.check_arms(study.arms)
            checks.check_seed_numbers(study.seeds, study.first_seed)
        with self._writing("the studies were not stored") as connection:
            known = set(judgement_queries.judgements(connection))
            with transaction(connection, self._at):
                for key, recipe in recipes.items():
                    if queries.recipe(connection, key) is None:
                        queries.put_recipe_key(connection, key, recipe)
                for study in studies:
                    study_queries.put_study(connection, study)
                new = [judgement for judgement in dict.fromkeys(judgements) if judgement not in known]
                if new:
                    judgement_queries.put_judgements(connection, new)

    def forget(self, studies: Sequence[StoredStudy], fingerprints: Sequence[str]) -> None:
        """Remove studies, and runs with their artifacts, after they were copied elsewhere; judgements stay.

        Args:
            studies: by their names and kinds.
            fingerprints: of runs that no other study has.
        """
        for fingerprint in fingerprints:
            checks.check_fingerprint(fingerprint)
        with self._writing("nothing was removed") as connection:
            with transaction(connection, self._at):
                for study in studies:
                    study_queries.delete_named(connection, study.name, study.kind)
                queries.delete_runs(connection, fingerprints)
            # The doctor finds what cannot be removed.
            with suppress(OSError):
                for fingerprint in fingerprints:
                    self._artifacts.keep_only(fingerprint, {})

    def runs(self, fingerprints: Sequence[str]) -> dict[str, RunResult]:
        """See ``Store.runs``."""
        for fingerprint in fingerprints:
            checks.check_fingerprint(fingerprint)
        return self._read(lambda connection: queries.runs(connection, fingerprints, self._digests), {})

    def predictions(self, fingerprint: str) -> Predictions:
        """See ``Store.predictions``."""
        arrays = self._artifact(fingerprint, Kind.PREDICTIONS)
        try:
            predictions = rows.predictions_of(arrays)
            checks.check_predictions(predictions)
        except (TypeError, StoreError) as error:
            raise self._damaged(fingerprint, Kind.PREDICTIONS, str(error)) from error
        return predictions

    def weights(self, fingerprint: str) -> dict[str, NDArray[np.generic]]:
        """See ``Store.weights``."""
        return self._artifact(fingerprint, Kind.WEIGHTS)

    def recipe(self, key: str) -> Recipe | None:
        """See ``Store.recipe``."""
        return self._read(lambda connection: queries.recipe(connection, key), None)

    def save_recipe(self, key: str, recipe: Recipe) -> None:
        """See ``Store.save_recipe``."""
        with self._writing("an arm's canonical form was not stored") as connection, transaction(connection, self._at):
            queries.put_recipe_key(connection, key, recipe)

    def save_study(
        self,
        name: str,
        document: str,
        arms: Sequence[StoredArm],
        data: DataSummary | None = None,
        *,
        kind: StudyKind = StudyKind.STUDY,
        seeds: int | None = None,
        first_seed: int = 0,
    ) -> None:
        """See ``Store.save_study``."""
        checks.check_arms(arms)
        checks.check_seed_numbers(seeds, first_seed)
        new = StoredStudy(name, document, tuple(arms), data, kind, seeds, first_seed)
        with self._writing(f"study '{new.label}' was not stored") as connection:
            old = study_queries.study(connection, name, kind)
            if (study := base.extended(old, new)) != old:
                with transaction(connection, self._at):
                    study_queries.put_study(connection, study)

    def rename_study(self, name: str, new_name: str, kind: StudyKind = StudyKind.STUDY) -> None:
        """See ``Store.rename_study``."""
        with self._writing(f"study '{name}' was not renamed") as connection:
            study = study_queries.study(connection, name, kind)
            if study is not None:
                with transaction(connection, self._at):
                    study_queries.rename_study(connection, study, new_name)

    def study(self, name: str, kind: StudyKind = StudyKind.STUDY) -> StoredStudy | None:
        """See ``Store.study``."""
        return self._read(lambda connection: study_queries.study(connection, name, kind), None)

    def studies(self) -> tuple[StoredStudy, ...]:
        """See ``Store.studies``."""
        return self._read(study_queries.studies, ())

    def record_judgements(self, judgements: Sequence[Judgement]) -> None:
        """See ``Store.record_judgements``."""
        checks.check_judgements(judgements)
        with self._writing("the looks at this answer were not stored") as connection:
            known = set(judgement_queries.judgements(connection))
            new = [judgement for judgement in dict.fromkeys(judgements) if judgement not in known]
            if new:
                with transaction(connection, self._at):
                    judgement_queries.put_judgements(connection, new)

    def judgements(self, anchors: Sequence[str]) -> tuple[Judgement, ...]:
        """See ``Store.judgements``."""
        for anchor in anchors:
            checks.check_anchor(anchor)
        asked = frozenset(anchors)
        nothing_judged: tuple[Judgement, ...] = ()
        recorded = self._read(judgement_queries.judgements, nothing_judged)
        return tuple(judgement for judgement in recorded if judgement.anchor in asked)

    def close(self) -> None:
        """See ``Store.close``."""
        with self._lock:
            if self._open and os.getpid() == self._owner:
                self._database.close()
            self._open = False

    def _keep(self, runs: Sequence[tuple[RunResult, Mapping[Kind, bytes]]]) -> None:
        """Keep runs with the contents of their artifacts: the files of all of them, then one commit."""
        names = ", ".join(result.fingerprint[:12] for result, _ in runs[:3])
        lost = f"run{'s' * (len(runs) > 1)} {names}{', ...' * (len(runs) > 3)} {'were' if len(runs) > 1 else 'was'} not"
        with self._writing(f"{lost} recorded") as connection:
            accepted: dict[str, tuple[RunResult, Mapping[Kind, bytes]]] = {}
            for result, artifacts in runs:
                name = result.fingerprint
                old = accepted[name][0].status if name in accepted else _status(queries.run_head(connection, name))
                if old is None or base.gives_way(old, result.status):
                    accepted[name] = (result, artifacts)
            if not accepted:
                return
            try:
                contents = {name: by_kind for name, (_, by_kind) in accepted.items()}
                digests = self._artifacts.write(contents)
                with transaction(connection, self._at):
                    self._at(Point.BEFORE_INSERT)
                    for name, (result, _) in accepted.items():
                        queries.put_run(connection, result, digests[name])
                    self._at(Point.AFTER_INSERT)
            finally:
                # Whatever happened, the row says which files are the run's. The doctor finds what cannot be removed.
                with suppress(OSError, sqlite3.Error):
                    for name in accepted:
                        head = queries.run_head(connection, name)
                        self._artifacts.keep_only(name, {} if head is None else head.artifacts)

    @contextmanager
    def _writing(self, lost: str) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.folder, lost):
            self._check_usable()
            if isinstance(self._database, ReadingDatabase):
                raise StoreError(f"{self.folder}: {lost}: this store was opened for reading; open it with mode='write'")
            yield self._database.connection

    def _read(self, query: Callable[[sqlite3.Connection], T], empty: T) -> T:
        with self._lock, explained(self.folder, "the store cannot be read"):
            self._check_usable()
            try:
                if isinstance(self._database, ReadingDatabase):
                    return self._database.read(query, empty)
                return self._database.read(query)
            except (ValueError, TypeError) as error:
                raise StoreError(f"{self.folder}: a row cannot be read ({error}); {doctor(self.folder)}") from error

    def _artifact(self, fingerprint: str, kind: Kind) -> dict[str, NDArray[np.generic]]:
        checks.check_fingerprint(fingerprint)
        unread = f"the {kind} of run {fingerprint[:12]} cannot be read"
        known = self._digests.get(fingerprint) if kind is Kind.PREDICTIONS else None
        if known is not None:
            # A query for each run would take longer than its file. Where the file is damaged its row is asked.
            with suppress(DamagedArtifactError), explained(self.folder, unread):
                self._check_usable()
                return arrays_of(self._artifacts.read(fingerprint, kind, known))
        before: str | None = None
        while True:
            head = self._read(lambda connection: queries.run_head(connection, fingerprint), None)
            if head is None:
                raise base.no_run(fingerprint)
            if kind not in head.artifacts:
                raise base.without(fingerprint, head.status, kind)
            digest = head.artifacts[kind]
            try:
                with explained(self.folder, unread):
                    return arrays_of(self._artifacts.read(fingerprint, kind, digest))
            except DamagedArtifactError as error:
                # A writer may have replaced the run since its row was read: then the row names another file now.
                if digest == before:
                    raise self._damaged(fingerprint, kind, str(error)) from error
                before = digest

    def _damaged(self, fingerprint: str, kind: Kind, what: str) -> StoreDamagedError:
        return StoreDamagedError(
            f"the {kind} of run {fingerprint[:12]} are damaged: {what}; {doctor(self.folder)}, "
            "then run the study again: the run is set aside and computed again"
        )

    def _check_usable(self) -> None:
        if os.getpid() != self._owner:
            raise StoreError(f"{self.folder}: opened by process {self._owner} before it forked; open the store again")
        if not self._open:
            raise StoreError(f"{self.folder}: this store was closed; open it again")


@final
class _WritingDatabase:
    """The writer's connection, and the lock that makes it the only one."""

    def __init__(self, folder: Path, lock: WriterLock, at: Hook) -> None:
        path = folder / DATABASE_NAME
        self._lock = lock
        self.connection = connect(path, "rwc")
        try:
            migrate(self.connection, path, at)
            drop_journal(self.connection, path)
        except BaseException:
            self.connection.close()
            raise

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """The answer of one consistent state."""
        with reading(self.connection):
            return query(self.connection)

    def close(self) -> None:
        """Close the connection, then let the next writer in."""
        self.connection.close()
        self._lock.release()


def _status(head: queries.RunHead | None) -> Status | None:
    return None if head is None else head.status


def _contents(result: RunResult) -> dict[Kind, bytes]:
    contents = {}
    if result.weights is not None:
        contents[Kind.WEIGHTS] = content_of(result.weights)
    if result.predictions is not None:
        contents[Kind.PREDICTIONS] = content_of(rows.predictions_arrays(result.predictions))
    return contents
