"""Saving what can still be read of a broken database into a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from paribus.store import ledger, schema
from paribus.store.database import connect, format_of, migrate
from paribus.store.forgetting import forget_row
from paribus.store.points import nothing
from paribus.store.survey import broken_rows

_DANGLING = (
    "DELETE FROM arms WHERE study NOT IN (SELECT id FROM studies) OR recipe NOT IN (SELECT id FROM recipes)",
    "DELETE FROM arm_runs WHERE arm NOT IN (SELECT id FROM arms)",
    "DELETE FROM recipe_keys WHERE recipe NOT IN (SELECT id FROM recipes)",
    "DELETE FROM runs WHERE environment IS NOT NULL AND environment NOT IN (SELECT id FROM environments)",
)


def salvage(broken: Path) -> tuple[bytes, int]:
    """The content of a new database with the sound rows of ``broken``, and how many runs it has.

    Raises:
        StoreTooNewError, StoreError: what is broken is not a database that this version can judge.
        sqlite3.Error: the broken one cannot be looked at.
    """
    # A journal that a killed writer left is played back first, as far as the database lets it.
    with suppress(sqlite3.DatabaseError), closing(connect(broken, "rw")) as source:
        source.execute("BEGIN IMMEDIATE")
        source.execute("ROLLBACK")
    with closing(connect(broken, "ro")) as source, closing(_in_memory()) as connection:
        # The rows are copied as they are, so into the format that they have.
        migrate(connection, broken, nothing, upto=_format(source, broken))
        connection.execute("BEGIN")
        for table in [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]:
            for names, row in _rows(source, table):
                marks = ", ".join("?" * len(row))
                # A row that breaks the table's rules is not sound, nor is a text with bytes that are no UTF-8.
                with suppress(sqlite3.IntegrityError, UnicodeEncodeError):
                    connection.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)
        connection.execute("COMMIT")
        migrate(connection, broken, nothing)
        connection.execute("BEGIN")
        for statement in _DANGLING:
            connection.execute(statement)
        for finding in broken_rows(connection):
            forget_row(connection, finding)
        for table in ledger.TABLES:
            ledger.update_ledger(connection, table)
        connection.execute("COMMIT")
        (count,) = connection.execute("SELECT count(*) FROM runs").fetchone()
        return connection.serialize(), count


def _in_memory() -> sqlite3.Connection:
    """Foreign keys are off, as SQLite has them: rows come in any order, and some of what they refer to does not."""
    return sqlite3.connect(":memory:", isolation_level=None)


def _format(source: sqlite3.Connection, path: Path) -> int:
    try:
        return format_of(source, path)
    except sqlite3.DatabaseError:
        return len(schema.MIGRATIONS)


def _rows(source: sqlite3.Connection, table: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """The rows before the first broken page and those after the last one, each with its columns' names."""
    source.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    for order in ("ASC", "DESC"):
        try:
            cursor = source.execute(f"SELECT * FROM {table} ORDER BY 1 {order}")
            names = ", ".join(f'"{column[0]}"' for column in cursor.description)
            for row in cursor:
                yield names, row
        except sqlite3.DatabaseError:
            continue
        return
