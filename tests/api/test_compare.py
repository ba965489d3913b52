"""``pb.compare`` and ``pb.Study`` with Keras models: the bits of a study file, and clear words where it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import own_layers
import paribus as pb
from in_process import InProcess
from paribus.backends.fake import FakeBackend
from paribus.engine.engine import Engine
from paribus.errors import DataError, ModelError, StudyError, UnknownNameError, UsageError

Layer = keras.layers.Layer
SHORT: dict[str, Any] = {"epochs": 2, "seeds": 2, "batch_size": 100}

TOML = """
name = "same"
seeds = 2
[data]
source = "digits"
scale = 16
flatten = true
[protocol]
epochs = 2
batch_size = 100
[arms.plain]
layers = [{ Dense = { units = 12, activation = "relu" } }, { Dense = { units = 10, activation = "softmax" } }]
[arms.dropout]
optimizer = { SGD = { learning_rate = 0.1, momentum = 0.9 } }
layers = [
  { Dropout = { rate = 0.2 } }, { Dense = { units = 12, activation = "relu" } },
  { Dense = { units = 10, activation = "softmax" } },
]
"""


def stack(*layers: Layer, shape: tuple[int, ...] = (64,)) -> keras.Sequential:
    return keras.Sequential([keras.Input(shape), *layers])


def softmax() -> Layer:
    return keras.layers.Dense(10, activation="softmax")


def plain(units: int = 12) -> keras.Sequential:
    return stack(keras.layers.Dense(units, activation="relu"), softmax())


def compiled(model: keras.Model, optimizer: Any = "adam", loss: Any = "categorical_crossentropy") -> keras.Model:
    model.compile(optimizer, loss)
    return model


def digests(results: pb.Results) -> dict[tuple[str, int], str]:
    return {(name, run.seeds.init): str(run.weights_digest) for name, arm in results.arms.items() for run in arm.runs}


@pytest.fixture
def train(engine: Engine) -> Callable[..., pb.Results]:
    """Compare models with real training in this process."""

    def compare(models: dict[str, keras.Model], data: Any = "digits", **options: Any) -> pb.Results:
        return pb.Study(models, data, **{**SHORT, **options}).run(backend=InProcess(engine), progress=False)

    return compare


def test_python_models_and_a_study_file_give_the_same_bits(train: Any, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "same.toml").write_text(TOML)
    written = pb.Study.load(tmp_path / "same.toml").run(backend=InProcess(engine), progress=False)
    dropout = stack(keras.layers.Dropout(0.2), keras.layers.Dense(12, activation="relu"), softmax())
    models = {"plain": plain(), "dropout": compiled(dropout, keras.optimizers.SGD(0.1, momentum=0.9))}
    found = train(models)
    assert digests(found) == digests(written)
    assert len(set(digests(found).values())) == 4
    fingerprints = [{run.fingerprint for arm in r.arms.values() for run in arm.runs} for r in (found, written)]
    assert fingerprints[0] == fingerprints[1]


def test_a_models_own_weights_change_nothing(train: Any) -> None:
    trained = compiled(plain(), "adam")
    trained.fit(np.ones((10, 64), np.float32), np.eye(10, dtype=np.float32), verbose=0)
    assert digests(train({"a": plain()})) == digests(train({"a": trained}))


@pytest.mark.slow
def test_functional_models_and_channel_inputs_read_the_same_examples(train: Any) -> None:
    x = keras.Input((8, 8, 1))
    features = keras.layers.Conv2D(4, 3, activation="relu")(x)
    functional = keras.Model(x, softmax()(keras.layers.Flatten()(features)))
    rows = stack(keras.layers.LSTM(6), softmax(), shape=(8, 8))
    results = train({"conv": functional, "rows": rows, "flat": plain()}, epochs=3)
    assert all(arm.estimates["test_accuracy"].mean > 0.12 for arm in results.arms.values())
    assert not results.outcome.notes


def test_own_classes_train_and_depend_on_the_seed_alone(train: Any) -> None:
    layers = stack(own_layers.Scaled(6), keras.layers.Dense(10, activation=own_layers.squared))
    models = {"layers": layers, "subclass": own_layers.Network(5, 0.3)}
    first = train(models, loss="mean_squared_error")
    again = train({"subclass": own_layers.Network(5, 0.3), "layers": layers}, loss="mean_squared_error")
    assert digests(first) == digests(again)
    assert len(set(digests(first).values())) == 4
    assert first.arms["subclass"].recipe.parameters == 64 * 5 + 5 + 5 * 10 + 10


@pytest.mark.slow
def test_workers_import_own_classes_and_agree_with_this_process(train: Any) -> None:
    layers = stack(own_layers.Scaled(6), keras.layers.Dense(10, activation=own_layers.squared))
    models = {"subclass": own_layers.Network(5, 0.3), "layers": layers}
    data = {"source": "digits", "scale": 16, "flatten": True}
    here = train(models, data)
    there = pb.compare(models, data, **SHORT, progress=False, workers=1)
    assert digests(here) == digests(there)


def arrays(classes: int = 3, examples: int = 60) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(5)
    y = generator.integers(0, classes, 2 * examples)
    x = (np.eye(classes)[y] + generator.normal(0, 0.2, (2 * examples, classes))).astype(np.float32)
    return x[:examples], y[:examples], x[examples:], y[examples:]


def small(outputs: int, activation: str = "softmax") -> keras.Sequential:
    return stack(keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(outputs, activation), shape=(3,))


def test_labels_may_be_integers_or_one_hot_and_nested_like_kerass(train: Any) -> None:
    x_train, y_train, x_test, y_test = arrays()
    one_hot = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)
    first = train({"a": small(3)}, (x_train, y_train, x_test, y_test))
    second = train({"a": small(3)}, ((x_train, one_hot[0]), (x_test, one_hot[1])))
    third = train({"a": small(3)}, arrays(), loss="sparse_categorical_crossentropy")
    assert digests(first) == digests(second)
    assert first.outcome.data.train == 60
    assert third.arms["a"].estimates["test_loss"].mean == pytest.approx(first.arms["a"].estimates["test_loss"].mean)


def test_two_classes_with_one_output(train: Any) -> None:
    x, y, x_test, y_test = arrays(2)
    pad = [(0, 0), (0, 1)]
    model = small(1, "sigmoid")
    data = (np.pad(x, pad), y, np.pad(x_test, pad), y_test)
    found = train({"a": model}, data, loss="binary_crossentropy", batch_size=5, epochs=20)
    assert found.arms["a"].estimates["test_accuracy"].mean > 0.9


def test_with_a_folder_only_what_is_missing_is_computed(tmp_path: Path, engine: Engine) -> None:
    study = pb.Study({"a": small(3)}, arrays(), **SHORT)
    backend = Counting(engine)
    first = study.run(store=tmp_path / "runs", backend=backend, progress=False)
    again = study.run(3, store=tmp_path / "runs", backend=backend, progress=False)
    assert backend.trained == [0, 1, 2]
    assert digests(first).items() <= digests(again).items()
    # The arrays lie in the store, so that a report can be written by another process later.
    source = Path(again.outcome.document.data.source)
    assert source.parent == (tmp_path / "runs" / "data").resolve()
    assert len(again.outcome.predictions(again.arms["a"].runs[2].fingerprint).predicted) == 60


class Counting(InProcess):
    """Remembers the seeds it trained."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.trained: list[int] = []

    def run(self, jobs: Any) -> Any:
        self.trained += [job.seeds.init for job in jobs if hasattr(job, "seeds")]
        yield from super().run(jobs)


