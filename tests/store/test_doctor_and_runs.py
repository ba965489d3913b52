"""The doctor never calls a store sound where `run`, `report` or `export` of it then fails, or says something else.

Damages are of the medium (bits, blocks, files), of what lies in a file's place, and of rows, written by SQL so that the
pages stay sound. What the doctor has repaired is run again, and must come out as it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import paribus as pb
from in_process import InProcess
from paribus.engine.engine import Engine
from paribus.errors import ParibusError
from paribus.export.parquet_tables import export_tables
from paribus.records import StudyKind
from paribus.report import render_report
from paribus.report.json import outcome_fields
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.doctor import examine, repair
from paribus.store.sqlite import SqliteStore
from store_crashes import quick_place

DATABASE = "paribus.sqlite"
STUDY = """
name = "small"
question = "Do more units help?"
seeds = 2
contrasts = [{a = "large", b = "small"}]
[data]
source = "digits"
flatten = true
[protocol]
epochs = 1
batch_size = 256
[arms.small]
layers = [{Dense = {units = 2, activation = "relu"}}, {Dense = {units = 10, activation = "softmax"}}]
[arms.large]
layers = [{Dense = {units = 4, activation = "relu"}}, {Dense = {units = 10, activation = "softmax"}}]
"""


@dataclass(frozen=True)
class Example:
    """A store with a study that was run, and what it says."""

    study: pb.Study
    engine: Engine
    folder: Path
    usual: Any

    def run(self, folder: Path) -> Any:
        return comparable(self.study.run(store=folder, backend=InProcess(self.engine), progress=False).to_json())

    def report_and_export(self, folder: Path, out: Path, formats: Sequence[str] = ("html", "md", "csv")) -> Any:
        """What is read without running anything, weights included."""
        with SqliteStore.open(folder) as store:
            results = open_results(str(folder.parent / "small.toml"), store)
            outcome = results.outcome()
            for format in formats:
                render_report(outcome, format)
            export_tables(select_runs(results), out)
            for study in store.studies():
                for arm in study.arms:
                    for run in store.runs([place.fingerprint for place in arm.runs]).values():
                        if run.scores is not None:
                            store.weights(run.fingerprint)
            return comparable(json.loads(json.dumps(outcome_fields(outcome))))


def comparable(fields: Any) -> Any:
    """An answer without how long it took, and without how often it was looked at, which a lost record changes."""
    if isinstance(fields, dict):
        return {key: comparable(value) for key, value in fields.items() if key not in ("seconds", "notes", "looks")}
    if isinstance(fields, list):
        return [comparable(value) for value in fields]
    return re.sub(r"about [\w ]+ here", "about so long here", fields) if isinstance(fields, str) else fields


@pytest.fixture(scope="module")
def example(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Example:
    place = tmp_path_factory.mktemp("example")
    (place / "small.toml").write_text(STUDY, encoding="utf-8")
    study = pb.Study.load(str(place / "small.toml"))
    whole = Example(study, engine, place / "runs", None)
    usual = whole.run(place / "runs")
    with SqliteStore.open(place / "runs", "write") as store:
        (stored,) = store.studies()
        store.save_study("small", stored.document, list(stored.arms), stored.data, kind=StudyKind.NOISE)
    return Example(study, engine, place / "runs", usual)


def a_file(folder: Path, which: int) -> Path:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != DATABASE)
    return folder / DATABASE if which % 2 or not files else files[which // 2 % len(files)]


def damage_file(folder: Path, how: str, which: int, where: int) -> None:
    path = a_file(folder, which)
    content = bytearray(path.read_bytes()) if path.is_file() else bytearray()  # another damage may have replaced it
    if not content:
        return
    byte = where // 8 % len(content)
    match how:
        case "flip":
            content[byte] ^= 1 << where % 8
        case "zero":
            content[byte : byte + 512] = bytes(len(content[byte : byte + 512]))
        case "cut":
            content = content[:byte]
        case "append":
            content += bytes(content[:byte])
        case "exchange":
            content = bytearray(a_file(folder, where // 8 * 2).read_bytes())
    path.write_bytes(content)


def replace_file(folder: Path, how: str, which: int, where: int) -> None:
    path = a_file(folder, which)
    moved = folder.parent / f"moved-{where}"
    if not os.path.lexists(path) or os.path.lexists(moved):
        return
    path.rename(moved)
    match how:
        case "link":
            path.symlink_to(moved)
        case "dangling link":
            path.symlink_to(folder / "nothing")
        case "device":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()


def damage_rows(folder: Path, how: str, which: int, where: int) -> None:
    """Damage by SQL: the pages stay sound, and only checksums can tell."""
    try:
        with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            table = tables[which % len(tables)]
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            column = columns[where % len(columns)]
            rows = [row[0] for row in connection.execute(f"SELECT rowid FROM {table}")]
            if not rows:
                return
            row, other = rows[where // 7 % len(rows)], rows[where // 11 % len(rows)]
            match how:
                case "delete":
                    connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
                case "empty":
                    connection.execute(f"DELETE FROM {table}")
                case "drop":
                    connection.execute(f"DROP TABLE {table}")
                case "null":
                    connection.execute(f"UPDATE {table} SET {column} = NULL WHERE rowid = ?", (row,))
                case "word":
                    connection.execute(f"UPDATE {table} SET {column} = 'other' WHERE rowid = ?", (row,))
                case "number":
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (where % 5, row))
                case "blob":
                    connection.execute(f"UPDATE {table} SET {column} = x'ff00' WHERE rowid = ?", (row,))
                case "swap":
                    values = dict(connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall())
                    for here, there in ((row, other), (other, row)):
                        connection.execute(
                            f"UPDATE OR REPLACE {table} SET {column} = ? WHERE rowid = ?", (values[there], here)
                        )
    except (sqlite3.Error, KeyError, UnicodeDecodeError):
        return  # the table's own rules forbid it, or an earlier damage


KINDS = {
    **dict.fromkeys(["flip", "zero", "cut", "append", "exchange"], damage_file),
    **dict.fromkeys(["link", "dangling link", "device", "pipe", "folder", "absent"], replace_file),
    **dict.fromkeys(["delete", "empty", "drop", "null", "word", "number", "blob", "swap"], damage_rows),
}
NUMBER = st.integers(0, 10**9)
DAMAGES = st.lists(st.tuples(st.sampled_from(sorted(KINDS)), NUMBER, NUMBER), min_size=1, max_size=2)


def read_or_nothing(example: Example, folder: Path, out: Path) -> Any:
    """The answer; None where all runs, or the whole database, are gone: nothing is wrong with what is left."""
    try:
        return example.report_and_export(folder, out)
    except ParibusError as error:
        if not re.search("nothing is stored|no run", str(error)):
            raise
        return None


def look_at(example: Example, damages: Sequence[tuple[str, int, int]]) -> str:
    """Damage a copy of the store; what the doctor said, after all that has to follow from it was checked."""
    with quick_place() as place:
        shutil.copy(example.folder.parent / "small.toml", place)
        folder = shutil.copytree(example.folder, place / "runs")
        for how, which, where in damages:
            KINDS[how](folder, how, which, where)
        try:
            sound = examine(folder) == []
        except ParibusError:
            # Refused as a whole, by name; so does everything else.
            for use in (example.run, lambda path: example.report_and_export(path, place / "out")):
                with pytest.raises(ParibusError):
                    use(folder)
            return "refused"
        if not sound:
            repair(folder)
            assert examine(folder) == []
        else:
            answer = read_or_nothing(example, folder, place / "out")
            if answer is not None and "missing" not in json.dumps(answer):
                assert answer == example.usual
        assert example.run(folder) == example.usual
        assert examine(folder) == []
        assert example.report_and_export(folder, place / "out2", ("md",)) == example.usual
        return "sound" if sound else "repaired"


@pytest.mark.slow
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize(
    ("which", "where"), [(4, 77), *(pytest.param(*at, marks=pytest.mark.proof) for at in ((1, 40_003), (9, 1_000_001)))]
)
def test_one_damage_of_each_kind(how: str, which: int, where: int, example: Example) -> None:
    look_at(example, [(how, which, where)])


@pytest.mark.slow
@pytest.mark.parametrize("examples", [10, pytest.param(100, marks=pytest.mark.proof)])
def test_what_is_called_sound_runs_as_ever(example: Example, examples: int) -> None:
    @given(damages=DAMAGES)
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    def look(damages: list[tuple[str, int, int]]) -> None:
        look_at(example, damages)

    look()
