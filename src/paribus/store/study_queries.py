"""SQL about what was run under which name: functions of a connection."""

from __future__ import annotations

import sqlite3

from paribus.records import Seeds
from paribus.store import queries, rows
from paribus.store.base import StoredArm, StoredRun, StoredStudy


def names(connection: sqlite3.Connection) -> list[str]:
    """The names of all studies, sorted."""
    return [row[0] for row in connection.execute("SELECT name FROM studies ORDER BY name")]


def studies(connection: sqlite3.Connection) -> tuple[StoredStudy, ...]:
    """All studies, sorted by name."""
    return tuple(found for name in names(connection) if (found := study(connection, name)) is not None)


def study(connection: sqlite3.Connection, name: str) -> StoredStudy | None:
    """What was run under a name, or None."""
    row = connection.execute("SELECT id, document, data FROM studies WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    number, document, data = row
    found = connection.execute(
        "SELECT arms.id, name, model, optimizer, parameters, layers FROM arms JOIN recipes ON recipes.id = recipe "
        "WHERE study = ? ORDER BY arms.id",
        (number,),
    ).fetchall()
    arms = tuple(StoredArm(arm[1], rows.recipe_of(arm[2:]), _runs(connection, arm[0])) for arm in found)
    return StoredStudy(name, document, arms, rows.data_of(data))


def put_study(connection: sqlite3.Connection, study: StoredStudy) -> None:
    """Write a study in place of the one of its name."""
    delete_study(connection, study.name)
    number = connection.execute(
        "INSERT INTO studies (name, document, data) VALUES (?, ?, ?)",
        (study.name, study.document, rows.data_text(study.data)),
    ).lastrowid
    for arm in study.arms:
        arm_number = connection.execute(
            "INSERT INTO arms (study, name, recipe) VALUES (?, ?, ?)",
            (number, arm.name, queries.recipe_id(connection, arm.recipe)),
        ).lastrowid
        connection.executemany(
            "INSERT INTO arm_runs (arm, init_seed, order_seed, dropout_seed, fingerprint) VALUES (?, ?, ?, ?, ?)",
            [(arm_number, *rows.seeds_row(run.seeds), run.fingerprint) for run in arm.runs],
        )


def delete_study(connection: sqlite3.Connection, name: str) -> None:
    """Forget what was run under a name; the runs stay."""
    connection.execute("DELETE FROM studies WHERE name = ?", (name,))


def raw_study(connection: sqlite3.Connection, name: str) -> dict[str, object]:
    """Whatever a study's row holds, by column."""
    cursor = connection.execute("SELECT * FROM studies WHERE name = ?", (name,))
    columns = [column[0] for column in cursor.description]
    return dict(zip(columns, cursor.fetchone() or [None] * len(columns), strict=True))


def _runs(connection: sqlite3.Connection, arm: int) -> tuple[StoredRun, ...]:
    found = connection.execute(
        "SELECT init_seed, order_seed, dropout_seed, fingerprint FROM arm_runs WHERE arm = ? "
        "ORDER BY init_seed, order_seed, dropout_seed",
        (arm,),
    )
    return tuple(StoredRun(Seeds(*row[:3]), row[3]) for row in found)
