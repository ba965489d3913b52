"""What the migration to format 3 derives from older rows: kinds of studies, and checksums.

Released, and so never edited: it names the columns of its own format, and shares nothing with the queries of today but
the checksum itself (``rows.row_checksum``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from paribus.store.ledger import TABLES, update_ledger
from paribus.store.rows import row_checksum

_TRIAL_SEED = 2**31 - 1
"""Candidates of tuned arms had seeds from here on; no study's own runs have them."""

_ABLATION_QUESTION = "What does each part of "

_Runs = Sequence[Sequence[int | str]]


def derive_kinds_and_checksums(connection: sqlite3.Connection) -> None:
    """Give every study its kind and every row its checksum. A row with undecodable text gets none, and is broken."""
    with _undecoded(connection):
        recipes = {}
        for number, *recipe in connection.execute("SELECT id, model, optimizer, parameters, layers FROM recipes"):
            recipes[number] = _checksum("recipes", *recipe)
        keys = connection.execute('SELECT rowid, "key", recipe FROM recipe_keys').fetchall()
        studies = connection.execute("SELECT id, name, document, data FROM studies").fetchall()
        arms = {study[0]: _arms(connection, study[0], recipes) for study in studies}
    connection.executemany("UPDATE recipes SET checksum = ? WHERE id = ?", [(c, n) for n, c in recipes.items()])
    connection.executemany(
        "UPDATE recipe_keys SET checksum = ? WHERE rowid = ?",
        [(_checksum("recipe_keys", key, recipes.get(recipe, "")), number) for number, key, recipe in keys],
    )
    for number, stored_name, document, data in studies:
        if not (isinstance(stored_name, str) and _is_text(stored_name)):
            continue
        name, kind = _name_and_kind(stored_name, document, [runs for _, _, runs in arms[number]])
        checksum = _checksum("studies", name, kind, document, data, None, 0, arms[number])
        connection.execute(
            "UPDATE studies SET name = ?, kind = ?, checksum = ? WHERE id = ?", (name, kind, checksum, number)
        )
    for table in TABLES:
        update_ledger(connection, table)


def _arms(connection: sqlite3.Connection, study: int, recipes: dict[int, str]) -> list[tuple[str, str, _Runs]]:
    rows = connection.execute("SELECT id, name, recipe FROM arms WHERE study = ? ORDER BY id", (study,)).fetchall()
    return [(name, recipes.get(recipe, ""), _runs(connection, number)) for number, name, recipe in rows]


def _runs(connection: sqlite3.Connection, arm: int) -> _Runs:
    return connection.execute(
        "SELECT init_seed, order_seed, dropout_seed, fingerprint FROM arm_runs WHERE arm = ? "
        "ORDER BY init_seed, order_seed, dropout_seed",
        (arm,),
    ).fetchall()


def _name_and_kind(name: str, document: str, arms: Sequence[_Runs]) -> tuple[str, str]:
    """A study's kind was encoded in the end of its name, in unusual seeds, or in the question of an ablation."""
    seeds = [run[:3] for of_arm in arms for run in of_arm]
    runs = [tuple(seed for seed in run if isinstance(seed, int)) for run in seeds]
    if name.endswith(".tuning") and runs and all(run and run[0] >= _TRIAL_SEED for run in runs):
        return name.removesuffix(".tuning"), "tuning"
    one_varies = all(run.count(0) >= 2 for run in runs) and any(any(run) for run in runs)
    if name.endswith(".noise") and one_varies:
        return name.removesuffix(".noise"), "noise"
    if name.startswith("ablate-") and _question(document).startswith(_ABLATION_QUESTION):
        return name, "ablation"
    return name, "study"


def _question(document: str) -> str:
    try:
        return str(json.loads(document)["question"])
    except (ValueError, KeyError, TypeError):
        return ""


def _checksum(table: str, *values: object) -> str:
    """The checksum, or none for what is not even text."""
    text = json.dumps(values, ensure_ascii=False, default=repr)
    return row_checksum(table, *values) if _is_text(text) else ""


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


@contextmanager
def _undecoded(connection: sqlite3.Connection) -> Iterator[None]:
    """Texts that are no UTF-8 are read all the same, their bytes as lone surrogates."""
    before = connection.text_factory
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before
