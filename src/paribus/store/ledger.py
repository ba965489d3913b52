"""The ledger: for each table whose rows must not go missing, a checksum over all of its rows.

A row that a broken page no longer shows, or shows under another name, is no row that makes no sense: nothing but a
list of all of them can miss it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from paribus.store import rows

STUDIES: Final = "studies"
JUDGEMENTS: Final = "judgements"
TABLES: Final = (STUDIES, JUDGEMENTS)
_COLUMNS = {STUDIES: ("name", "kind", "checksum"), JUDGEMENTS: ("checksum",)}


def check_ledger(connection: sqlite3.Connection, table: str) -> None:
    """Compare the rows of a table with the ledger.

    Raises:
        BrokenRowError: a row is missing, or there is one too many, or one has another name.
    """
    row = connection.execute('SELECT checksum FROM ledger WHERE "table" = ?', (table,)).fetchone()
    rows.check_row(f"the list of {table}", _total(connection, table), "" if row is None else row[0])


def update_ledger(connection: sqlite3.Connection, table: str) -> None:
    """Write the ledger's line of a table, after its rows were changed."""
    connection.execute(
        'INSERT OR REPLACE INTO ledger ("table", checksum) VALUES (?, ?)', (table, _total(connection, table))
    )


def _total(connection: sqlite3.Connection, table: str) -> str:
    # As bytes: a text that is not UTF-8 must not keep the doctor from writing the list without it.
    columns = ", ".join(f"CAST({column} AS BLOB)" for column in _COLUMNS[table])
    listed = connection.execute(f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY id")
    return rows.row_checksum("ledger", table, [list(row) for row in listed])
