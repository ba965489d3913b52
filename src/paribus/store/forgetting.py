"""Removing broken rows from a database, whatever they hold, and the rows that depend on them."""

from __future__ import annotations

import sqlite3
from typing import Final

from paribus.store import ledger, rows, study_queries
from paribus.store.survey import Finding, Problem

_TABLES: Final = {
    Problem.ROW: "runs",
    Problem.MISSING: "runs",
    Problem.DAMAGED: "runs",
    Problem.STUDY: "studies",
    Problem.RECIPE: "recipes",
    Problem.KEY: "recipe_keys",
    Problem.JUDGEMENT: "judgements",
}


def raw_row(connection: sqlite3.Connection, finding: Finding) -> dict[str, object] | None:
    """Whatever the row of a finding holds, by column; None if it is not there any more.

    Texts may have lone surrogates in the place of bytes that are not UTF-8.
    """
    before = connection.text_factory
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        table = _TABLES[finding.problem]
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {_number(table)} = ?", (finding.row,))
        row = cursor.fetchone()
        return None if row is None else dict(zip([column[0] for column in cursor.description], row, strict=True))
    finally:
        connection.text_factory = before


def forget_row(connection: sqlite3.Connection, finding: Finding) -> str:
    """Delete the row of a finding, and the rows that depend on it.

    Returns:
        What the user can do about it, in words.
    """
    table = _TABLES.get(finding.problem)
    match finding.problem:
        case Problem.STUDY:
            assert finding.row is not None
            study_queries.delete_study(connection, finding.row)
            return "its runs stay, and running it again finds them"
        case Problem.RECIPE:
            return _forget_recipe(connection, finding)
        case Problem.LEDGER:
            ledger.update_ledger(connection, finding.subject)
            return "the list was written again; run the studies that are missing again: their runs stay"
    connection.execute(f"DELETE FROM {table} WHERE {_number(str(table))} = ?", (finding.row,))
    match finding.problem:
        case Problem.KEY:
            return "`paribus run` asks Keras for the canonical form again"
        case Problem.JUDGEMENT:
            ledger.update_ledger(connection, ledger.JUDGEMENTS)
            return "one look at a statement is no longer remembered"
    return "`paribus run` computes it again"


def _forget_recipe(connection: sqlite3.Connection, finding: Finding) -> str:
    """Studies that are broken were forgotten before: one that still has the recipe has proved its content."""
    number = finding.row
    if connection.execute("SELECT 1 FROM arms WHERE recipe = ?", (number,)).fetchone() is not None:
        content = connection.execute(
            "SELECT model, optimizer, parameters, layers FROM recipes WHERE id = ?", (number,)
        ).fetchone()
        connection.execute("UPDATE recipes SET checksum = ? WHERE id = ?", (rows.recipe_checksum(content), number))
        return "a sound study has the same content: its checksum was written again"
    connection.execute("DELETE FROM recipe_keys WHERE recipe = ?", (number,))
    connection.execute("DELETE FROM recipes WHERE id = ?", (number,))
    return "`paribus run` asks Keras for it again"


def _number(table: str) -> str:
    return "rowid" if table == "recipe_keys" else "id"
