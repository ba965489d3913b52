"""Canonical forms: one text for one network, whoever wrote it and whatever was built before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest

from digits_jobs import DIGITS, SOFTMAX, TWO_EPOCHS
from paribus import seeds
from paribus.data import summarize
from paribus.engine import canonical
from paribus.engine.compile import DRAW_ONCE
from paribus.engine.describe import describe
from paribus.engine.network import Network
from paribus.errors import ModelError
from paribus.records import DescribeJob, Recipe, Seeds
from paribus.study.builtin import NAMES
from paribus.study.document import Arm
from paribus.study.load import load_study

SHAPE = (8, 8)
BUILT_IN = [(study, arm) for study in NAMES for arm in load_study(study).arms]


def recipe(layers: Any = None, optimizer: Any = "Adam", *, model: str | None = None) -> Recipe:
    """An arm's canonical form on 8 x 8 examples with ten classes."""
    written = {"layers": layers, "model": model, "optimizer": optimizer}
    arm = Arm.model_validate({key: value for key, value in written.items() if value is not None})
    return describe(DescribeJob("arm", arm.spec(), DIGITS, TWO_EPOCHS), SHAPE, 10)


def refused(layers: Any = None, optimizer: Any = "Adam", *, model: str | None = None) -> list[str]:
    """The mistakes that an arm is refused with."""
    with pytest.raises(ModelError) as caught:
        recipe(layers, optimizer, model=model)
    return [str(mistake) for mistake in caught.value.mistakes]


def config_of(model: keras.Model) -> str:
    return json.dumps(keras.saving.serialize_keras_object(model))


def keras_model(prefix: str = "", **dense: Any) -> keras.Model:
    """What ``LAYERS`` says, as a user would build it in Python; ``prefix`` gives the layers names of their own."""
    name = (lambda kind: prefix + kind) if prefix else (lambda kind: None)
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Flatten(name=name("flat")),
            keras.layers.Dense(16, activation="relu", name=name("hidden"), **dense),
            keras.layers.Dropout(0.2, name=name("drop"), seed=11),
            keras.layers.Dense(10, activation="softmax", name=name("answer")),
        ]
    )


LAYERS = ("Flatten", {"Dense": {"units": 16, "activation": "relu"}}, {"Dropout": {"rate": 0.2}}, SOFTMAX)
RICH: dict[str, Any] = {
    "bidirectional-lstm": [{"Bidirectional": {"layer": {"LSTM": {"units": 4, "dropout": 0.2}}}}, SOFTMAX],
    "two-wrapped": [
        {"Bidirectional": {"layer": {"GRU": {"units": 3, "return_sequences": True}}}},
        {"Bidirectional": {"layer": {"GRU": {"units": 2}}}},
        SOFTMAX,
    ],
    "a-cell": [{"RNN": {"cell": {"LSTMCell": {"units": 4}}}}, SOFTMAX],
    "time-distributed": [{"TimeDistributed": {"layer": {"Dense": {"units": 4}}}}, "Flatten", SOFTMAX],
    "convolution": [
        {"Reshape": {"target_shape": [8, 8, 1]}},
        {"SeparableConv2D": {"filters": 3, "kernel_size": [3, 3]}},
        {"RandomFlip": {}},
        "GlobalAveragePooling2D",
        SOFTMAX,
    ],
    "regularized": [
        "Flatten",
        {
            "Dense": {
                "units": 4,
                "kernel_regularizer": {"L1L2": {"l1": 0.1, "l2": 0.2}},
                "bias_regularizer": "l1",
                "kernel_initializer": {"RandomNormal": {"stddev": 0.1, "seed": 5}},
                "kernel_constraint": {"MaxNorm": {"max_value": 2}},
            }
        },
        "BatchNormalization",
        "PReLU",
        SOFTMAX,
    ],
    "spectral": ["Flatten", {"SpectralNormalization": {"layer": {"Dense": {"units": 4}}}}, SOFTMAX],
}


# One network, one text


