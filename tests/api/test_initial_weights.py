"""Arms that start from weights train as Keras's ``fit`` does from the same weights, whatever the seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import paribus as pb
import quick_keras  # noqa: F401
from in_process import InProcess, train_study
from paribus.api.ablate import ablate_arm
from paribus.data import load
from paribus.engine.engine import Engine
from paribus.engine.initial_weights import read_initial_weights
from paribus.errors import ModelError, StudyError, UsageError
from paribus.outcome.outcome import ArmOutcome
from paribus.records import RunResult
from paribus.report.methods import describe_methods
from paribus.report.toml import to_toml
from paribus.results.stored_study import open_results
from paribus.seeds import epoch_order
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.identity import is_same_study
from paribus.study.load import load_study, parse_study

L = keras.layers
OPTIONS: dict[str, Any] = {"seeds": 2, "epochs": 2}
BATCH = 100


def set_random_weights(model: keras.Model, seed: int = 1) -> None:
    generator = np.random.default_rng(seed)
    model.set_weights([generator.uniform(0.05, 0.3, weight.shape) for weight in model.get_weights()])


def pretrained(*, nested: bool = True, frozen: bool = True) -> keras.Model:
    """A body with batch normalization, frozen or not, and a head."""
    keras.utils.clear_session(free_memory=False)
    inputs = keras.Input((64,))
    layers = [L.Dense(12, "tanh"), L.BatchNormalization()]
    if nested:
        x = inputs
        for layer in layers:
            x = layer(x)
        layers = [keras.Model(inputs, x)]
    model = keras.Sequential([keras.Input((64,)), *layers, L.Dropout(0.0), L.Dense(10, "softmax")])
    set_random_weights(model)
    if frozen:
        for layer in layers:
            layer.trainable = False
    return model


def started(model: keras.Model, **options: Any) -> pb.Study:
    return pb.Study({"a": model}, "digits", initial_weights=["a"], **{**OPTIONS, **options})


def run(study: pb.Study, engine: Engine, **options: Any) -> ArmOutcome:
    return study.run(backend=InProcess(engine), progress=False, **options).arms["a"]


def weights_of(result: RunResult, model: keras.Model) -> list[Any]:
    """A run's weights in the order of a model, paired by what their paths end with and their shape."""
    assert result.weights is not None
    names = [tuple(path.rsplit("/", 2)[-2:]) for path in result.weights]
    assert len(set(names)) == len(names)
    by_name = dict(zip(names, result.weights.values(), strict=True))
    return [by_name[tuple(variable.path.rsplit("/", 2)[-2:])] for variable in model.weights]


def fit_in_the_order_of_the_engine(model: Any, study: pb.Study, result: RunResult) -> None:
    data = load(study.document.data.spec())
    x = np.asarray(data.x_train, np.float32) / study.document.data.scale
    y = keras.utils.to_categorical(data.y_train, 10)
    for epoch in range(study.document.protocol.epochs):
        order = epoch_order(result.seeds, epoch, len(x))
        model.fit(x[order], y[order], batch_size=BATCH, shuffle=False, verbose=0)


@pytest.mark.parametrize("frozen", [True, False])
def test_it_trains_as_keras_does_from_the_same_weights(frozen: bool, engine: Engine) -> None:
    """Frozen batch normalization is in inference mode; frozen weights keep every bit."""
    model = pretrained(frozen=frozen)
    before = model.get_weights()
    study = started(model, optimizer=keras.optimizers.SGD(0.05, momentum=0.9))
    for result in train_study(study.document, engine):
        twin = pretrained(frozen=frozen)
        twin.compile(keras.optimizers.SGD(0.05, momentum=0.9), "categorical_crossentropy")
        fit_in_the_order_of_the_engine(twin, study, result)
        trained = [variable.path for variable in twin.trainable_variables]
        assert len(trained) == (2 if frozen else 6)
        for own, other, variable, start in zip(
            weights_of(result, twin), twin.get_weights(), twin.weights, before, strict=True
        ):
            np.testing.assert_allclose(own, other, rtol=1e-3, atol=1e-4, err_msg=variable.path)
            if frozen and variable.path not in trained:
                np.testing.assert_array_equal(own, start)
            else:
                assert not np.array_equal(own, start)


def test_every_seed_starts_from_the_same_weights() -> None:
    """With a learning rate of 0 nothing else is left of a run; weights in the caller's hands are not written to."""
    model = pretrained(frozen=False, nested=False)
    model.layers[1].trainable = False  # its statistics move without a rate
    before = model.get_weights()
    study = started(model, optimizer=keras.optimizers.SGD(0.0), seeds=3)
    for lanes in (1, 2):
        results = train_study(study.document, Engine(lanes), lanes)
        assert len({result.weights_digest for result in results}) == 1
        for own, start in zip(weights_of(results[2], model), before, strict=True):
            np.testing.assert_array_equal(own, start)
    for weight, start in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, start)


