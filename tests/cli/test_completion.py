"""Completion in a shell: the names of studies and arms, as the shells ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest

import paribus as pb
from paribus.backends.fake import FakeBackend
from paribus.cli.app import app


@pytest.fixture
def store(tmp_path: Path) -> Path:
    study = pb.Study.load("digits").document.model_copy(update={"name": "mine"})
    pb.Study.of(study).run(1, store=tmp_path / "runs", backend=FakeBackend(), progress=False)
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["report", ""], ["mine", "mnist-mlps", "dropout-or-architecture", "digits"]),
        (["run", "d"], ["dropout-or-architecture", "digits"]),
        (["forget", "m"], ["mine", "mnist-mlps"]),
        (["compare", "mine", "la"], ["large", "large-dropout"]),
        (["check", "digits", "--new", "s"], ["small"]),
        (["run", "digits", "--arm", "large-"], ["large-dropout"]),
        (["export", "mine", "--arm", "x"], []),
        (["run", "nothing:object", "--arm", ""], []),
        (["show", "mi"], ["mine"]),
        (["show", "mine/s"], ["mine/small"]),
    ],
)
def test_names_complete(
    line: list[str],
    expected: list[str],
    store: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARIBUS_STORE", str(store))
    monkeypatch.setenv("_PARIBUS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(["paribus", *line]))
    monkeypatch.setenv("COMP_CWORD", str(len(line)))
    with pytest.raises(SystemExit):
        app(prog_name="paribus", standalone_mode=False)
    assert sorted(capsys.readouterr().out.split()) == sorted(expected)
