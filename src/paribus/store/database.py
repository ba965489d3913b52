"""Opening the SQLite file, if it is a store of a known format, and the transactions around every write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from paribus.errors import StoreError, StoreTooNewError
from paribus.store import schema
from paribus.store.durable import remove_temporary, sync_folder, write_synced
from paribus.store.points import Hook, Point
from paribus.version import __version__

DATABASE_NAME = "paribus.sqlite"
_SALVAGED_NAME = ".paribus-salvaged.tmp"
_PATIENCE = 30.0
"""Seconds to wait for other connections: a reader waits out a commit, a commit waits out readers."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection with explicit transactions.

    Args:
        path: the database.
        mode: SQLite's: ``ro``, ``rw`` or ``rwc``.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    # A database is data that somebody may have handed over: nothing in its schema may call functions of consequence.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA foreign_keys = ON")
    if mode != "ro":
        # EXTRA is FULL plus one fsync of the folder after the journal is removed. Without that one, a power cut just
        # after a commit can bring the journal back, and the next opening rolls the finished run back with it.
        connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def replace_database(folder: Path, content: bytes, at: Hook) -> None:
    """Put another database in the place of a broken one, with one rename.

    Args:
        folder: the store.
        content: the bytes of the new database.
        at: called at every ``Point`` of the write.
    """
    temporary = folder / _SALVAGED_NAME
    write_synced(temporary, content, at)
    at(Point.BEFORE_REPLACE)
    temporary.replace(folder / DATABASE_NAME)
    at(Point.AFTER_REPLACE)
    sync_folder(folder)


def clean(folder: Path) -> None:
    """Remove what a killed ``replace_database`` left."""
    remove_temporary(folder / _SALVAGED_NAME)


def format_of(connection: sqlite3.Connection, path: Path) -> int:
    """The format of the database, 0 for an empty file.

    Args:
        connection: the open database.
        path: its file, for errors.

    Raises:
        StoreTooNewError: a format that this version does not know.
        StoreError: not a database of paribus.
    """
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if application == 0 and version == 0 and int(connection.execute("PRAGMA page_count").fetchone()[0]) == 0:
        return 0
    if application != schema.APPLICATION_ID or version < 1:
        raise StoreError(f"{path}: a SQLite database, but not one of paribus; choose another folder with --store")
    if version > len(schema.MIGRATIONS):
        raise StoreTooNewError(
            f"{path}: this store has format {version}, written by a newer paribus; paribus {__version__} knows formats "
            f"up to {len(schema.MIGRATIONS)}. Update paribus, or choose another folder with --store"
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path, at: Hook, upto: int | None = None) -> None:
    """Bring the database to a format, one transaction a migration.

    Args:
        connection: the writer's connection.
        path: the database's file, for errors.
        at: called at every ``Point`` of the write.
        upto: the format; the newest by default.

    Raises:
        StoreTooNewError, StoreError: as :func:`format_of`.
        sqlite3.Error: a migration failed; the database has the format of the last one that did not.
    """
    version = format_of(connection, path)
    # Some database browsers switch to WAL and leave it so; readers of a read-only folder could not read it then.
    connection.execute("PRAGMA journal_mode = DELETE")
    newest = len(schema.MIGRATIONS) if upto is None else upto
    if version < newest:
        with _without_foreign_keys(connection):
            for number in range(version, newest):
                _carry_out(connection, number, at)


def _carry_out(connection: sqlite3.Connection, number: int, at: Hook) -> None:
    with transaction(connection, at, Point.BEFORE_MIGRATION_COMMIT, Point.AFTER_MIGRATION_COMMIT):
        for step in schema.MIGRATIONS[number]:
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(connection)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number + 1}")


@contextmanager
def _without_foreign_keys(connection: sqlite3.Connection) -> Iterator[None]:
    """A table that is built again is dropped once, which would delete what refers to it (sqlite.org/lang_altertable).

    The setting is that of the connection, not of the database, and cannot change inside a transaction.
    """
    (before,) = connection.execute("PRAGMA foreign_keys").fetchone()
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA foreign_keys = {int(before)}")


def drop_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Have SQLite remove a journal that a killed writer began and never used (one that it did is played back)."""
    if path.with_name(f"{path.name}-journal").exists():
        version = format_of(connection, path)
        connection.execute(f"PRAGMA user_version = {version}")


@contextmanager
def transaction(
    connection: sqlite3.Connection, at: Hook, before: Point = Point.BEFORE_COMMIT, after: Point = Point.AFTER_COMMIT
) -> Iterator[None]:
    """Carry out a block in one transaction: committed whole, or rolled back where anything is raised.

    Args:
        connection: the writer's connection.
        at: called before and after the commit.
        before: the point that it is called with before the commit.
        after: the point that it is called with after the commit.

    Raises:
        sqlite3.Error: it cannot be committed, and is rolled back.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        at(before)
        connection.execute("COMMIT")
    except BaseException:
        # A commit that failed may have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    at(after)