def test_runs_do_not_write_to_the_weights_they_start_from(engine: Engine) -> None:
    study = started(pretrained())
    first = [result.weights_digest for result in run(study, engine).runs]
    again = [result.weights_digest for result in run(study, engine).runs]
    assert first == again
    assert first[0] != first[1]


def test_weights_are_those_of_the_moment() -> None:
    model = pretrained()
    study = started(model)
    set_random_weights(model, 9)
    other = started(model)
    weights, others = (each.document.arms["a"].initial_weights for each in (study, other))
    assert weights is not None
    assert others is not None
    assert weights.sha256 != others.sha256
    assert not is_same_study(study.document, other.document)


def test_equal_weights_are_one_study_and_one_run(engine: Engine, tmp_path: Path) -> None:
    """Neither names that Keras made up, nor an optimizer's state, nor the folder make it another."""
    first, model = started(pretrained()), pretrained()
    L.Dense(3)  # counts on
    model.compile("adam", "categorical_crossentropy")
    model.optimizer.iterations.assign(3)
    second = started(model)
    assert is_same_study(first.document, second.document)
    assert first.document.arms["a"].initial_weights != second.document.arms["a"].initial_weights
    fingerprints = [[result.fingerprint for result in run(study, engine).runs] for study in (first, second)]
    assert fingerprints[0] == fingerprints[1]


def test_other_weights_are_other_runs(engine: Engine) -> None:
    model = pretrained()
    names = set()
    for seed in (1, 2):
        set_random_weights(model, seed)
        names |= {result.fingerprint for result in run(started(model), engine).runs}
    fresh = keras.models.clone_model(model)
    for layer in fresh._flatten_layers():
        layer.trainable = True
    names |= {result.fingerprint for result in run(pb.Study({"a": fresh}, "digits", **OPTIONS), engine).runs}
    assert len(names) == 6


