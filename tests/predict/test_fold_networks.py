"""Trained networks of a study with folds: asked, taken out one by one, and exported; each prepared as its fold was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

import paribus as pb
from command_line import call
from in_process import InProcess
from paribus.data.sources import load_pooled
from paribus.engine.engine import Engine
from paribus.errors import UnknownNameError, UsageError


def rows(count: int = 60) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(count, 3)) * [1, 50, 2] + [0, 300, 1]
    label = np.where(x[:, 0] + generator.normal(size=count) > 0, "yes", "no")
    colour = generator.choice(["red", "green"], count)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "colour": colour, "label": label})


STUDY = """
name = "folded"
seeds = 2
[data]
source = "rows.csv"
label = "label"
standardize = true
impute = "median"
folds = 3
[protocol]
loss = "categorical_crossentropy"
epochs = 2
batch_size = 20
[arms.small]
layers = [{ Dense = { units = 2, activation = "softmax" } }]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folded")
    frame = rows()
    frame.loc[::7, "b"] = np.nan
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def results(place: Path, engine: Engine) -> Any:
    return pb.Study.load(place / "study.toml").run(backend=InProcess(engine), progress=False, store=place / "store")


def test_each_network_answers_the_examples_of_its_fold_as_it_did_in_training(results: Any) -> None:
    spec = results.outcome.document.data.spec()
    pooled = load_pooled(spec)
    stored = results.predictions()
    for fold in range(3):
        data = pooled.split(0, fold)
        # What a fold subtracts is its own, so that numbers of the table are what is asked about.
        raw = data.x_test.astype(np.float64) + (0 if data.offset is None else data.offset)
        asked = results.predict(raw, fold=fold)
        assert sorted(set(asked.seed)) == [fold, 3 + fold]
        assert set(asked.fold) == {fold}
        for seed, answers in asked.groupby("seed"):
            of_run = stored[stored.seed == seed]
            assert answers.prediction.tolist() == of_run.prediction.tolist()
            right = np.where(of_run.label == "yes", answers.p_yes, answers.p_no)
            assert np.array_equal(right.astype(np.float32), of_run.true_probability.to_numpy())


def test_all_folds_answer_by_default(results: Any) -> None:
    asked = results.predict(np.zeros((2, 5)))
    assert list(asked.columns[:5]) == ["arm", "seed", "repeat", "fold", "example"]
    assert asked.groupby("example").size().tolist() == [6, 6]


def test_a_network_is_named_by_its_seed_or_by_its_fold(results: Any) -> None:
    by_seed, by_both = results.model("small", 4), results.model("small", 4, repeat=0, fold=1)
    for ours, theirs in zip(by_seed.get_weights(), by_both.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    with pytest.raises(UsageError, match=r"2 networks here \(repeat-0-fold-1-seed-1, repeat-0-fold-1-seed-4\)"):
        results.model("small", fold=1)
    with pytest.raises(UsageError, match=r"6 networks here.*say which, such as model\('small', 0\)"):
        results.model("small")
    with pytest.raises(UnknownNameError, match="has fold 0 to 2"):
        results.model("small", fold=3)
    with pytest.raises(UsageError, match=r"none of these runs .* is stored"):
        results.model("small", 4, fold=2)


def test_the_best_network_is_that_of_one_fold_or_none(results: Any) -> None:
    with pytest.raises(UsageError, match="different training parts and measured on different examples"):
        results.best_model("small", by="test_accuracy")
    best = results.best_model("small", by="test_accuracy", fold=0)
    assert any(
        all(np.array_equal(a, b) for a, b in zip(best.get_weights(), other.get_weights(), strict=True))
        for other in (results.model("small", 0), results.model("small", 3))
    )


def test_the_command_line_asks_all_folds_or_one(
    results: Any,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("paribus.engine.environment.prepare", lambda: None)  # JAX runs in this process already
    monkeypatch.chdir(place)
    np.save("new.npy", np.zeros((1, 5)))
    words = ("predict", "new.npy", "--study", "study.toml", "--store", "store", "--json")
    said = call(capsys, monkeypatch, *words)
    assert said.code == 0, said.err
    (image,) = json.loads(said.out)["images"]
    assert [(one["seed"], one["repeat"], one["fold"]) for one in image["arms"][0]["seeds"]] == [
        (seed, 0, seed % 3) for seed in range(6)
    ]
    one = json.loads(call(capsys, monkeypatch, *words, "--fold", "2").out)
    assert [seed["fold"] for seed in one["images"][0]["arms"][0]["seeds"]] == [2, 2]
    refused = call(capsys, monkeypatch, *words, "--repeat", "1")
    assert refused.code == 2
    assert "has repeat 0 to 0" in refused.err


def test_exported_networks_bring_the_preparation_of_their_fold(results: Any, tmp_path: Path) -> None:
    files = results.export("keras", tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    names = [entry["file"] for entry in manifest["networks"]]
    assert names[:2] == ["small-repeat-0-fold-0-seed-0.keras", "small-repeat-0-fold-1-seed-1.keras"]
    assert {path.name for path in files} == {*names, "folds.npy", "prepare.py", "README.md", "manifest.json"}
    codes = np.load(tmp_path / "folds.npy")
    means = {tuple(entry["preparation"]["mean"]) for entry in manifest["networks"]}
    assert len(means) == 3, "each fold has a mean of its own"
    scope: dict[str, Any] = {"__file__": str(tmp_path / "prepare.py")}
    exec((tmp_path / "prepare.py").read_text(encoding="utf-8"), scope)  # noqa: S102 - it is what users run
    frame = rows()
    frame.loc[::7, "b"] = np.nan
    with pytest.raises(ValueError, match="each in its own way"):
        scope["prepare"](frame)
    for entry in manifest["networks"]:
        tested = frame[codes[entry["repeat"]] == entry["fold"]]
        right = scope["classes"](tested, entry) == tested.label
        assert float(np.mean(right)) == pytest.approx(entry["test_accuracy"], abs=1e-7)
    assert keras.saving.load_model(tmp_path / names[0]).count_params() == 12
