"""``paribus report`` and ``paribus export``: where they write to. ``paribus show``: tables that fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Said, call
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.report import FORMATS
from paribus.runner.run import run_study
from paribus.store.sqlite import SqliteStore
from paribus.study.load import load_study
from paribus.study.overrides import override

TUNED = Path(__file__).parents[2] / "examples" / "tuned.toml"
Call = Callable[..., Said]


@pytest.fixture
def paribus(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """The commands, where ``digits`` was run with two seeds."""
    document = override(load_study("digits"), seeds=2)
    with SqliteStore.open(tmp_path / "runs", "write") as store:
        run_study(document, store, FakeBackend(), Silent())
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call(capsys, monkeypatch, *arguments, "--store", "runs")


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_to_a_dash_is_on_stdout_and_nowhere_else(paribus: Call, tmp_path: Path, form: str) -> None:
    said = paribus("report", "digits", "--format", form, "-o", "-")
    assert (said.code, said.err, made(tmp_path)) == (0, "", ["runs"])
    paribus("report", "digits", "--format", form, "-o", "file")
    assert said.out == (tmp_path / "file").read_bytes().decode()
    if form == "json":
        assert json.loads(said.out)["study"] == "digits"


BEGINNINGS = {
    "a.html": "<!doctype html>",
    "a.HTM": "<!doctype html>",
    "a": "<!doctype html>",
    "a.md": "# ",
    "a.json": "{",
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_report_is_what_the_ending_of_its_file_says(paribus: Call, tmp_path: Path, name: str) -> None:
    assert paribus("report", "digits", "-o", name).code == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(BEGINNINGS[name])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.pdf"], "a.pdf: no report is written as .pdf; "),
        (["-o", "a.pdf", "--figures", "figures"], "a.pdf: no report is written as .pdf; "),
        (["-o", "a.docx", "--format", "md"], "a.docx: no report is written as .docx; "),
        (["-o", "a.html", "--format", "md"], "a.html: the ending .html means the format html, and md is asked for; "),
        (["--figures", "a.png"], "--figures a.png: figures are files of a folder, and .png is the ending of a file; "),
    ],
)
def test_a_file_that_would_hold_something_else_than_its_name_says(
    paribus: Call, tmp_path: Path, arguments: list[str], message: str
) -> None:
    said = paribus("report", "digits", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"paribus: {message}")
    assert made(tmp_path) == ["runs"]


def test_an_export_is_a_folder_and_no_file(paribus: Call, tmp_path: Path) -> None:
    said = paribus("export", "digits", "--to", "parquet", "-o", "runs.parquet")
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith(".parquet is the ending of a file; name a folder\n")
    assert made(tmp_path) == ["runs"]


def test_several_files_do_not_go_to_stdout(paribus: Call, tmp_path: Path) -> None:
    for command, option in (
        (("report", "digits", "--figures", "-"), "--figures"),
        (("export", "digits", "--to", "parquet", "-o", "-"), "--output"),
    ):
        said = paribus(*command)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"paribus: {option} -: ")
        assert said.err.count("\n") == 1
        assert said.err.endswith("which stdout cannot hold; name a folder\n")
    assert made(tmp_path) == ["runs"]


def test_a_run_is_one_line_although_seeds_of_candidates_are_long(paribus: Call, tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "runs", "write") as store:
        run_study(override(load_study(str(TUNED)), seeds=1), store, FakeBackend(), Silent())
    runs = json.loads(paribus("show", "tuned.tuning", "--json").out)["runs"]
    lines = paribus("show", "tuned.tuning").out.splitlines()[2:]
    assert len(lines) == len(runs) == 12
    for line, run in zip(lines, runs, strict=True):
        assert line.split()[:4] == [run["arm"], f"{run['parameters']:,}", str(run["seed"]), "finished"]
        assert line.split()[-1] == run["weights_digest"][:8]