def test_it_is_stored_resumed_and_answered_without_the_session(engine: Engine, tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = run(started(pretrained()), engine, store=store)
    more = run(started(pretrained(), seeds=3), engine, store=store)
    assert [r.fingerprint for r in more.runs[:2]] == [r.fingerprint for r in first.runs]
    with SqliteStore.open(store, mode="read") as opened:
        results = open_results("a", opened)
        document = results.document
        weights = document.arms["a"].initial_weights
        assert weights is not None
        assert Path(weights.file).parent == store / "data"
        (arm,) = results.request.arms.arms
        assert arm == "a"
    again = parse_study(to_toml(document), "again.toml")
    assert again == document
    (store / "data" / Path(weights.file).name).write_bytes(b"changed")
    fresh = run(started(pretrained(), seeds=4), engine, store=store)
    assert len(fresh.runs) == 4


def test_an_answer_says_what_its_seeds_vary(engine: Engine) -> None:
    models = {"a": pretrained(), "b": keras.Sequential([keras.Input((64,)), L.Dense(10, "softmax")])}
    study = pb.Study(models, "digits", initial_weights=["a"], **OPTIONS)
    results = study.run(backend=InProcess(engine), progress=False)
    (note,) = [note for note in results.outcome.notes if "starts from weights" in note]
    assert note.startswith("a (digest ")
    assert "the same for every seed, so that its seeds vary the order of the batches and dropout alone" in note
    assert "Every run of a started from the same pretrained weights" in describe_methods(results.outcome).paragraphs[0]


def all_frozen() -> keras.Model:
    model = pretrained()
    model.trainable = False
    return model


REFUSED: dict[str, tuple[Callable[[], Any], Any, type[Exception], str]] = {
    "name": (pretrained, ["b"], UsageError, "no arm 'b' in initial_weights"),
    "text": (pretrained, "a", UsageError, "a list of names of arms is expected"),
    "unbuilt": (lambda: keras.Sequential([L.Dense(10)]), ["a"], UsageError, "arm 'a' has no weights to start from"),
    "frozen": (all_frozen, ["a"], ModelError, "all of its weights are frozen, so that nothing would be trained"),
    "without": (pretrained, [], ModelError, "is frozen, and each seed draws new weights: .* Say initial_weights="),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name: str) -> None:
    build, names, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        pb.Study({"a": build()}, "digits", initial_weights=names)


def test_a_frozen_flag_that_the_config_loses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras 3.15 keeps the flags of layers; should one be lost on the way, the arm would be trained otherwise."""
    from paribus.api import initial_weights

    def rebuilt(config: dict[str, Any]) -> Any:
        model = rebuild(config)
        model.layers[0].trainable = True
        return model

    rebuild = initial_weights.rebuild
    monkeypatch.setattr("paribus.api.models.rebuild", rebuilt)
    with pytest.raises(ModelError, match="is frozen, and is not where the network is built from its config"):
        started(pretrained())


def test_an_ablation_of_such_an_arm_is_refused(engine: Engine) -> None:
    with pytest.raises(UsageError, match="starts from initial weights, which its variants cannot have"):
        ablate_arm(started(pretrained()), "a", backend=InProcess(engine), progress=False)


TOML = """
name = "transfer"
seeds = 1
[data]
source = "digits"
scale = 16
flatten = true
[protocol]
epochs = 1
[arms.a]
initial_weights = {written}
layers = [
  {{ Dense = {{ units = 12, activation = "tanh", trainable = false }} }},
  "BatchNormalization",
  {{ Dense = {{ units = 10, activation = "softmax" }} }},
]
"""


def written(folder: Path, value: str) -> Path:
    path = folder / "transfer.toml"
    path.write_text(TOML.format(written=value), encoding="utf-8")
    return path


def body_and_head(units: int = 12, *more: Any) -> keras.Model:
    layers = [L.Dense(units, "tanh"), L.BatchNormalization(), L.Dense(10, "softmax"), *more]
    model = keras.Sequential([keras.Input((64,)), *layers])
    set_random_weights(model)
    return model


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_a_study_file_names_a_file_beside_it(ending: str, engine: Engine, tmp_path: Path) -> None:
    model = body_and_head()
    model.compile("adam", "categorical_crossentropy")
    path = tmp_path / f"base{ending}"
    model.save(path) if ending == ".keras" else model.save_weights(path)
    document = load_study(str(written(tmp_path, f'"base{ending}"')))
    weights = document.arms["a"].initial_weights
    assert weights is not None
    assert weights.file == str(path)
    assert weights.sha256 is not None
    (result,) = train_study(document, engine)
    assert result.weights is not None
    np.testing.assert_array_equal(result.weights["sequential/dense/kernel"], model.get_weights()[0])
    assert not np.array_equal(result.weights["sequential/dense_1/kernel"], model.get_weights()[-2])


def test_a_file_that_does_not_fit_is_refused_before_anything_trains(engine: Engine, tmp_path: Path) -> None:
    cases = {
        "wider": (body_and_head(20), "Keras cannot read them into this network"),
        "deeper": (body_and_head(12, L.Dense(10, "softmax")), "the file has 10 arrays and the network 8 weights"),
    }
    for name, (model, message) in cases.items():
        model.save_weights(tmp_path / f"{name}.weights.h5")
        document = load_study(str(written(tmp_path, f'"{name}.weights.h5"')))
        with pytest.raises(ModelError, match=message):
            run(pb.Study.of(document), engine)
    (tmp_path / "text.weights.h5").write_text("no weights")
    with pytest.raises(ModelError, match="Keras cannot read them into this network"):
        run(pb.Study.of(load_study(str(written(tmp_path, '"text.weights.h5"')))), engine)


def test_mistakes_of_a_study_file_have_their_place(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"arm 'a', initial_weights: .*gone.weights.h5: it cannot be read: No such file"
    ):
        load_study(str(written(tmp_path, '"gone.weights.h5"')))
    with pytest.raises(StudyError, match=r"a file of Keras with weights is expected, .weights.h5 or .keras"):
        load_study(str(written(tmp_path, '"weights.npz"')))
    body_and_head().save_weights(tmp_path / "base.weights.h5")
    with pytest.raises(StudyError, match="it is not the file that the study was made with"):
        load_study(str(written(tmp_path, '{ file = "base.weights.h5", sha256 = "00" }')))


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    body_and_head().save_weights(tmp_path / "base.weights.h5")
    weights = load_study(str(written(tmp_path, '"base.weights.h5"'))).arms["a"].initial_weights
    assert weights is not None
    with pytest.raises(UsageError, match="the file has changed since the study was read"):
        read_initial_weights("{}", replace(weights.as_record(), sha256="0" * 64))


def test_documents_without_weights_are_written_as_before() -> None:
    model = keras.Sequential([keras.Input((64,)), L.Dense(10, "softmax")])
    document = pb.Study({"a": model}, "digits").document
    assert "initial_weights" not in document.model_dump_json()
    assert StudyDocument.model_validate_json(document.model_dump_json()) == document