def test_layers_and_a_model_of_them_are_one_network() -> None:
    written = recipe(LAYERS)
    assert recipe(model=config_of(keras_model())) == written
    assert recipe(model=keras_model().to_json()) == written


def test_how_a_model_was_compiled_or_built_does_not_count() -> None:
    """The optimizer is the arm's; a study says the rest."""
    model = keras_model()
    model.compile("sgd", "mean_squared_error", metrics=["accuracy"])
    late = keras.Sequential(keras_model().layers)
    assert recipe(model=config_of(model)) == recipe(model=config_of(late)) == recipe(LAYERS)


@pytest.mark.no_cover  # trains much, and other tests pass the same lines
@pytest.mark.parametrize("name", RICH)
def test_automatic_names_do_not_count(name: str) -> None:
    """Keras numbers layers by what the process has built before; two workers have built different things."""
    first = recipe(RICH[name])
    recipe(RICH["two-wrapped"])
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dropout(0.1), keras.layers.Dense(2)])
    assert recipe(RICH[name]) == first


def test_seeds_do_not_count() -> None:
    """A run's streams take the place of seeds that are written into layers and initializers."""
    seeded = ["Flatten", {"Dense": {"units": 16, "activation": "relu"}}, {"Dropout": {"rate": 0.2, "seed": 4}}, SOFTMAX]
    assert recipe(seeded) == recipe(LAYERS)
    one, other = (keras_model(kernel_initializer=keras.initializers.RandomNormal(seed=s)) for s in (1, 2))
    assert recipe(model=config_of(one)) == recipe(model=config_of(other))
    assert '"seed":null' in recipe(LAYERS).model


def test_names_that_a_user_gave_count() -> None:
    named = recipe(model=config_of(keras_model("my_")))
    assert named != recipe(LAYERS)
    assert [layer.name for layer in named.layers] == ["my_flat", "my_hidden", "my_drop", "my_answer"]


def test_a_models_own_name_does_not_count() -> None:
    one = keras.Sequential(keras_model().layers, name="one")
    assert recipe(model=config_of(one)) == recipe(LAYERS)


def test_a_given_name_that_keras_would_give_another_layer() -> None:
    """A Dense called "dropout" beside a Dropout: both keep a name of their own, and the text can be read again."""
    keras.layers.Dropout(0.1)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, name="dropout"), keras.layers.Dropout(0.2, name="dropout_7")]
    )
    written = describe(DescribeJob("arm", Arm(model=config_of(model)).spec(), DIGITS, TWO_EPOCHS), (64,), 10)
    assert [layer.name for layer in written.layers] == ["dropout", "dropout_1"]
    assert len(Network.rebuild(written, TWO_EPOCHS).model.layers) == 2


def test_what_changes_a_network_changes_its_text() -> None:
    others = [
        recipe(("Flatten", {"Dense": {"units": 17, "activation": "relu"}}, LAYERS[2], SOFTMAX)),
        recipe(("Flatten", {"Dense": {"units": 16, "activation": "tanh"}}, LAYERS[2], SOFTMAX)),
        recipe(("Flatten", LAYERS[1], {"Dropout": {"rate": 0.3}}, SOFTMAX)),
        recipe(("Flatten", LAYERS[1], SOFTMAX)),
        recipe(("Flatten", LAYERS[2], LAYERS[1], SOFTMAX)),
        recipe(LAYERS, {"Adam": {"learning_rate": 0.01}}),
        recipe(LAYERS, "SGD"),
    ]
    assert len({(other.model, other.optimizer) for other in (recipe(LAYERS), *others)}) == 8


def test_defaults_are_spelled_out() -> None:
    assert recipe(LAYERS, {"Adam": {}}) == recipe(LAYERS, {"Adam": {"learning_rate": 0.001, "beta_1": 0.9}})
    assert recipe(("Flatten", {"Dense": {"units": 16, "activation": "relu", "use_bias": True}}, *LAYERS[2:])) == recipe(
        LAYERS
    )


