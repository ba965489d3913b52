"""``paribus export --to keras``: plain Keras files that answer on another backend as the table says."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import own_layers
import paribus as pb
from export_examples import STUDIES
from in_process import InProcess
from paribus.data import load
from paribus.engine.engine import Engine
from paribus.engine.inference import keras_model, set_weights
from paribus.errors import ModelError, ParibusError, StoreError, UnknownNameError, UsageError
from paribus.export.files import write_whole
from paribus.export.keras_files import export_networks
from paribus.records import Status
from paribus.results.selection import RunSelection, select_runs
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore
from processes import unmeasured

ROOT = Path(__file__).parents[2]
SCORE = ROOT / "examples" / "score_exported.py"
IN_A_FRESH_PROCESS = """
import runpy, sys
script, *folders = sys.argv[1:]
for folder in folders:
    sys.argv = [script, folder, "--test", folder + ".npz"]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as left:
        assert left.code == 0, left.code
assert not any(name.startswith("paribus") for name in sys.modules)
"""


@pytest.fixture
def opened(trained_studies: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(trained_studies, "read") as found:
        yield found


@pytest.fixture(scope="module")
def exported(trained_studies: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every study's folder, with its test split beside."""
    place, folders = tmp_path_factory.mktemp("networks"), {}
    with SqliteStore.open(trained_studies, "read") as found:
        for name in STUDIES:
            results = open_results(name, found)
            folders[name] = place / name
            export_networks(select_runs(results), folders[name])
            data = load(results.document.data.spec())
            np.savez(f"{folders[name]}.npz", x_test=data.x_test, y_test=data.y_test)
    return folders


