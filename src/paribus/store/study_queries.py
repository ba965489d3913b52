"""SQL about what was run under which name: functions of a connection.

A study's checksum covers its row and all that hangs on it: the names and contents of its arms, in their order, and
which run each arm has for which seeds. Two fingerprints that changed places, an arm with another recipe's number,
a row that is gone: each makes another checksum.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from paribus.records import Seeds, StudyKind
from paribus.store import queries, rows
from paribus.store.base import StoredArm, StoredRun, StoredStudy
from paribus.store.ledger import STUDIES, check_ledger, update_ledger

_COLUMNS = "name, kind, document, data, seeds, first_seed"


def studies(connection: sqlite3.Connection) -> tuple[StoredStudy, ...]:
    """All studies, sorted by name and kind.

    Raises:
        BrokenRowError: one of them is not what was written, or is missing.
    """
    listed = [study_of(connection, number) for _, _, number in _index(connection)]
    return tuple(sorted(listed, key=lambda study: (study.name, study.kind)))


def study(connection: sqlite3.Connection, name: str, kind: StudyKind) -> StoredStudy | None:
    """What was run under a name and a kind, or None.

    Raises:
        BrokenRowError: it is not what was written, or a study is missing.
    """
    # All names are read, and not the index asked for one: the ledger says whether a study is missing.
    numbers = [number for *key, number in _index(connection) if key == [name, kind]]
    return study_of(connection, numbers[0]) if numbers else None


def study_of(connection: sqlite3.Connection, number: int) -> StoredStudy:
    """The study in the row of that number.

    Raises:
        BrokenRowError: it is not what was written.
    """
    *values, checksum = connection.execute(
        f"SELECT {_COLUMNS}, checksum FROM studies WHERE id = ?", (number,)
    ).fetchone()
    name, kind, document, data, seeds, first_seed = values
    arms = [
        (arm_name, recipe, _runs(connection, arm))
        for arm, arm_name, *recipe in connection.execute(
            "SELECT arms.id, name, model, optimizer, parameters, layers FROM arms "
            "LEFT JOIN recipes ON recipes.id = recipe WHERE study = ? ORDER BY arms.id",
            (number,),
        ).fetchall()
    ]
    rows.check_row(f"study {name!r}", _checksum(values, arms), checksum)
    return StoredStudy(
        name,
        document,
        tuple(StoredArm(arm, rows.recipe_of(recipe), tuple(map(_run, runs))) for arm, recipe, runs in arms),
        rows.data_of(data),
        StudyKind(kind),
        seeds,
        first_seed,
    )


def put_study(connection: sqlite3.Connection, study: StoredStudy) -> None:
    """Write a study in place of the one of its name and kind."""
    connection.execute("DELETE FROM studies WHERE name = ? AND kind = ?", (study.name, study.kind))
    seeds = None if study.seeds is None else int(study.seeds)
    values = (
        study.name,
        str(study.kind),
        study.document,
        rows.data_text(study.data),
        seeds,
        int(study.first_seed),
    )
    arms = [
        (arm.name, rows.recipe_row(arm.recipe), [(*rows.seeds_row(run.seeds), run.fingerprint) for run in arm.runs])
        for arm in study.arms
    ]
    number = connection.execute(
        f"INSERT INTO studies ({_COLUMNS}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, _checksum(values, arms))
    ).lastrowid
    for arm, (_, _, runs) in zip(study.arms, arms, strict=True):
        arm_number = connection.execute(
            "INSERT INTO arms (study, name, recipe) VALUES (?, ?, ?)",
            (number, arm.name, queries.recipe_id(connection, arm.recipe)),
        ).lastrowid
        connection.executemany(
            "INSERT INTO arm_runs (arm, init_seed, order_seed, dropout_seed, fingerprint) VALUES (?, ?, ?, ?, ?)",
            [(arm_number, *run) for run in runs],
        )
    update_ledger(connection, STUDIES)


def rename_study(connection: sqlite3.Connection, study: StoredStudy, name: str) -> None:
    """Write a study under another name, in place of whatever was there."""
    connection.execute("DELETE FROM studies WHERE name = ? AND kind = ?", (study.name, study.kind))
    put_study(connection, replace(study, name=name))


def delete_named(connection: sqlite3.Connection, name: str, kind: StudyKind) -> None:
    """Forget the study of a name and a kind; its runs stay."""
    for *key, number in _index(connection):
        if key == [name, kind]:
            delete_study(connection, number)


def delete_study(connection: sqlite3.Connection, number: int) -> None:
    """Forget the study in the row of that number; its runs stay."""
    # Not left to the foreign key: it is off while a broken database is saved.
    connection.execute("DELETE FROM arm_runs WHERE arm IN (SELECT id FROM arms WHERE study = ?)", (number,))
    connection.execute("DELETE FROM arms WHERE study = ?", (number,))
    connection.execute("DELETE FROM studies WHERE id = ?", (number,))
    update_ledger(connection, STUDIES)


def _index(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
    check_ledger(connection, STUDIES)
    return connection.execute("SELECT name, kind, id FROM studies NOT INDEXED ORDER BY id").fetchall()


def _checksum(study: Sequence[Any], arms: Sequence[tuple[str, Sequence[Any], Sequence[Sequence[Any]]]]) -> str:
    """The checksum of a row of ``_COLUMNS`` and of the study's arms: name, row of the recipe, runs by seeds."""
    return rows.row_checksum(
        STUDIES,
        *study,
        [(name, rows.recipe_checksum(recipe), sorted(map(tuple, runs))) for name, recipe, runs in arms],
    )


def _run(row: Sequence[Any]) -> StoredRun:
    return StoredRun(Seeds(*row[:3]), row[3])


def _runs(connection: sqlite3.Connection, arm: int) -> list[Any]:
    return connection.execute(
        "SELECT init_seed, order_seed, dropout_seed, fingerprint FROM arm_runs WHERE arm = ? "
        "ORDER BY init_seed, order_seed, dropout_seed",
        (arm,),
    ).fetchall()
