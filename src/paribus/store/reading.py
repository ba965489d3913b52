"""Reading a database that another process may be writing, without writing anything.

Three states ask for care. The database is not there yet: a reader finds nothing, and looks again the next time. A
writer was killed in a commit: the pages are in a state between two commits until the journal is played back, which
only a writer may do in place; a reader plays it back in a copy. The store has an older format: a reader migrates a
copy of it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar, final

from paribus.errors import StoreError
from paribus.files.temporary import temporary_folder
from paribus.store import schema
from paribus.store.database import connect, format_of, migrate
from paribus.store.points import nothing
from paribus.store.regular import check_kinds, open_regular

T = TypeVar("T")
_ATTEMPTS: Final = 10
_OPENED: Final[dict[tuple[int, int], int]] = {}
"""Descriptors of databases that were copied, by device and inode. They stay open on purpose: closing any descriptor of
a file drops all POSIX locks that this process has on it, those of its other SQLite connections included."""


@final
class ReadingDatabase:
    """A database opened for reading. Nothing is created or changed, and no folder needs to be writable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._migrated: tuple[int, sqlite3.Connection] | None = None

    def read(self, query: Callable[[sqlite3.Connection], T], empty: T) -> T:
        """Answer a query from one consistent state.

        Args:
            query: a function of the connection.
            empty: the answer if there is no database, or nothing in it yet.

        Raises:
            StoreTooNewError: the database was written by a newer version of paribus.
            StoreError: it is none of paribus, or writers come and go too fast.
            sqlite3.Error, OSError: it cannot be read.
        """
        for _ in range(_ATTEMPTS):
            connection = self._connected()
            if connection is None:
                return empty
            try:
                return self._ask(connection, query, empty)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY_ROLLBACK:
                    raise
            with _played_back(self._path) as copy:
                if copy is not None:
                    return self._ask(copy, query, empty)
        raise StoreError(f"{self._path}: writers come and go too fast to read it; try again")

    def close(self) -> None:
        """Close the connection."""
        if self._migrated is not None:
            self._migrated[1].close()
            self._migrated = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection | None:
        """A connection to the file that is there now, not to one that it has replaced (`paribus doctor --repair`)."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self.close()
            return None
        file = (status.st_dev, status.st_ino)
        if self._connection is None or file != self._file:
            self.close()
            check_kinds(self._path.parent)
            self._connection, self._file = connect(self._path, "ro"), file
        return self._connection

    def _ask(self, connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], T], empty: T) -> T:
        with reading(connection):
            version = format_of(connection, self._path)
            if version == len(schema.MIGRATIONS):
                return query(connection)
            if version == 0:
                return empty
            return query(self._migrated_copy(connection))

    def _migrated_copy(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """A copy in the newest format, made again when somebody has written to the database since."""
        (state,) = connection.execute("PRAGMA data_version").fetchone()
        if self._migrated is not None and self._migrated[0] == state:
            return self._migrated[1]
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            connection.backup(copy)
            migrate(copy, self._path, nothing)
        except BaseException:
            copy.close()
            raise
        if connection is self._connection:
            self._migrated = state, copy
        return copy


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything that is read inside belongs to one state of the database."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def _played_back(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A private copy of the database with the journal of a killed writer played back; None if the journal went away.

    Only pages that are in the journal can change while it is there, and playing it back restores them all. So the copy
    is good if the journal was copied first and is still in its place after the database was.
    """
    # What is left of it where this process is killed goes with the next such folder.
    with temporary_folder(Path(tempfile.gettempdir())) as folder:
        copy = folder / path.name
        try:
            journal = os.fdopen(open_regular(path.with_name(f"{path.name}-journal"), os.O_RDONLY), "rb")
        except FileNotFoundError:
            yield None
            return
        with journal:
            with copy.with_name(f"{copy.name}-journal").open("wb") as target:
                shutil.copyfileobj(journal, target)
            _copy_database(path, copy)
            if os.fstat(journal.fileno()).st_nlink == 0:
                yield None
                return
        with closing(connect(copy, "rw")) as connection:
            yield connection


def _copy_database(path: Path, target: Path) -> None:
    status = path.stat()
    key = (status.st_dev, status.st_ino)
    if key not in _OPENED:
        _OPENED[key] = open_regular(path, os.O_RDONLY)
    with target.open("wb") as copy:
        position = 0
        while block := os.pread(_OPENED[key], 2**20, position):
            copy.write(block)
            position += len(block)
