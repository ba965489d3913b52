"""``pb.ablate`` and ``paribus ablate``: a table of contributions, from a model, a file, a function or an arm."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import pytest

import own_layers
import paribus as pb
from in_process import InProcess
from paribus.api import ablate
from paribus.api.model_argument import read_model_argument
from paribus.backends.fake import FakeBackend
from paribus.cli.app import app
from paribus.engine.engine import Engine
from paribus.errors import DataError, ModelError, UnknownNameError, UsageError

Dense, Dropout = keras.layers.Dense, keras.layers.Dropout


def model() -> keras.Model:
    layers = [Dropout(0.8), Dense(24, "relu", kernel_regularizer="l2"), Dense(10, "softmax")]
    return keras.Sequential([keras.Input((64,)), *layers])


ACCURACY = {"no-dropout": 0.99, "one-block-fewer": 0.6}


class Ranking(InProcess):
    """Real canonical forms, made-up runs: the accuracy depends on the arm."""

    def run(self, jobs: Any) -> Any:
        described = [job for job in jobs if not hasattr(job, "seeds")]
        yield from super().run(described)
        yield from FakeBackend(lambda arm: ACCURACY.get(arm, 0.9)).run([j for j in jobs if j not in described])


@pytest.fixture(scope="module")
def found(engine: Engine) -> pb.Ablation:
    study = pb.Study({ablate.AS_IT_IS: model()}, "digits", seeds=4, epochs=1)
    return ablate.ablate_arm(study, ablate.AS_IT_IS, backend=Ranking(engine), progress=False)


def test_contributions_come_largest_first(found: pb.Ablation) -> None:
    order = [part.arm for part in found.parts]
    assert order[0] == "one-block-fewer"
    assert order[-1] == "no-dropout"
    assert set(order) == {
        *("no-dropout", "no-l2", "tanh-for-relu", "one-block-fewer", "half-width", "double-width", "sgd-for-adam"),
    }
    differences = [found.contrast("as-it-is", part.arm).difference for part in found.parts]
    assert differences == sorted(differences, reverse=True)
    assert found.contrast("as-it-is", "one-block-fewer").verdict == "better"
    assert found.contrast("as-it-is", "no-dropout").verdict == "worse"
    assert len(found.contrasts) == len(found.parts)


def test_the_table_says_what_was_changed(found: pb.Ablation) -> None:
    text, html = repr(found), found._repr_html_()
    for shown in (text, html):
        assert "without 1 Dropout layer" in shown
        assert "What does each part of the model contribute?" in shown
        assert "The model as it is: test accuracy" in shown
        assert "simultaneous 95 % CI, 7 contrasts" in shown
    assert text.index("one block more") < text.index("dropout")
    assert max(map(len, text.splitlines())) <= 110
    assert html.startswith('<div class="paribus">')


def test_the_json_is_that_of_a_study_and_the_parts(found: pb.Ablation) -> None:
    said = json.loads(json.dumps(found.to_json()))
    assert [entry["arm"] for entry in said["ablation"]] == [part.arm for part in found.parts]
    first = said["ablation"][0]
    assert (first["part"], first["verdict"], first["difference"] > 0.2) == ("one block more", "better", True)
    assert (said["base"], said["left_out"]) == ("as-it-is", [])
    assert {arm["name"] for arm in said["arms"]} == {"as-it-is", *(part.arm for part in found.parts)}
    assert len(found.to_pandas()) == 8 * 4


def test_only_the_parts_that_are_asked_for(engine: Engine) -> None:
    study = pb.Study({"as-it-is": model()}, "digits", seeds=2)
    some = ablate.ablate_arm(study, "as-it-is", parts=["no-l2"], backend=Ranking(engine), progress=False)
    assert list(some.arms) == ["as-it-is", "no-l2"]
    assert "[95 % CI], on new data, 2 seeds" in " ".join(repr(some).split())
    with pytest.raises(UnknownNameError, match=r"no part 'no-noise' in this model: .*there are no-dropout"):
        ablate.ablate_arm(study, "as-it-is", parts=["no-noise"], backend=Ranking(engine), progress=False)


def test_what_cannot_be_built_is_left_out_with_its_reason(engine: Engine) -> None:
    x = keras.Input((64,))
    y = keras.layers.Add()([x, Dense(64, "relu")(x)])
    narrow = keras.Model(x, Dense(10, "softmax")(y))
    study = pb.Study({"as-it-is": narrow}, "digits", seeds=2)
    found = ablate.ablate_arm(study, "as-it-is", backend=Ranking(engine), progress=False)
    reasons = {part.arm: part.reason for part in found.ablated.left_out}
    assert set(reasons) == {"half-width", "double-width"}
    assert "64" in str(reasons["half-width"])
    assert "Not tried: half the units: 64 to 32 (" in repr(found)
    assert "one-block-fewer" in found.arms


def test_an_own_class_has_only_its_optimizer_exchanged(engine: Engine) -> None:
    study = pb.Study({"as-it-is": own_layers.Network(4)}, {"source": "digits", "flatten": True}, seeds=2)
    found = ablate.ablate_arm(study, "as-it-is", backend=Ranking(engine), progress=False)
    assert list(found.arms) == ["as-it-is", "sgd-for-adam"]


def test_the_notebooks_fifth_network_is_found_in_its_fourth(engine: Engine) -> None:
    """Without its dropout, ``big-dropout`` is ``big``: the same canonical form, so that stored runs are shared."""
    study, arm = read_model_argument("mnist-mlps/big-dropout")
    assert arm == "big-dropout"
    backend = Ranking(engine)
    found = ablate.ablate_arm(study, arm, parts=["no-dropout"], seeds=2, backend=backend, progress=False)
    fifth = pb.Study.load("mnist-mlps").run(2, arms=["big"], backend=Ranking(engine), progress=False)
    assert found.arms["no-dropout"].recipe == fifth.arms["big"].recipe
    ours, theirs = (r.arms[name].runs for r, name in ((found, "no-dropout"), (fifth, "big")))
    assert [run.fingerprint for run in ours] == [run.fingerprint for run in theirs]
    assert found.outcome.document.name == "ablate-mnist-mlps-big-dropout"
    assert found.outcome.document.protocol == fifth.outcome.document.protocol


def test_a_model_that_is_hurt_by_its_dropout_is_told_so(engine: Engine) -> None:
    study = pb.Study({ablate.AS_IT_IS: model()}, "digits", seeds=3, epochs=6)
    found = ablate.ablate_arm(study, ablate.AS_IT_IS, parts=["no-dropout"], backend=InProcess(engine), progress=False)
    assert found.contrast("as-it-is", "no-dropout").verdict == "worse"
    assert found.contrast("no-dropout", "as-it-is").verdict == "better"


def test_a_model_file_is_taken_with_its_optimizer_and_loss(tmp_path: Path) -> None:
    made = model()
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    made.compile(
        keras.optimizers.SGD(schedule, momentum=0.5), keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    )
    made.save(tmp_path / "my net.keras")
    study, arm = read_model_argument(str(tmp_path / "my net.keras"), "digits")
    document = study.document
    assert (document.name, arm) == ("ablate-my-net", "as-it-is")
    assert (document.data.flatten, document.data.scale) == (True, 16.0)
    ((_, loss),) = document.protocol.loss.items()
    assert loss["label_smoothing"] == 0.1
    arguments = document.arms[arm].optimizer["SGD"]
    assert arguments["momentum"] == 0.5
    assert arguments["learning_rate"]["ExponentialDecay"]["decay_steps"] == 100


def test_a_saved_model_trains_like_the_model_in_memory(engine: Engine, tmp_path: Path) -> None:
    made = model()
    made.compile("rmsprop", "categorical_crossentropy")
    made.save(tmp_path / "m.keras")
    study, arm = read_model_argument(str(tmp_path / "m.keras"), "digits")
    from_file = study.run(1, epochs=1, backend=InProcess(engine), progress=False)
    in_memory = pb.Study({"m": made}, "digits").run(1, epochs=1, backend=InProcess(engine), progress=False)
    assert from_file.arms[arm].runs[0].weights_digest == in_memory.arms["m"].runs[0].weights_digest
    assert from_file.arms[arm].runs[0].fingerprint == in_memory.arms["m"].runs[0].fingerprint


PLANTED = """
import pathlib
pathlib.Path({marker!r}).write_text("ran")
"""


def test_a_model_file_runs_no_code(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Python in a Lambda, nor a module that lies ready to be imported."""
    marker = tmp_path / "ran"
    (tmp_path / "planted.py").write_text(PLANTED.format(marker=str(marker)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    layer = {"class_name": "Evil", "module": "planted", "registered_name": "planted>Evil", "config": {}}
    code = {
        "class_name": "Lambda",
        "module": "keras.layers",
        "config": {"function": {"class_name": "__lambda__", "config": {}}},
    }
    for evil in (layer, code):
        config: dict[str, Any] = json.loads(json.dumps(keras.saving.serialize_keras_object(model())))
        config["config"]["layers"].insert(1, evil)
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(config))
        study, arm = read_model_argument("m.keras", "digits")
        with pytest.raises(ModelError, match=r"Evil|Lambda"):
            ablate.ablate_arm(study, arm, backend=InProcess(engine), progress=False)
    assert not marker.exists()
    assert "planted" not in sys.modules


NETS = """
import keras
def net():
    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
ready = net()
"""


def test_a_function_of_a_module_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "nets_of_mine.py").write_text(NETS)
    for name in ("net", "ready"):
        study, arm = read_model_argument(f"{tmp_path / 'nets_of_mine.py'}:{name}", "digits")
        assert (study.document.name, arm) == (f"ablate-{name}", "as-it-is")


