"""SQL about runs and recipes: functions of a connection. Rows that make no sense raise ValueError or TypeError."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paribus.records import Environment, Recipe, RunResult, Status
from paribus.store import rows
from paribus.store.artifacts import Kind

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 500
"""Fingerprints a query: old builds of SQLite take 999 parameters."""

_WIDTH = len(rows.RUN_COLUMNS)
_PREDICTIONS = rows.RUN_COLUMNS.index("predictions_sha256")
_RUN_COLUMNS = ", ".join(f"runs.{name}" for name in rows.RUN_COLUMNS)
_ENVIRONMENT_COLUMNS = ", ".join(f"environments.{name}" for name in rows.ENVIRONMENT_COLUMNS)
_SELECT_RUNS = (
    f"SELECT {_RUN_COLUMNS}, {_ENVIRONMENT_COLUMNS}, checksum "
    "FROM runs LEFT JOIN environments ON environments.id = environment"
)
_RECIPE_COLUMNS = "model, optimizer, parameters, layers"
_INSERT_RUN = (
    f"INSERT OR REPLACE INTO runs ({', '.join(rows.RUN_COLUMNS)}, environment, checksum) "
    f"VALUES ({', '.join('?' * (len(rows.RUN_COLUMNS) + 2))})"
)


@dataclass(frozen=True, slots=True)
class RunHead:
    """How a stored run ended, and the sha256 of the artifacts it has."""

    status: Status
    artifacts: Mapping[Kind, str]


def run_at(connection: sqlite3.Connection, number: int) -> RunResult:
    """The run in the row of that number.

    Raises:
        ValueError, TypeError: it makes no sense.
    """
    row = connection.execute(f"{_SELECT_RUNS} WHERE runs.id = ?", (number,)).fetchone()
    return rows.run_of(row[:_WIDTH], row[_WIDTH:-1], row[-1])


def check_recipe_at(connection: sqlite3.Connection, number: int) -> None:
    """Check the recipe in the row of that number.

    Raises:
        BrokenRowError: it is not what was written.
    """
    *recipe, checksum = connection.execute(
        f"SELECT {_RECIPE_COLUMNS}, checksum FROM recipes WHERE id = ?", (number,)
    ).fetchone()
    rows.check_row("the canonical form of an arm", rows.recipe_checksum(recipe), checksum)


def check_recipe_key_at(connection: sqlite3.Connection, number: int) -> None:
    """Check the key in the row of that number, and the recipe that it names.

    Raises:
        BrokenRowError: one of them is not what was written.
    """
    key, recipe, checksum = connection.execute(
        'SELECT "key", recipes.checksum, recipe_keys.checksum '
        "FROM recipe_keys LEFT JOIN recipes ON recipes.id = recipe WHERE recipe_keys.rowid = ?",
        (number,),
    ).fetchone()
    rows.check_row("the key of an arm's canonical form", rows.row_checksum("recipe_keys", key, recipe), checksum)


def run_head(connection: sqlite3.Connection, fingerprint: str) -> RunHead | None:
    """How a run ended, and its artifacts; None if it is not stored.

    Raises:
        BrokenRowError: the row names artifacts that cannot be.
    """
    row = connection.execute(
        "SELECT status, weights_sha256, predictions_sha256 FROM runs WHERE fingerprint = ?", (fingerprint,)
    ).fetchone()
    if row is None:
        return None
    digests = {Kind.WEIGHTS: row[1], Kind.PREDICTIONS: row[2]}
    # Names of files are made of these, and a row may be a stranger's.
    if any(digest is not None and not _SHA256.fullmatch(digest) for digest in digests.values()):
        raise rows.BrokenRowError(f"the row of run {fingerprint[:12]} names artifacts that cannot be")
    return RunHead(Status(row[0]), {kind: digest for kind, digest in digests.items() if digest is not None})


def put_run(connection: sqlite3.Connection, result: RunResult, artifacts: Mapping[Kind, str]) -> None:
    """Write a run's row, in place of the one it has."""
    row = rows.run_row(result, artifacts.get(Kind.WEIGHTS), artifacts.get(Kind.PREDICTIONS))
    environment = None if result.environment is None else _environment_id(connection, result.environment)
    checksum = rows.checksum(row, rows.environment_row(result.environment))
    connection.execute(_INSERT_RUN, (*row, environment, checksum))