REFUSED = {
    "lambda": (lambda: stack(keras.layers.Lambda(lambda x: x), softmax()), "'lambda.*' is a Lambda"),
    "lambda-activation": (
        lambda: stack(keras.layers.Dense(10, activation=lambda x: x)),
        "'dense.*' has a lambda as its activation",
    ),
    "frozen": (lambda: stack(keras.layers.Dense(4, trainable=False, name="stem"), softmax()), "'stem' is frozen"),
    "own-step": (lambda: own_layers.OwnStep([keras.Input((64,)), softmax()]), "OwnStep has a train_step of its own"),
    "unregistered": (lambda: stack(own_layers.Unregistered(), softmax()), "class Unregistered is not registered"),
    "untold": (lambda: own_layers.Forgetful(3), "Forgetful has no get_config that returns its units"),
    "loss-weights": (
        lambda: (m := plain(), m.compile("adam", "categorical_crossentropy", loss_weights=[2.0]))[0],
        "loss_weights",
    ),
}


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_travel_is_said_by_name_at_once(name: str) -> None:
    make, said = REFUSED[name]
    with pytest.raises(ModelError, match=said):
        pb.Study({"arm": make()}, "digits")


def test_a_class_of_the_script_itself_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_layers.Scaled, "__module__", "__main__")
    with pytest.raises(ModelError, match=r"'Scaled' is defined in the script or notebook itself .* put it in a module"):
        pb.Study({"arm": stack(own_layers.Scaled(3), softmax())}, "digits")


