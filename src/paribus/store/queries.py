"""SQL about runs and recipes: functions of a connection. Rows that make no sense raise ValueError or TypeError."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paribus.records import Environment, Recipe, RunResult, Status
from paribus.store import rows
from paribus.store.artifacts import Kind

_CHUNK = 500
"""Fingerprints a query: old builds of SQLite take 999 parameters."""

_WIDTH = len(rows.RUN_COLUMNS)
_RUN_COLUMNS = ", ".join(f"runs.{name}" for name in rows.RUN_COLUMNS)
_ENVIRONMENT_COLUMNS = ", ".join(f"environments.{name}" for name in rows.ENVIRONMENT_COLUMNS)
_SELECT_RUNS = (
    f"SELECT {_RUN_COLUMNS}, {_ENVIRONMENT_COLUMNS}, checksum "
    "FROM runs LEFT JOIN environments ON environments.id = environment"
)
_INSERT_RUN = (
    f"INSERT OR REPLACE INTO runs ({', '.join(rows.RUN_COLUMNS)}, environment, checksum) "
    f"VALUES ({', '.join('?' * (len(rows.RUN_COLUMNS) + 2))})"
)


@dataclass(frozen=True, slots=True)
class RunHead:
    """How a stored run ended, and the sha256 of the artifacts it has."""

    status: Status
    artifacts: Mapping[Kind, str]


def run_head(connection: sqlite3.Connection, fingerprint: str) -> RunHead | None:
    """What ``record`` and the readers of artifacts need to know of a run, or None if it is not there."""
    row = connection.execute(
        "SELECT status, weights_sha256, predictions_sha256 FROM runs WHERE fingerprint = ?", (fingerprint,)
    ).fetchone()
    if row is None:
        return None
    digests = {Kind.WEIGHTS: row[1], Kind.PREDICTIONS: row[2]}
    return RunHead(Status(row[0]), {kind: digest for kind, digest in digests.items() if digest is not None})


def put_run(connection: sqlite3.Connection, result: RunResult, artifacts: Mapping[Kind, str]) -> None:
    """Write a run's row, in place of the one it has."""
    row = rows.run_row(result, artifacts.get(Kind.WEIGHTS), artifacts.get(Kind.PREDICTIONS))
    environment = None if result.environment is None else _environment_id(connection, result.environment)
    checksum = rows.checksum(row, rows.environment_row(result.environment))
    connection.execute(_INSERT_RUN, (*row, environment, checksum))


def runs(connection: sqlite3.Connection, fingerprints: Sequence[str]) -> dict[str, RunResult]:
    """The runs that are there, in the order asked for."""
    found = {}
    for start in range(0, len(fingerprints), _CHUNK):
        chunk = fingerprints[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        for row in connection.execute(f"{_SELECT_RUNS} WHERE runs.fingerprint IN ({marks})", chunk):
            found[row[0]] = rows.run_of(row[:_WIDTH], row[_WIDTH:-1], row[-1])
    return {fingerprint: found[fingerprint] for fingerprint in fingerprints if fingerprint in found}


def all_fingerprints(connection: sqlite3.Connection) -> list[str]:
    """The fingerprints of all runs, in the order they were recorded."""
    return [row[0] for row in connection.execute("SELECT fingerprint FROM runs ORDER BY id")]


def raw_run(connection: sqlite3.Connection, fingerprint: str) -> dict[str, object]:
    """Whatever a run's row holds, by column."""
    cursor = connection.execute("SELECT * FROM runs WHERE fingerprint = ?", (fingerprint,))
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone() or [None] * len(names), strict=True))


def delete_run(connection: sqlite3.Connection, fingerprint: str) -> None:
    """Forget a run's row."""
    connection.execute("DELETE FROM runs WHERE fingerprint = ?", (fingerprint,))


def recipe(connection: sqlite3.Connection, key: str) -> Recipe | None:
    """The recipe saved under a key."""
    row = connection.execute(
        "SELECT model, optimizer, parameters, layers FROM recipe_keys JOIN recipes ON recipes.id = recipe "
        'WHERE "key" = ?',
        (key,),
    ).fetchone()
    return None if row is None else rows.recipe_of(row)


def put_recipe_key(connection: sqlite3.Connection, key: str, recipe: Recipe) -> None:
    """Save a recipe under a key."""
    connection.execute(
        'INSERT OR REPLACE INTO recipe_keys ("key", recipe) VALUES (?, ?)', (key, recipe_id(connection, recipe))
    )


def recipe_id(connection: sqlite3.Connection, recipe: Recipe) -> int:
    """The row of a recipe, written if it is new: equal recipes are kept once."""
    values = rows.recipe_row(recipe)
    connection.execute(
        "INSERT OR IGNORE INTO recipes (model, optimizer, parameters, layers) VALUES (?, ?, ?, ?)", values
    )
    row = connection.execute(
        "SELECT id FROM recipes WHERE (model, optimizer, parameters, layers) = (?, ?, ?, ?)", values
    ).fetchone()
    return int(row[0])


def _environment_id(connection: sqlite3.Connection, environment: Environment) -> int:
    names, marks = ", ".join(rows.ENVIRONMENT_COLUMNS), ", ".join("?" * len(rows.ENVIRONMENT_COLUMNS))
    values = rows.environment_row(environment)
    connection.execute(f"INSERT OR IGNORE INTO environments ({names}) VALUES ({marks})", values)
    row = connection.execute(f"SELECT id FROM environments WHERE ({names}) = ({marks})", values).fetchone()
    return int(row[0])
