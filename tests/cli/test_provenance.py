"""What a run was computed with is shown, and runs of different environments are never mixed without saying so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from command_line import Said, call
from paribus.backends.fake import FakeBackend
from paribus.data.builtin import DIGITS
from paribus.display.base import Silent
from paribus.runner.run import run_study
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.load import load_study
from paribus.study.overrides import override

Call = Callable[..., Said]
SENTENCE = "These runs were computed in 2 different environments (jax: fake / 9.9.9)"


@pytest.fixture
def paribus(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    return lambda *arguments: call(capsys, monkeypatch, *arguments, "--store", tmp_path / "runs")


@pytest.fixture
def foreign(tmp_path: Path) -> str:
    """A store of three seeds an arm in which the run of ``large`` with seed 1 comes from another jax."""
    document = override(load_study("digits"), seeds=3)
    memory = MemoryStore()
    request = run_study(document, memory, FakeBackend(), Silent()).request
    with SqliteStore.open(tmp_path / "runs", "write") as store:
        for job in request.jobs():
            found = memory.runs([job.fingerprint])[job.fingerprint]
            assert found.environment is not None
            whole = replace(
                found, predictions=memory.predictions(job.fingerprint), weights=memory.weights(job.fingerprint)
            )
            if (job.arm, job.seeds.seed) == ("large", 1):
                whole = replace(whole, environment=replace(found.environment, jax="9.9.9"))
            store.record(whole)
        run_study(document, store, FakeBackend(), Silent())
    return "digits"


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_run_shows_what_it_was_computed_with(paribus: Call, foreign: str, tmp_path: Path) -> None:
    document = json.loads(paribus("show", "digits/large/1", "--json").out)
    shown = document["environment"]
    assert document["data"] == {"name": "digits", "fingerprint": DIGITS.fingerprint}
    assert shown["jax"] == "9.9.9"
    with SqliteStore.open(tmp_path / "runs") as store:
        study = store.study("digits")
        assert study is not None
        fingerprint = next(run.fingerprint for arm in study.arms if arm.name == "large" for run in arm.runs[1:])
        environment = store.runs([fingerprint])[fingerprint].environment
        assert environment is not None
        assert shown == asdict(environment)
    text = flat(paribus("show", "digits/large/1").out)
    assert f"data digest {DIGITS.fingerprint}" in text
    assert all(f"{name} {value}".strip() in text for name, value in shown.items())


@pytest.mark.parametrize("form", ["md", "json", "latex", "html"])
def test_every_report_says_it(paribus: Call, foreign: str, tmp_path: Path, form: str) -> None:
    said = paribus("report", foreign, "--format", form, "-o", tmp_path / f"report.{form}")
    assert said.code == 0, said.err
    text = flat((tmp_path / f"report.{form}").read_text(encoding="utf-8"))
    assert "computed in 2 different environments" in text
    assert "9.9.9" in text


@pytest.mark.parametrize(
    "question",
    [
        ("compare", "digits", "large", "small"),
        ("check", "digits", "--new", "large", "--old", "small", "--margin", "0.5"),
    ],
)
def test_every_answer_says_it(paribus: Call, foreign: str, question: tuple[str, ...]) -> None:
    assert SENTENCE in flat(paribus(*question).out)
    (note,) = json.loads(paribus(*question, "--json").out)["notes"]
    assert note.startswith(SENTENCE)


@pytest.mark.parametrize(
    "question",
    [
        ("compare", "digits", "large-dropout", "small"),
        ("check", "digits", "--new", "large-dropout", "--old", "small", "--margin", "0.5"),
    ],
)
def test_nothing_is_said_of_arms_that_come_from_one_environment(
    paribus: Call, foreign: str, question: tuple[str, ...]
) -> None:
    assert "environment" not in paribus(*question).out
    assert json.loads(paribus(*question, "--json").out)["notes"] == []