def runs(
    connection: sqlite3.Connection, fingerprints: Sequence[str], predictions: dict[str, str] | None = None
) -> dict[str, RunResult]:
    """The runs that are there, in the order asked for; the sha256 of their predictions is added to ``predictions``."""
    by_fingerprint = {}
    digests = {} if predictions is None else predictions
    for start in range(0, len(fingerprints), _CHUNK):
        chunk = fingerprints[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        for row in connection.execute(f"{_SELECT_RUNS} WHERE runs.fingerprint IN ({marks})", chunk):
            by_fingerprint[row[0]] = rows.run_of(row[:_WIDTH], row[_WIDTH:-1], row[-1])
            if row[_PREDICTIONS] is not None:
                digests[row[0]] = row[_PREDICTIONS]
    return {fingerprint: by_fingerprint[fingerprint] for fingerprint in fingerprints if fingerprint in by_fingerprint}


def delete_runs(connection: sqlite3.Connection, fingerprints: Sequence[str]) -> None:
    """Delete the rows of runs."""
    connection.executemany("DELETE FROM runs WHERE fingerprint = ?", [(name,) for name in fingerprints])


def fingerprints(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of all runs, whatever else their rows hold."""
    listed = connection.execute("SELECT CAST(fingerprint AS BLOB) FROM runs NOT INDEXED")
    return tuple(bytes(row[0] or b"").decode("utf-8", "backslashreplace") for row in listed)


def checksum(connection: sqlite3.Connection, fingerprint: str) -> str:
    """The checksum of a run's row, as it was written."""
    (written,) = connection.execute("SELECT checksum FROM runs WHERE fingerprint = ?", (fingerprint,)).fetchone()
    return str(written)


def recipe_keys(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The keys under which recipes are saved, sorted."""
    listed = connection.execute('SELECT CAST("key" AS BLOB) FROM recipe_keys NOT INDEXED')
    return tuple(sorted(bytes(row[0]).decode("utf-8", "backslashreplace") for row in listed))


def recipe(connection: sqlite3.Connection, key: str) -> Recipe | None:
    """The recipe saved under a key."""
    row = connection.execute(
        f'SELECT {_RECIPE_COLUMNS}, recipes.checksum, "key", recipe_keys.checksum '
        'FROM recipe_keys JOIN recipes ON recipes.id = recipe WHERE "key" = ?',
        (key,),
    ).fetchone()
    if row is None:
        return None
    *recipe, checksum, key, key_checksum = row
    rows.check_row("the canonical form of an arm", rows.recipe_checksum(recipe), checksum)
    rows.check_row("the key of an arm's canonical form", rows.row_checksum("recipe_keys", key, checksum), key_checksum)
    return rows.recipe_of(recipe)


def put_recipe_key(connection: sqlite3.Connection, key: str, recipe: Recipe) -> None:
    """Save a recipe under a key."""
    checksum = rows.row_checksum("recipe_keys", key, rows.recipe_checksum(rows.recipe_row(recipe)))
    connection.execute(
        'INSERT OR REPLACE INTO recipe_keys ("key", recipe, checksum) VALUES (?, ?, ?)',
        (key, recipe_id(connection, recipe), checksum),
    )


def recipe_id(connection: sqlite3.Connection, recipe: Recipe) -> int:
    """The row of a recipe, written if it is new: equal recipes have one row."""
    values = rows.recipe_row(recipe)
    connection.execute(
        "INSERT OR IGNORE INTO recipes (model, optimizer, parameters, layers, checksum) VALUES (?, ?, ?, ?, ?)",
        (*values, rows.recipe_checksum(values)),
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
