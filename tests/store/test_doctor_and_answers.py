"""The doctor never calls a store sound where a report or an export of it then fails, or says something else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paribus.errors import ParibusError
from paribus.export.parquet_tables import export_tables
from paribus.report.json import outcome_fields
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.doctor import examine, repair
from paribus.store.sqlite import SqliteStore
from store_crashes import quick_place

ORIGINAL = Path(__file__).parents[1] / "fixtures" / "store-v2-studies"
STUDY = "digits"


def answers(folder: Path, out: Path) -> Any:
    """What a report and an export say of the study."""
    with SqliteStore.open(folder) as store:
        results = open_results(STUDY, store)
        said = json.loads(json.dumps(outcome_fields(results.outcome())))
        shutil.rmtree(out, ignore_errors=True)
        export_tables(select_runs(results), out)
        return said, sorted(path.name for path in out.iterdir())


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store in the newest format."""
    folder = shutil.copytree(ORIGINAL, tmp_path_factory.mktemp("newest") / "runs")
    SqliteStore.open(folder, "write").close()
    (folder / "writer.lock").unlink()
    return folder


@pytest.fixture(scope="module")
def usual(newest: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return answers(newest, tmp_path_factory.mktemp("usual") / "out")


HOW = st.sampled_from(["flip", "flip", "flip", "cut", "zero", "remove"])
DAMAGES = st.lists(st.tuples(HOW, st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=3)


def damage(folder: Path, how: str, which: int, where: int) -> None:
    """Damage one file: the database in every second case."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = folder / "paribus.sqlite" if which % 2 else files[which // 2 % len(files)]
    content = bytearray(path.read_bytes()) if path.exists() else bytearray()
    if not content:
        return
    byte = where // 8 % len(content)
    if how == "flip":
        content[byte] ^= 1 << where % 8
    elif how == "zero":
        content[byte : byte + 512] = bytes(len(content[byte : byte + 512]))
    elif how == "cut":
        content = content[:byte]
    if how == "remove" and path.name != "paribus.sqlite":
        path.unlink()
    else:
        path.write_bytes(content)


@given(damages=DAMAGES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_called_sound_answers_as_ever(newest: Path, usual: Any, damages: list[tuple[str, int, int]]) -> None:
    with quick_place() as place:
        folder = shutil.copytree(newest, place / "runs")
        for how, which, where in damages:
            damage(folder, how, which, where)
        try:
            sound = examine(folder) == []
        except ParibusError:
            return  # refused as a whole, by name
        if sound:
            assert answers(folder, place / "out") == usual
            return
        try:
            repair(folder)
        except ParibusError as error:
            pytest.fail(f"not mended: {error}")
        assert examine(folder) == []
        try:
            said, _ = answers(folder, place / "out")
        except ParibusError as error:
            # The study, or all of its runs, were set aside: that is said.
            if not re.search("nothing is stored|no run", str(error)):
                pytest.fail(f"after a repair: {error}")
            return
        counted = [len(arm["runs"]) for arm in said["arms"]]
        assert sum(counted) <= sum(len(arm["runs"]) for arm in usual[0]["arms"])
