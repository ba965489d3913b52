"""Stores that were written by released versions open for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paribus.store import schema
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore
from store_examples import DATA, arm, holds, recipe, run

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = range(1, len(schema.MIGRATIONS) + 1)


def check(store: SqliteStore) -> None:
    assert holds(store, run(1))
    assert holds(store, run(2, "diverged"))
    assert holds(store, run(3, "failed"))
    assert store.recipe("key") == recipe(1)
    (study,) = store.studies()
    assert (study.name, study.document, study.data) == ("a study", "{}", DATA)
    assert study.arms == (arm("a", [1, 2]), arm("b", [3], version=1))


@pytest.mark.parametrize("number", FORMATS)
def test_a_store_of_every_format_can_be_read(number: int) -> None:
    folder = FIXTURES / f"store-v{number}"
    with SqliteStore.open(folder) as store:
        check(store)
    assert examine(folder) == []


@pytest.mark.parametrize("number", FORMATS)
def test_a_store_of_every_format_can_be_written_to(number: int, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / f"store-v{number}", tmp_path / "runs")
    with SqliteStore.open(folder, "write") as store:
        check(store)
        store.record(run(4))
        assert holds(store, run(4))
    assert examine(folder) == []


def test_the_schema_of_a_released_format_does_not_change(tmp_path: Path) -> None:
    """What a new store has, and what one of the newest committed format has, are the same tables."""
    import sqlite3

    SqliteStore.open(tmp_path, "write").close()
    schemas = []
    for folder in (tmp_path, FIXTURES / f"store-v{FORMATS[-1]}"):
        connection = sqlite3.connect(f"file:{folder / 'paribus.sqlite'}?mode=ro", uri=True)
        schemas.append(connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall())
        connection.close()
    assert schemas[0] == schemas[1]