# There and back


@pytest.mark.parametrize(("study", "arm"), BUILT_IN)
def test_every_built_in_arm_comes_back(study: str, arm: str) -> None:
    document = load_study(study)
    data, training = summarize(document.data.spec()), document.protocol.training()
    job = DescribeJob(arm, document.arms[arm].spec(), document.data.spec(), training)
    written = describe(job, data.input_shape, data.classes)
    again = describe(
        DescribeJob(arm, Arm(model=written.model).spec(), document.data.spec(), training),
        data.input_shape,
        data.classes,
    )
    assert (again.model, again.parameters, again.layers) == (written.model, written.parameters, written.layers)
    optimizer = keras.saving.deserialize_keras_object(json.loads(written.optimizer))
    assert canonical.optimizer_text(optimizer) == written.optimizer


@pytest.mark.parametrize("name", RICH)
def test_rich_networks_come_back(name: str) -> None:
    written = recipe(RICH[name])
    assert recipe(model=written.model).model == written.model
    network = Network.rebuild(written, TWO_EPOCHS)
    assert network.model.count_params() == written.parameters


@pytest.mark.parametrize("name", ["bidirectional-lstm", "regularized", "spectral"])
def test_initial_weights_of_rich_networks_come_from_the_streams_alone(name: str) -> None:
    """A layer that draws by itself, outside the streams, would have other weights in every process."""
    written = recipe(RICH[name])

    def drawn(*each: int) -> list[list[np.ndarray]]:
        network = Network.rebuild(written, TWO_EPOCHS)
        keys = [(seeds.init_key(Seeds.of(s)), seeds.dropout_keys(Seeds.of(s), len(network.seed_states))) for s in each]
        draw = jax.jit(network.initial_state).lower(*keys[0]).compile(compiler_options=DRAW_ONCE)
        return [[np.asarray(v) for _, v in sorted(network.named_weights(draw(*key)).items())] for key in keys]

    (first, other), (again,) = drawn(1, 2), drawn(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        (RICH["regularized"], ['"class_name":"L1L2"', '"class_name":"RandomNormal"', '"class_name":"MaxNorm"']),
        (RICH["bidirectional-lstm"], ['"class_name":"Bidirectional"', '"class_name":"LSTM"']),
        (RICH["a-cell"], ['"class_name":"LSTMCell"']),
    ],
)
def test_keras_objects_inside_arguments(written: Any, parts: list[str]) -> None:
    text = recipe(written).model
    assert all(part in text for part in parts)


def test_schedules_inside_optimizers() -> None:
    cosine = {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 100}}
    text = recipe(LAYERS, {"SGD": {"learning_rate": cosine, "momentum": 0.9}}).optimizer
    config = json.loads(text)["config"]
    assert config["learning_rate"]["class_name"] == "CosineDecay"
    assert config["learning_rate"]["config"]["decay_steps"] == 100
    assert config["momentum"] == 0.9


# Refused


def test_all_mistakes_with_their_places() -> None:
    layers = ["Flatten", {"Dens": {"units": 3}}, {"Dense": {"unit": 3}}, {"Dense": {"units": 3, "activation": "relo"}}]
    schedule = {"CosineDeca": {"decay_steps": 3}}
    found = refused(layers, {"sgd": {}})
    assert found[0] == "arm 'arm', layer 2: keras.layers has no class 'Dens'; did you mean Dense?"
    assert found[1].startswith("arm 'arm', layer 3 (Dense): ")
    assert "units" in found[1]
    assert found[2].startswith("arm 'arm', layer 4 (Dense): ")
    assert "relo" in found[2]
    assert found[3:] == ["arm 'arm', optimizer: keras.optimizers has no class 'sgd'; did you mean SGD?"]
    assert refused(LAYERS, {"SGD": {"learning_rate": schedule}}) == [
        "arm 'arm', optimizer, learning_rate: keras.optimizers.schedules has no class 'CosineDeca'; "
        "did you mean CosineDecay?"
    ]