def chosen(store: SqliteStore, study: str = "digits", *arms: str) -> RunSelection:
    return select_runs(open_results(study, store), arms)


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_plain_keras_on_another_backend_scores_what_the_table_says(exported: dict[str, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, str(SCORE), *map(str, exported.values())]
    environment = unmeasured() | {"KERAS_BACKEND": "numpy", "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Keras 3.15.1 on numpy") == done.stdout.count("the same accuracies") == len(STUDIES)
    assert done.stdout.count(".keras: ") == 6 + 4 + 1


def test_the_accuracies_of_the_manifest_are_those_of_the_table(exported: dict[str, Path], opened: SqliteStore) -> None:
    for name, folder in exported.items():
        arms = open_results(name, opened).outcome().arms
        table = {
            (arm.name, run.seeds.seed): run.scores.test_accuracy for arm in arms for run in arm.scored if run.scores
        }
        assert {(e["arm"], e["seed"]): e["test_accuracy"] for e in manifest(folder)["networks"]} == table


def test_the_score_script_notices_other_weights(
    exported: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    said = manifest(exported["digits"])
    said["networks"] = said["networks"][:1]
    # The second seed's network under the first one's name.
    (folder / "small-seed-0.keras").write_bytes((exported["digits"] / "large-seed-1.keras").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(said))
    monkeypatch.setattr(sys, "argv", [str(SCORE), str(folder), "--test", f"{exported['digits']}.npz"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(SCORE), run_name="__main__")
    said_of_it = capsys.readouterr().out
    assert left.value.code == 1, said_of_it
    assert "examples differ" in said_of_it


def test_nothing_of_ours_is_in_a_file(exported: dict[str, Path]) -> None:
    for folder in exported.values():
        for path in folder.glob("*.keras"):
            with zipfile.ZipFile(path) as archive:
                config = archive.read("config.json").decode()
            assert "paribus" not in config
    with zipfile.ZipFile(exported["digits"] / "large-dropout-seed-0.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    assert [(each["module"], each["class_name"]) for each in layers][2] == ("keras.layers", "Dropout")


def test_the_code_of_the_manifest_gives_the_stored_answers(
    exported: dict[str, Path], opened: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, folder in exported.items():
        monkeypatch.chdir(folder)
        said = manifest(folder)
        code: dict[str, Any] = {}
        exec(said["code"], code)  # noqa: S102 - it is what a user pastes
        assert said["code"].rstrip() in (folder / "README.md").read_text(encoding="utf-8")
        x_test = load(open_results(name, opened).document.data.spec()).x_test
        network = said["networks"][-1]
        stored = opened.predictions(network["fingerprint"])
        assert np.array_equal(code["classes"](x_test, network), stored.predicted)


def test_training_may_go_on(exported: dict[str, Path]) -> None:
    model = keras.saving.load_model(exported["logits"] / "dense-seed-0.keras")
    rate = model.optimizer.get_config()["learning_rate"]
    assert rate["class_name"] == "CosineDecay"
    x, y = (
        np.load(f"{exported['logits']}.npz")["x_test"].astype("float32"),
        np.load(f"{exported['logits']}.npz")["y_test"],
    )
    said = manifest(exported["logits"])
    prepared = (x - np.float32(said["preparation"]["mean"])) / np.float32(said["preparation"]["deviation"])
    accuracy = model.evaluate(prepared, y, verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx(said["networks"][0]["test_accuracy"], abs=1e-6)
    before = model.evaluate(prepared, y, verbose=0, return_dict=True)["loss"]
    model.fit(prepared, y, epochs=3, batch_size=50, verbose=0)
    assert model.evaluate(prepared, y, verbose=0, return_dict=True)["loss"] < before


def test_binary_accuracy_is_counted_on_logits(exported: dict[str, Path]) -> None:
    model = keras.saving.load_model(exported["binary"] / "one-seed-0.keras")
    x, y = (np.load(f"{exported['binary']}.npz")[name] for name in ("x_test", "y_test"))
    how = manifest(exported["binary"])["preparation"]
    prepared = (x - np.float32(how["mean"])) / np.float32(how["deviation"])
    accuracy = model.evaluate(prepared, y[:, None].astype("float32"), verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx(manifest(exported["binary"])["networks"][0]["test_accuracy"], abs=1e-6)


def test_networks_of_own_classes(engine: Engine, tmp_path: Path) -> None:
    models = {
        "network": own_layers.Network(6),
        "scaled": keras.Sequential([keras.Input((64,)), own_layers.Scaled(8), keras.layers.Dense(10, "softmax")]),
    }
    study = pb.Study(models, "digits", seeds=1, epochs=1, name="own")
    study.run(store=tmp_path / "runs", backend=InProcess(engine), progress=False)
    with SqliteStore.open(tmp_path / "runs", "read") as opened:
        found = chosen(opened, "own")
        export_networks(found, tmp_path / "out")
        x = load(found.results.document.data.spec()).x_test.astype("float32") / 16
        for each in found.runs:
            answers = keras.saving.load_model(tmp_path / "out" / f"{each.name}.keras").predict(x, verbose=0).argmax(-1)
            assert np.array_equal(answers, opened.predictions(each.run.fingerprint).predicted)
    said = manifest(tmp_path / "out")["networks"]
    assert [each["own_classes"] for each in said] == [{f"tests>{c}": "own_layers"} for c in ("Network", "Scaled")]
    assert "Import `own_layers` first" in (tmp_path / "out" / "README.md").read_text()


def test_a_class_that_nobody_registered_is_named(opened: SqliteStore) -> None:
    arm = chosen(opened).runs[0].arm
    foreign = replace(arm.recipe, model=arm.recipe.model.replace('"class_name":"Dense"', '"class_name":"Mine"'))
    training = open_results("digits", opened).document.protocol.training()
    with pytest.raises(ModelError, match=r"arm 'small'.*(?s:.*)Mine.*name the study as module:object"):
        keras_model(foreign, training, "small")


def test_weights_of_another_network_are_refused(opened: SqliteStore) -> None:
    small, large = (chosen(opened, "digits", name).runs[0] for name in ("small", "large"))
    model = keras_model(small.arm.recipe, open_results("digits", opened).document.protocol.training(), "small")
    with pytest.raises(StoreError, match=r"dense/bias is \(64,\), the network has \(16,\)"):
        set_weights(model, opened.weights(large.run.fingerprint))


def test_arms_and_seeds_are_picked(opened: SqliteStore) -> None:
    results = open_results("digits", opened)
    assert [each.name for each in select_runs(results, ["large", "small"], [1]).runs] == [
        "small-seed-1",
        "large-seed-1",
    ]
    with pytest.raises(UnknownNameError, match="no stored arm 'smal'"):
        select_runs(results, ["smal"])
    with pytest.raises(UnknownNameError, match="arm 'small' has no seed 7; it has 0, 1"):
        select_runs(results, ["small"], [7])


def test_nothing_is_replaced_unasked(opened: SqliteStore, tmp_path: Path) -> None:
    found, folder = chosen(opened, "digits", "small"), tmp_path / "out"
    written = export_networks(found, folder)
    assert [path.name for path in written[-3:]] == ["small-seed-1.keras", "README.md", "manifest.json"]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UsageError, match=r"small-seed-0\.keras and 3 more are there already.*--force"):
        export_networks(found, folder)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}
    (folder / "notes.txt").write_text("mine")
    export_networks(found, folder, replace=True)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*(path.name for path in before), "notes.txt"])


def test_places_that_cannot_be_written_to(opened: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(UsageError, match="this is a file; name a folder"):
        export_networks(chosen(opened), tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be made: Not a directory"):
        export_networks(chosen(opened), tmp_path / "file" / "networks")


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "network.keras"
    path.write_text("before")

    def fail() -> None:
        with write_whole(path) as draft:
            draft.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(ParibusError, match=r"network\.keras: the file cannot be written: No space left"):
        fail()
    assert [each.name for each in tmp_path.iterdir()] == ["network.keras"]
    assert path.read_text() == "before"


def test_runs_that_did_not_finish_are_named_not_exported(opened: SqliteStore, tmp_path: Path) -> None:
    found = chosen(opened, "digits", "small")
    first, second = found.runs
    diverged = replace(second, run=replace(second.run, status=Status.DIVERGED, reason="the loss was nan after epoch 1"))
    export_networks(replace(found, runs=(first, diverged), missing=(("small", 2),)), tmp_path / "out")
    said = manifest(tmp_path / "out")
    assert [each["file"] for each in said["networks"]] == ["small-seed-0.keras"]
    whys = ["diverged: the loss was nan after epoch 1", "it is not stored"]
    assert [each["why"] for each in said["left_out"]] == whys
    assert all(why in (tmp_path / "out" / "README.md").read_text() for why in whys)
    with pytest.raises(UsageError, match="none of these 1 runs of study 'digits' finished"):
        export_networks(replace(found, runs=(diverged,)), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_command(trained_studies: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paribus", "export", "digits", "--to", "keras", "--arm", "small", "--seed", "1"]
    command += ["--store", str(trained_studies), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    files = [f"digits-keras/{name}" for name in ("small-seed-1.keras", "README.md", "manifest.json")]
    assert json.loads(done.stdout) == {"study": "digits", "to": "keras", "files": files}
    assert all((tmp_path / name).is_file() for name in files)
