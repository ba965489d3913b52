"""A network of a table comes with what a stranger needs: scored here in a process without paribus."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import paribus as pb
from in_process import InProcess
from paribus.data import load
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.errors import DataError
from paribus.export.keras_files import export_networks
from paribus.records import RunResult
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.runner.run import run_study
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import parse_study

STUDY = """
name = "table"
seeds = 1
[data]
source = "{folder}/train.{suffix}"
test = "{folder}/test.{suffix}"
label = "outcome"
categorical = ["zip"]
drop = ["id"]
impute = {{ strategy = "median", indicator = true }}
standardize = {standardize}
[protocol]
epochs = 8
batch_size = 20
[arms.small]
optimizer = {{ Adam = {{ learning_rate = 0.02 }} }}
layers = [{{ Dense = {{ units = 8, activation = "relu" }} }}, {{ Dense = {{ units = 3, activation = "softmax" }} }}]
"""
STRANGER = """
import sys
sys.modules["paribus"] = None  # importing it is an error
import numpy as np, pandas as pd
for folder, table in zip(sys.argv[1::2], sys.argv[2::2]):
    sys.modules.pop("prepare", None)
    sys.path.insert(0, folder)
    from prepare import classes, networks, prepare
    read = pd.read_parquet if table.endswith(".parquet") else pd.read_csv
    frame = read(table)
    np.save(folder + "/prepared.npy", prepare(frame))
    answers = classes(frame.drop(columns="outcome")[frame.columns.drop("outcome")[::-1]], networks[0])
    print((answers == frame["outcome"].astype(str)).mean())
    try:
        prepare(frame.drop(columns="city"))
    except ValueError as error:
        print(error)
"""
VARIANTS = {"csv": ("csv", True), "parquet": ("parquet", True), "not standardized": ("csv", False)}


def frame(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    kind = generator.integers(0, 3, rows)
    return pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(rows)],
            "when": 1_700_000_000 + kind * 50.0 + generator.normal(0, 20, rows),
            "age": np.where(generator.random(rows) < 0.2, np.nan, kind + generator.normal(0, 0.4, rows)),
            "zip": generator.choice([10115, 20095, 80331], rows),
            "city": np.where(generator.random(rows) < 0.2, None, np.array(["Rome", "Oslo", "Bonn"])[kind]),
            "flag": generator.random(rows) < 0.5,
            "outcome": kind + 1,
        }
    )


@dataclass(frozen=True)
class Exported:
    """A study of a table, with its folder, in which ``out`` has the exported network."""

    folder: Path
    document: StudyDocument
    run: RunResult


@pytest.fixture(scope="module")
def exported(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    variants = {}
    for name, (suffix, standardize) in VARIANTS.items():
        folder = tmp_path_factory.mktemp("table")
        for part, rows, seed in (("train", 300, 0), ("test", 200, 1)):
            path = folder / f"{part}.{suffix}"
            frame(rows, seed).to_csv(path, index=False) if suffix == "csv" else frame(rows, seed).to_parquet(path)
        text = STUDY.format(folder=folder, suffix=suffix, standardize=str(standardize).lower())
        document = parse_study(text, "study.toml")
        with SqliteStore.open(folder / "runs", "write") as store:
            (run,) = run_study(document, store, InProcess(engine), Silent()).arms[0].runs
            files = export_networks(select_runs(open_results("table", store)), folder / "out")
        assert [file.name for file in files][-3:] == ["prepare.py", "README.md", "manifest.json"]
        variants[name] = Exported(folder, document, run)
    return variants


@pytest.fixture(scope="module")
def said(exported: dict[str, Exported]) -> dict[str, list[str]]:
    """What a process without paribus says of each, two lines."""
    places = [
        str(exported[name].folder / file)
        for name, (suffix, _) in VARIANTS.items()
        for file in ("out", f"test.{suffix}")
    ]
    done = subprocess.run([sys.executable, "-c", STRANGER, *places], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(VARIANTS)
    return {name: lines[2 * index : 2 * index + 2] for index, name in enumerate(VARIANTS)}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_stranger_scores_what_the_table_says(
    name: str, exported: dict[str, Exported], said: dict[str, list[str]]
) -> None:
    study, out, standardize = exported[name], exported[name].folder / "out", VARIANTS[name][1]
    assert study.run.scores is not None
    assert float(said[name][0]) == pytest.approx(study.run.scores.test_accuracy, abs=1e-9)
    if standardize:
        assert study.run.scores.test_accuracy > 0.7
    assert said[name][1] == "the table lacks the columns 'city'"
    data = load(study.document.data.spec())
    x = np.asarray(data.x_test)
    if standardize:
        standard = pb.data.standardization(data.x_train)
        x = (x - standard.mean) / standard.deviation
    np.testing.assert_allclose(np.load(out / "prepared.npy"), x, atol=1e-6)
    manifest = json.loads((out / "manifest.json").read_text())
    assert [column["name"] for column in manifest["preparation"]["columns"]] == ["when", "age", "zip", "city", "flag"]
    assert "| `zip` | a 0/1 feature for each of 10115, 20095, 80331" in (out / "README.md").read_text()


def test_what_comes_from_frames_has_their_columns(engine: Engine, tmp_path: Path) -> None:
    import keras

    x = frame(100, 0)[["when", "zip"]].astype(float)
    labels = frame(100, 0)["outcome"]
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    study = pb.Study({"one": network}, (x, labels, x, labels), name="frames", seeds=1, epochs=1, standardize=True)
    study.run(store=tmp_path / "runs", backend=InProcess(engine), progress=False)
    with SqliteStore.open(tmp_path / "runs", "read") as store:
        export_networks(select_runs(open_results("frames", store)), tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [column["name"] for column in manifest["preparation"]["columns"]] == ["when", "zip"]
    assert manifest["preparation"]["offset"] is not None
    assert manifest["data"]["class_names"] == ["1", "2", "3"]


@pytest.mark.parametrize("name", VARIANTS)
def test_data_that_changed_since_is_refused(name: str, exported: dict[str, Exported], tmp_path: Path) -> None:
    """Means, words and medians of other examples would prepare inputs as no network was trained on."""
    study = exported[name]
    table = study.folder / f"train.{VARIANTS[name][0]}"
    content = table.read_bytes()
    other = frame(300, 7)
    other.to_csv(table, index=False) if table.suffix == ".csv" else other.to_parquet(table)
    try:
        with (
            SqliteStore.open(study.folder / "runs", "read") as store,
            pytest.raises(DataError, match="put the file back"),
        ):
            export_networks(select_runs(open_results("table", store)), tmp_path / "out")
    finally:
        table.write_bytes(content)
    assert not (tmp_path / "out").exists()
