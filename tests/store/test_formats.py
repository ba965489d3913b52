"""Stores that were written by released versions open for ever."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from paribus.records import StudyKind
from paribus.store import schema
from paribus.store.base import StoredStudy, labelled_study
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore
from store_examples import DATA, arm, holds, judgement, recipe, run

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = range(1, len(schema.MIGRATIONS) + 1)


def check(store: SqliteStore, number: int) -> None:
    assert holds(store, run(1))
    assert holds(store, run(2, "diverged"))
    assert holds(store, run(3, "failed"))
    assert store.recipe("key") == recipe(1)
    if number >= 4:
        assert holds(store, replace(run(5), ended=1795746600.25))
        assert holds(store, replace(run(6), ended=0.0, metrics={"test_auc": 0.5}))
    study, *more = store.studies()
    assert study == StoredStudy("a study", "{}", (arm("a", [1, 2]), arm("b", [3], version=1)), DATA)
    judged = store.judgements([judgement(1).anchor, judgement(2).anchor])
    if number < 3:
        assert (more, judged) == ([], ())
        return
    tuning, ablation = more
    assert tuning == StoredStudy("a study", "{}", (arm("a", [2**31 - 1]),), DATA, StudyKind.TUNING)
    assert ablation == StoredStudy("another", "{}", (arm("a", [7]),), None, StudyKind.ABLATION, 5, 7)
    assert judged == (judgement(1), judgement(2, look=1))


@pytest.mark.parametrize("number", FORMATS)
def test_a_store_of_every_format_can_be_read(number: int) -> None:
    folder = FIXTURES / f"store-v{number}"
    with SqliteStore.open(folder) as store:
        check(store, number)
    assert examine(folder) == []


@pytest.mark.parametrize("number", FORMATS)
def test_a_store_of_every_format_can_be_written_to(number: int, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / f"store-v{number}", tmp_path / "runs")
    with SqliteStore.open(folder, "write") as store:
        check(store, number)
        store.record(run(4))
        assert holds(store, run(4))
    assert examine(folder) == []


REAL = FIXTURES / "store-v2-studies"


def studies_of_kinds(store: SqliteStore) -> None:
    assert [(study.name, str(study.kind), study.label) for study in store.studies()] == [
        ("ablate-digits-large-dropout", "ablation", "ablate-digits-large-dropout"),
        ("digits", "noise", "digits.noise"),
        ("digits", "study", "digits"),
        ("tuned-digits", "study", "tuned-digits"),
        ("tuned-digits", "tuning", "tuned-digits.tuning"),
    ]
    for study in store.studies():
        wanted = [run.fingerprint for arm in study.arms for run in arm.runs]
        assert wanted
        assert len(store.runs(wanted)) == len(set(wanted))
        assert labelled_study(store, study.label) == study


def test_a_store_of_the_last_version_is_migrated_with_the_kinds_of_its_studies(tmp_path: Path) -> None:
    folder = shutil.copytree(REAL, tmp_path / "runs")
    assert examine(folder) == []
    with SqliteStore.open(folder) as reader:
        studies_of_kinds(reader)
    with SqliteStore.open(folder, "write") as writer:
        studies_of_kinds(writer)
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