UNBUILDABLE = {
    "inputs": (lambda: stack(softmax(), shape=(65,)), r"reads examples of shape \(65,\), the data has .* \(64,\)"),
    "outputs": (lambda: stack(keras.layers.Dense(9)), r"output has shape \(None, 9\), the data has 10 classes"),
    "unknown-function": (
        lambda: stack(keras.layers.Dense(10, activation=own_layers.unregistered)),
        "Could not locate function 'unregistered'. Make sure custom .* imported .* to load them.$",
    ),
    "several": (
        lambda: keras.Model([a := keras.Input((64,)), keras.Input((64,))], softmax()(a)),
        "the network has several inputs",
    ),
}


@pytest.mark.parametrize("name", UNBUILDABLE)
def test_what_does_not_fit_the_data_is_refused_before_anything_trains(name: str, engine: Engine) -> None:
    make, said = UNBUILDABLE[name]
    backend = Counting(engine)
    with pytest.raises(ModelError, match=said):
        pb.Study({"good": plain(), "arm": make()}, "digits").run(backend=backend, progress=False)
    assert backend.trained == []


def test_a_config_that_says_another_network_is_noticed(engine: Engine) -> None:
    model = own_layers.Misleading(5)
    model(np.zeros((1, 64)))
    backend = Counting(engine)
    with pytest.raises(
        ModelError, match=r"class Misleading has units = 5, and 6 where a worker makes it again from its config"
    ):
        pb.Study({"arm": model}, {"source": "digits", "flatten": True}).run(backend=backend, progress=False)
    assert backend.trained == []


def test_arms_share_one_loss() -> None:
    smooth = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    with pytest.raises(StudyError, match=r"one loss, these have 'a' .*label_smoothing=0.1.*; 'b' mean_squared_error"):
        pb.Study({"a": compiled(plain(), loss=smooth), "b": plain()}, "digits", loss="mse")
    same = {"a": compiled(plain(), loss=keras.losses.CategoricalCrossentropy()), "b": compiled(plain()), "c": plain()}
    assert pb.Study(same, "digits").document.protocol.loss == {"categorical_crossentropy": {}}


