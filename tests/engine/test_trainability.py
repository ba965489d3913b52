"""What cannot be trained is said by name before anything trains; what can be is not refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import keras
import pytest

import own_layers
from paribus.engine import trainability
from paribus.engine.describe import describe
from paribus.engine.network import Network
from paribus.errors import ModelError
from paribus.records import DataSpec, DescribeJob
from paribus.study.document import Arm, Protocol
from parity import Case, written

SOFTMAX = {"Dense": {"units": 4, "activation": "softmax"}}


def refused(layers: list[Any], optimizer: Any = "Adam", loss: Any = "categorical_crossentropy", **more: Any) -> str:
    shape = more.pop("shape", (12,))
    arm = Arm.model_validate({"layers": layers, "optimizer": optimizer})
    training = Protocol.model_validate({"loss": loss}).training()
    with pytest.raises(ModelError) as caught:
        describe(DescribeJob("big", arm.spec(), DataSpec("x"), training), shape, 4)
    (mistake,) = caught.value.mistakes
    assert mistake.place.startswith(("arm 'big'", "protocol"))
    return mistake.message


REFUSED = {
    "normalization": ([{"Normalization": {}}, SOFTMAX], {}, "'normalization' .* has no mean and variance"),
    "stateful": ([{"LSTM": {"units": 3, "stateful": True}}, SOFTMAX], {"shape": (4, 3)}, "stateful"),
    "float16": ([{"Dense": {"units": 3, "dtype": "mixed_float16"}}, SOFTMAX], {}, "'dense' computes in float16"),
    "scaled": ([SOFTMAX], {"optimizer": {"Adam": {"loss_scale_factor": 8.0}}}, "scales losses"),
    "crop": (
        [{"RandomCrop": {"height": 4, "width": 4}}, {"Flatten": {}}, SOFTMAX],
        {"shape": (6, 6, 1)},
        "cannot train it as a pure step: .*RandomCrop",
    ),
    "lookup": ([{"StringLookup": {}}, SOFTMAX], {}, "StringLookup reads files by their name"),
    "dice": ([SOFTMAX], {"loss": "dice"}, "loss Dice gives no value for each example"),
    "unreduced": ([SOFTMAX], {"loss": {"CategoricalCrossentropy": {"reduction": "none"}}}, "scalar-output functions"),
    "circle": ([SOFTMAX], {"loss": "circle"}, "pure step"),
    "one-output": ([{"Dense": {"units": 1}}], {}, r"output has shape \(None, 1\), the data has 4 classes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_said_by_name(name: str) -> None:
    layers, options, said = REFUSED[name]
    message = refused(layers, **options)
    assert re.search(said, message), message
    assert len(message) < 800


STUCK = {
    "word": ({"Adam": {"beta_1": "much"}}, [("Adam), beta_1", '"much": could not convert string to float')]),
    "two": (
        {"Adam": {"beta_2": [0.9], "learning_rate": 0.1, "clipnorm": "1"}},
        [("Adam), beta_2", "[0.9]: "), ("Adam), clipnorm", "\"1\": '>' not supported between")],
    ),
    "schedule": (
        {
            "SGD": {
                "learning_rate": {"CosineDecay": {"initial_learning_rate": "fast", "decay_steps": 9}},
                "momentum": 0.9,
            }
        },
        [("SGD), learning_rate", '{"CosineDecay": {')],
    ),
}


@pytest.mark.parametrize("name", STUCK)
def test_an_optimizers_argument_of_a_wrong_type_is_found_before_anything_trains(name: str) -> None:
    optimizer, expected = STUCK[name]
    arm = Arm.model_validate({"layers": [SOFTMAX], "optimizer": optimizer})
    with pytest.raises(ModelError) as caught:
        describe(DescribeJob("big", arm.spec(), DataSpec("x"), Protocol().training()), (12,), 4)
    assert len(caught.value.mistakes) == len(expected)
    for mistake, (place, message) in zip(caught.value.mistakes, expected, strict=True):
        assert mistake.place == f"arm 'big', optimizer ({place}"
        assert mistake.message.startswith(message)


TRIED = {
    "augmented": Case(
        [{"RandomFlip": {}}, {"RandomRotation": {"factor": 0.1}}, {"Flatten": {}}, SOFTMAX], shape=(6, 6, 1)
    ),
    "noise": Case([{"GaussianNoise": {"stddev": 0.1}}, {"AlphaDropout": {"rate": 0.1}}, SOFTMAX]),
    "lstm": Case([{"LSTM": {"units": 3, "dropout": 0.1, "recurrent_dropout": 0.1}}, SOFTMAX], shape=(4, 3)),
    "bfloat16": Case([{"Dense": {"units": 3, "dtype": "mixed_bfloat16"}}, SOFTMAX]),
    "normalized": Case([{"Normalization": {"mean": 0.5, "variance": 2.0}}, SOFTMAX]),
    "nadam": Case([SOFTMAX], "Nadam"),
    "mse": Case([SOFTMAX], loss="mean_squared_error"),
}


@pytest.mark.parametrize("name", TRIED)
def test_what_can_be_trained_is_not_refused(name: str) -> None:
    recipe, network = written(TRIED[name])
    assert trainability.objections(network, TRIED[name].shape) == []
    assert recipe.parameters > 0


def test_usual_networks_cost_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    conv = [{"Conv2D": {"filters": 2, "kernel_size": 2, "kernel_regularizer": "l2"}}, {"BatchNormalization": {}}]
    _, network = written(Case([*conv, {"Flatten": {}}, {"Dropout": {"rate": 0.1}}, SOFTMAX], shape=(6, 6, 1)))
    _, unusual = written(TRIED["mse"])
    monkeypatch.setattr(trainability, "_traced", never)
    assert trainability.objections(network, (6, 6, 1)) == []
    with pytest.raises(AssertionError):
        trainability.objections(unusual, (12,))


def test_a_usual_residual_network_costs_no_trial_unless_an_operation_is_in_it() -> None:
    def network(added: Callable[[Any, Any], Any]) -> Network:
        inputs = keras.Input((6, 6, 1))
        x = keras.layers.MaxPooling2D(2)(keras.layers.Conv2D(2, 3, padding="same")(inputs))
        x = added(x, keras.layers.BatchNormalization()(x))
        x = keras.layers.Dense(4, "softmax")(keras.layers.GlobalAveragePooling2D()(x))
        model = keras.Model(inputs, x)
        case = Case(model=json.dumps(keras.saving.serialize_keras_object(model)), shape=(6, 6, 1))
        return written(case)[1]

    assert trainability.only_plain(network(lambda x, y: keras.layers.Add()([x, y])))
    assert not trainability.only_plain(network(lambda x, y: x + y))


def test_own_code_in_a_usual_layer_is_tried() -> None:
    model = keras.Sequential([keras.Input((12,)), keras.layers.Dense(4, own_layers.squared)])
    _, network = written(Case(model=json.dumps(keras.saving.serialize_keras_object(model))))
    assert not all(trainability._plain(layer) for layer in network.model.layers)