def test_layers_that_do_not_fit_each_other() -> None:
    (found,) = refused([{"Conv2D": {"filters": 3, "kernel_size": 3}}, "Flatten", SOFTMAX])
    assert found.startswith("arm 'arm', layers on input of shape (8, 8): ")


@pytest.mark.parametrize("layers", [["Flatten"], ["Flatten", {"Dense": {"units": 11}}], [SOFTMAX]])
def test_an_output_that_does_not_fit_the_classes(layers: Any) -> None:
    (found,) = refused(layers)
    assert found.startswith("arm 'arm', layers: the network's output has shape (None, ")
    assert found.endswith('end with a layer of 10 units, like { Dense = { units = 10, activation = "softmax" } }')


def with_activation(activation: Any) -> str:
    """A model's config with something else in the place of an activation."""
    config = json.loads(config_of(keras_model()))
    config["config"]["layers"][2]["config"]["activation"] = activation
    return json.dumps(config)


def of_class(module: str, name: str, config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def python_lambda() -> str:
    doubled = keras.layers.Lambda(lambda x: x * 2)
    return config_of(keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), doubled, keras.layers.Dense(10)]))


MARK = "trap"
TRAPS = {
    "lambda layer": python_lambda,
    "lambda activation": lambda: with_activation(
        {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}}
    ),
    "lambda alone": lambda: json.dumps({"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}}),
    "os.system": lambda: json.dumps(of_class("os", "system", {"command": f"touch {MARK}"})),
    "os.system as activation": lambda: with_activation(of_class("os", "function", "system")),
    "subprocess": lambda: json.dumps(of_class("subprocess", "Popen", {"args": ["touch", MARK]})),
    "a module to be imported": lambda: json.dumps(of_class("trap_module", "Layer", {})),
    "builtins": lambda: json.dumps(of_class("builtins", "function", "exec")),
    "keras.utils.get_file": lambda: json.dumps(
        of_class("keras.utils", "get_file", {"fname": MARK, "origin": "file:///etc/hostname"})
    ),
    "saved model": lambda: json.dumps(
        of_class(
            "keras", "Sequential", {"name": "s", "layers": [of_class("keras.layers", "TFSMLayer", {"filepath": "x"})]}
        )
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_model_that_would_run_code_is_refused(trap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a network reads a description. No code in it is run, and no module that it names is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "trap_module.py").write_text(f"import pathlib; pathlib.Path('{MARK}').touch()\nclass Layer: pass\n")
    (found,) = refused(model=TRAPS[trap]())
    assert found.startswith("arm 'arm', model: ")
    assert "enable_unsafe_deserialization" not in found, "no advice to open the door"
    assert len(found) < 400
    assert not (tmp_path / MARK).exists()


def test_a_lambda_layer_written_in_toml_is_refused() -> None:
    (found,) = refused(["Flatten", {"Lambda": {"function": "os.system"}}, SOFTMAX])
    assert found.startswith("arm 'arm', layer 2: Lambda runs code")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); a model is what"),
        ("[]", "[] is no Keras config; a model is what keras.Model.to_json() returns"),
        ("null", "null is no Keras config"),
        ("{}", "a model is expected, this config says dict"),
        (json.dumps(of_class("keras.layers", "Dense", {"units": 3})), "a model is expected, this config says Dense"),
        (json.dumps(of_class("keras", "Sequential", {})), "A Sequential model configuration must be a dictionary "),
        (
            json.dumps(of_class("keras", "Sequential", {"name": "s", "layers": []})),
            "Sequential model s cannot be built",
        ),
    ],
)
def test_models_that_are_none(text: str, message: str) -> None:
    (found,) = refused(model=text)
    assert found.startswith(f"arm 'arm', model: {message}")


def test_a_network_that_reads_other_examples() -> None:
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(10)])
    (found,) = refused(model=config_of(model))
    assert found.startswith(
        "arm 'arm': the network reads examples of shape (7,), the data has examples of shape (8, 8)"
    )
