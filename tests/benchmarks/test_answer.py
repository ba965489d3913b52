"""The time to an answer: what elsewhere is asked for, and that nothing is measured twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.answer import __main__ as answer
from paribus.study.load import load_study


def test_elsewhere_trains_as_many_runs_of_each_arm_on_the_same_data(tmp_path: Path) -> None:
    runs = {"small": 3, "large": 4, "large-dropout": 5}
    answer.write_task("digits", runs, 2, tmp_path)
    task = json.loads((tmp_path / "task.json").read_text(encoding="utf-8"))
    assert {name: arm["runs"] for name, arm in task["arms"].items()} == runs
    assert (task["epochs"], task["batch_size"]) == (2, 50)
    assert task["arms"]["small"]["layers"][0] == {"Dense": {"units": 16, "activation": "relu"}}
    with np.load(tmp_path / "data.npz") as held:
        assert held["x_train"].dtype == np.float32
        assert held["x_train"].shape[1:] == (64,)
        assert held["x_train"].max() == 1.0
        assert len(held["x_test"]) == len(held["y_test"])


def test_the_convnet_differs_in_its_dropout_alone() -> None:
    with_dropout, without = load_study(answer.QUESTIONS["convnet"]).arms.values()
    assert [layer for layer in with_dropout.layers or () if "Dropout" not in layer] == list(without.layers or ())


def test_verdicts_and_runs_are_read_from_the_command_lines_json() -> None:
    printed = {
        "contrasts": [{"a": "x", "b": "y", "verdict": "better"}],
        "arms": [{"name": "x", "runs": [{}, {}]}, {"name": "y", "runs": [{}]}],
    }
    assert answer.outcome_of(printed) == {"verdicts": ["better"], "runs": {"x": 2, "y": 1}}


def test_what_is_in_the_results_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "answer.json"
    entries = {name: {"seconds": seconds, "foreign": 0.5} for name, seconds in (("paribus", 2.0), ("loop", 5.0))}
    results.write_text(json.dumps({"digits --epochs=1": entries}), encoding="utf-8")
    line = ["answer", "--questions", "digits", "--epochs", "1", "--ways", "loop", "--venv", "/nowhere"]
    monkeypatch.setattr(sys, "argv", [*line, "-o", str(results)])
    answer.main()
    assert "2.50; others 50%" in capsys.readouterr().out