def test_optimizers_are_written_as_in_a_study_file() -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    given = {
        "name": "rmsprop",
        "object": keras.optimizers.Adam(0.01, beta_1=0.8),
        "schedule": keras.optimizers.SGD(schedule),
    }
    arms = pb.Study({name: compiled(plain(), each) for name, each in given.items()}, "digits").document.arms
    assert arms["name"].optimizer == {"RMSprop": {}}
    assert arms["object"].optimizer == {"Adam": {"learning_rate": 0.01, "beta_1": 0.8}}
    ((_, table),) = arms["schedule"].optimizer["SGD"]["learning_rate"].items()
    assert (table["initial_learning_rate"], table["decay_steps"], table["decay_rate"]) == (0.1, 100, 0.9)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"optimizer": "adamm"}, UsageError, "optimizer 'adamm': Keras knows no such optimizer"),
        ({"loss": "crossentropy"}, UsageError, "loss 'crossentropy': Keras knows no such loss"),
        ({"loss": lambda y, p: p}, UsageError, "it is a loss of your own"),
        ({"baseline": "c"}, UsageError, "no arm 'c' in baseline: there are a, b"),
        ({"epochs": 0}, StudyError, "epochs: 0: "),
        ({"name": "a b"}, StudyError, "name"),
        ({"scale": -1}, StudyError, "scale"),
    ],
)
def test_wrong_options_are_errors_of_ours(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        pb.Study({"a": plain(), "b": plain(3)}, "digits", **options)


@pytest.mark.parametrize(
    ("models", "data", "error", "said"),
    [
        ({}, "digits", UsageError, "a mapping of names to models"),
        ({"a": plain}, "digits", UsageError, "is expected, this is function; call it"),
        ({"a": 3}, "digits", UsageError, "is expected, this is int"),
        ({"a": None}, "digits", UsageError, "this is NoneType"),
    ],
)
def test_things_that_are_no_models(models: Any, data: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        pb.Study(models, data)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        ("digit", UnknownNameError, "Did you mean digits"),
        (np.zeros((3, 3)), UsageError, r"data: array \(3, 3\) cannot be data. Give a name or a path"),
        ((1, 2, 3), UsageError, "data: int, int, int cannot be data"),
        ((*arrays()[:3], arrays()[3][:-1]), DataError, "60 examples in x_test but 59 labels in y_test"),
        ({"sauce": "digits"}, StudyError, "sauce"),
    ],
)
def test_things_that_are_no_data(data: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        pb.Study({"a": small(3)}, data)


def test_contrasts_are_every_pair_or_against_a_baseline() -> None:
    models = {"a": plain(), "b": plain(2), "c": plain(3)}
    pairs = pb.Study(models, "digits").document.declared_contrasts()
    assert [(c.a, c.b) for c in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    against = pb.Study(models, "digits", baseline="b").document.declared_contrasts()
    assert [(c.a, c.b) for c in against] == [("a", "b"), ("c", "b")]


@pytest.mark.parametrize(("source", "flatten", "scale"), [("mnist", True, 255.0), ("digits", True, 16.0)])
def test_named_images_are_scaled_and_flattened_for_flat_networks(source: str, flatten: bool, scale: float) -> None:
    size = 784 if source == "mnist" else 64
    data = pb.Study({"a": stack(softmax(), shape=(size,))}, source).document.data
    assert (data.flatten, data.scale) == (flatten, scale)
    image = pb.Study({"a": stack(keras.layers.Flatten(), softmax(), shape=(28, 28))}, source, scale=None).document.data
    assert (image.flatten, image.scale) == (False, None)


def test_pixels_are_not_scaled_twice_unawares(engine: Engine) -> None:
    model = stack(keras.layers.Rescaling(1 / 16), softmax())
    with pytest.raises(ModelError, match=r"arm 'a': it scales its input down 16 times by itself, .* scaled twice"):
        pb.Study({"a": model}, "digits").run(backend=InProcess(engine), progress=False)
    assert pb.Study({"a": model}, "digits", scale=None).document.data.scale is None


@pytest.mark.parametrize("options", [{"seeds": 0}, {"seeds": "3"}, {"epochs": 0}, {"epochs": 2.5}])
def test_wrong_numbers_of_a_run_are_errors_of_ours(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"=.*: a whole number of (seeds|epochs), 1 or more, is expected"):
        pb.Study.load("digits").run(**options, backend=FakeBackend())


def test_a_functional_model_drops_units_while_it_trains(train: Any) -> None:
    """Keras writes ``training=False`` into the calls of a functional model; it must not switch dropout off."""
    x = keras.Input((64,))
    y = keras.layers.Dense(10, activation="softmax")(keras.layers.Dropout(0.95)(x))
    (run,) = train({"a": keras.Model(x, y)}, seeds=1, epochs=8).arms["a"].runs
    assert run.scores is not None
    assert run.scores.fit_loss > 1.3 * run.scores.train_loss


DRIVER = """
import keras, paribus as pb
assert keras.backend.backend() == "numpy"
hidden = keras.layers.Dense(12, activation="relu")
model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])
results = pb.compare({"plain": model}, "digits", seeds=2, epochs=2, workers=1, progress=False)
print(*[run.weights_digest for run in results.arms["plain"].runs])
"""


@pytest.mark.slow
def test_the_users_own_process_may_run_keras_on_another_backend(train: Any) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    command = [sys.executable, "-c", DRIVER]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == list(digests(train({"plain": plain()})).values())


def test_arrays_are_taken_as_they_are() -> None:
    study = pb.Study({"a": small(3)}, arrays())
    assert (study.document.data.scale, study.document.data.flatten) == (None, False)
    folder = Path(study.document.data.source)
    assert sorted(path.name for path in folder.iterdir())[-4:] == [
        "x_test.npy",
        "x_train.npy",
        "y_test.npy",
        "y_train.npy",
    ]


def test_the_temporary_folder_lives_as_long_as_the_results(engine: Engine) -> None:
    results = pb.Study({"a": small(3)}, arrays(), **SHORT).run(backend=InProcess(engine), progress=False)
    folder = Path(results.outcome.document.data.source)
    assert folder.is_dir()
    del results
    assert not folder.exists()


def test_a_study_runs_with_fewer_arms_and_more_seeds() -> None:
    study = pb.Study.load("digits")
    results = study.run(3, arms=["small", "large"], backend=FakeBackend(), progress=False)
    assert list(results.arms) == ["small", "large"]
    assert [run.seeds.init for run in results.arms["small"].runs] == [0, 1, 2]
    assert "digits" in repr(study)