@pytest.mark.parametrize(
    ("source", "data", "error", "said"),
    [
        ("digits", None, UsageError, "a .keras file, module:function, or study/arm is expected"),
        ("digits/big", None, UnknownNameError, "no arm 'big' in study 'digits': there are small, large"),
        ("digit/small", None, UnknownNameError, "did you mean 'digits'"),
        ("net.keras", None, UsageError, "a model alone has no training data; give --data"),
        ("net.keras", "digits", UsageError, "there is no such file"),
        ("json:loads", None, UsageError, "give --data"),
        ("json:codec", "digits", UsageError, "json has no 'codec'"),
        ("json:decoder", "digits", UsageError, "is expected, this is module"),
    ],
)
def test_what_is_no_model_is_told(source: str, data: str | None, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read_model_argument(source, data)


def test_broken_compile_records_are_told(tmp_path: Path) -> None:
    config: dict[str, Any] = json.loads(json.dumps(keras.saving.serialize_keras_object(model())))
    config["compile_config"] = {"optimizer": {"class_name": 3}, "loss": "mse"}
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    with pytest.raises(UsageError, match=r"optimizer: .* is not a serialized object of Keras"):
        read_model_argument(str(tmp_path / "m.keras"), "digits")
    with pytest.raises(DataError):
        read_model_argument(str(tmp_path / "m.keras"), str(tmp_path))


@pytest.mark.slow
def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["ablate", "digits/large-dropout", "--part", "no-dropout", "--seeds", "2", "--epochs", "1", "--json"]
    monkeypatch.setattr(sys, "argv", ["paribus", *command])
    app([*command, "--workers", "1", "--store", str(tmp_path / "runs")], standalone_mode=False)
    said = json.loads(capfd.readouterr().out)
    assert [(entry["arm"], entry["part"]) for entry in said["ablation"]] == [("no-dropout", "dropout")]
    assert said["base"] == "large-dropout"
    command = ["ablate", "digits/large-dropout", "--part", "no-dropout", "--seeds", "2", "--epochs", "1"]
    app([*command, "--store", str(tmp_path / "runs")], standalone_mode=False)
    shown = capfd.readouterr()
    assert "without 1 Dropout layer" in shown.out
    assert "0 to do" in shown.err


def shared_inside() -> keras.Model:
    dense, inputs = Dense(8), keras.Input((8, 8))
    x = keras.layers.TimeDistributed(dense)(keras.layers.TimeDistributed(dense)(inputs))
    return keras.Model(inputs, Dense(10, "softmax")(keras.layers.Flatten()(x)))


def frozen_inside() -> keras.Model:
    base = keras.Sequential([keras.Input((64,)), Dense(8), keras.layers.BatchNormalization()], name="base")
    base.trainable = False
    return keras.Sequential([keras.Input((64,)), base, Dense(10, "softmax")])


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (shared_inside, r"layer 'dense.*' is shared by several layers"),
        (frozen_inside, r"layer 'dense.*' is frozen, and"),
    ],
)
def test_a_file_that_is_another_network_without_its_weights_is_refused(build: Any, said: str, tmp_path: Path) -> None:
    build().save(tmp_path / "m.keras")
    with pytest.raises(ModelError, match=said):
        read_model_argument(str(tmp_path / "m.keras"), "digits")


def test_a_file_with_a_layer_around_another_is_taken_apart(tmp_path: Path, engine: Engine) -> None:
    inputs = keras.Input((8, 8))
    x = keras.layers.TimeDistributed(Dense(6, "relu"))(inputs)
    made = keras.Model(inputs, Dense(10, "softmax")(keras.layers.Flatten()(x)))
    made.save(tmp_path / "m.keras")
    study, arm = read_model_argument(str(tmp_path / "m.keras"), "digits")
    outcome = ablate.ablate_arm(study, arm, parts=["half-width"], seeds=2, backend=Ranking(engine), progress=False)
    assert outcome.arms[arm].recipe.parameters == made.count_params()
