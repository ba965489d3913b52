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
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError), closing(connect(broken, "rw")) as source:
        source.execute("BEGIN IMMEDIATE")
        source.execute("ROLLBACK")
    with closing(connect(broken, "ro")) as source, closing(_in_memory()) as connection:
        # The rows are copied as they are, so into the format that they have.
        migrate(connection, broken, nothing, upto=_format(source, broken))
        connection.execute("BEGIN")
        for table in _tables(connection):
            columns = _columns(connection, table)
            for row in _rows(source, table):
                # By position: a bit may have flipped in the name of a column.
                if len(row) != len(columns):
                    continue
                names = ", ".join(f'"{name}"' for name in columns)
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


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _format(source: sqlite3.Connection, path: Path) -> int:
    """The format that the tables have, whatever the header says: a bit may have flipped there.

    Raises:
        StoreTooNewError: the header says that it is newer, and the tables are no reason to think otherwise.
        StoreError: it is no store.
    """
    newest = len(schema.MIGRATIONS)
    try:
        by_header = format_of(source, path)
        sizes = {name: len(_columns(source, name)) for name in _tables(source)}
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # the latter of a message about a damaged name
        return newest
    alike = {}
    for number in range(1, newest + 1):
        with closing(_in_memory()) as fresh:
            migrate(fresh, path, nothing, upto=number)
            expected = {name: len(_columns(fresh, name)) for name in _tables(fresh)}
        alike[number] = sum(sizes.get(name) == size for name, size in expected.items()) - len(
            set(expected) ^ set(sizes)
        )
    best = max(alike.values())
    return (
        by_header if alike.get(by_header) == best else max(number for number, count in alike.items() if count == best)
    )


def _rows(source: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """The rows before the first broken page and those after the last one."""
    source.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    for order in ("ASC", "DESC"):
        try:
            yield from source.execute(f"SELECT * FROM {table} ORDER BY 1 {order}")
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            continue
        return
