"""What a live model has that its config does not hold is refused by name, or trained as Keras would train it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import own_layers
import paribus as pb
from in_process import InProcess
from keras_classes import names
from keras_classes.layers import case_of
from paribus.api import keras_objects
from paribus.api.live_model import find_unwritten_state
from paribus.engine.engine import Engine
from paribus.errors import ModelError, UsageError

L = keras.layers


def stack(*layers: Any, shape: tuple[int, ...] = (64,)) -> keras.Sequential:
    return keras.Sequential([keras.Input(shape), *layers, L.Dense(10, "softmax")])


def with_lora() -> keras.Model:
    model = stack(L.Dense(6, "relu"))
    model.layers[0].enable_lora(2)
    return model


def quantized() -> keras.Model:
    model = stack(L.Dense(6, "relu"))
    model.layers[0].quantize("int8")
    return model


def frozen_variable() -> keras.Model:
    model = stack(L.Dense(6, "relu"))
    model.layers[0].kernel.trainable = False
    return model


def loaded() -> keras.Model:
    model = stack(L.Dense(6, "relu"), L.BatchNormalization())
    model.set_weights([np.full(weight.shape, 0.5) for weight in model.get_weights()])
    return model


def without_decay() -> keras.Model:
    model, optimizer = stack(), keras.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "categorical_crossentropy")
    return model


def shared() -> keras.Model:
    dense, inputs = L.Dense(8), keras.Input((8, 8))
    x = L.TimeDistributed(dense)(L.TimeDistributed(dense)(inputs))
    return keras.Model(inputs, L.Dense(10, "softmax")(L.Flatten()(x)))


def shared_and_unbuilt() -> keras.Model:
    dense = L.Dense(8)
    return keras.Sequential([L.TimeDistributed(dense), L.TimeDistributed(dense), L.Flatten(), L.Dense(10, "softmax")])


REFUSED = {
    "lora": (with_lora, "has enable_lora, which freezes a kernel"),
    "quantize": (quantized, "is quantized, which is for trained weights"),
    "a frozen variable": (frozen_variable, r"has frozen variables \(kernel\), which its config does not hold"),
    "pretrained weights": (loaded, r"weights were loaded or set .*keras\.models\.clone_model"),
    "no decay for biases": (without_decay, "exclude_from_weight_decay is not in its config"),
    "a shared layer": (shared, "layer 'dense.*' is shared by 'time_distributed.*' and 'time_distributed"),
    "a shared layer, unbuilt": (shared_and_unbuilt, "layer 'dense.*' is shared by"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_config_does_not_hold_is_refused(name: str) -> None:
    build, said = REFUSED[name]
    with pytest.raises(ModelError, match=said):
        pb.Study({"a": build()}, "digits")


def test_an_optimizer_given_beside_the_models_too() -> None:
    optimizer = keras.optimizers.SGD(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    with pytest.raises(UsageError, match="exclude_from_weight_decay is not in its config"):
        pb.Study({"a": stack()}, "digits", optimizer=optimizer)


PLAIN = {
    "recurrent": lambda: stack(L.LSTM(3), shape=(8, 8)),
    "both ways": lambda: stack(L.Bidirectional(L.GRU(3)), shape=(8, 8)),
    "normalized": lambda: stack(L.BatchNormalization(), L.Dense(3, bias_initializer=keras.initializers.Constant(0.3))),
    "attention": lambda: (
        lambda i: keras.Model(i, L.Dense(10, "softmax")(L.Flatten()(L.MultiHeadAttention(2, 3)(i, i))))
    )(keras.Input((8, 8))),
    "called twice": lambda: (lambda i, d: keras.Model(i, L.Dense(10, "softmax")(d(d(i)))))(
        keras.Input((64,)), L.Dense(64)
    ),
    "nested": lambda: stack(keras.Sequential([L.Dense(4)]), keras.Sequential([keras.Input((4,)), L.Dense(4)])),
    "stacked cells": lambda: stack(L.RNN([L.LSTMCell(3), L.GRUCell(2)]), shape=(8, 8)),
}


@pytest.mark.slow
@pytest.mark.parametrize("step", [12, pytest.param(1, marks=pytest.mark.proof)])
def test_nothing_is_objected_to_in_a_fresh_layer_of_any_class(step: int) -> None:
    """Its weights are those that its initializers draw, as far as they are drawn again. Here every twelfth is tried."""
    classes = {cls: name for name, cls in names.exported("layers").items()}
    for cls, name in list(classes.items())[::step]:
        case = case_of(name)
        try:
            model = case.build() if case.build else keras.Sequential([keras.Input(case.shape), cls(**case.arguments)])
        except (TypeError, ValueError, ImportError, AttributeError, NotImplementedError):
            continue
        assert list(find_unwritten_state(model)) == [], name


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_is_objected_to_in_fresh_models(name: str) -> None:
    assert pb.Study({"a": PLAIN[name]()}, "digits").document.arms


def test_a_model_that_was_trained_here_is_a_recipe() -> None:
    model = stack(L.Dense(4, "relu"))
    model.compile("adam", "categorical_crossentropy")
    model.fit(np.ones((10, 64), np.float32), np.eye(10, dtype=np.float32), epochs=1, verbose=0)
    assert pb.Study({"a": model}, "digits").document.arms
    assert keras.models.clone_model(loaded()) is not None
    assert pb.Study({"a": keras.models.clone_model(loaded())}, "digits").document.arms


FLAT = {"source": "digits", "scale": 16, "flatten": True}


def trained(model: keras.Model, engine: Engine, data: Any = "digits") -> Any:
    study = pb.Study({"a": model}, data, epochs=1, seeds=2)
    return study.run(backend=InProcess(engine), progress=False).arms["a"]


@pytest.mark.parametrize("compiled", [False, True])
def test_a_sequential_without_input_is_built_on_the_data(compiled: bool, engine: Engine) -> None:
    layers = [L.Flatten(), L.Dense(5, "relu"), L.Dense(10, "softmax")]
    model = keras.Sequential(layers)
    if compiled:
        model.compile("adam", "categorical_crossentropy")
    arm = trained(model, engine)
    written = keras.Sequential([keras.Input((8, 8)), L.Flatten(), L.Dense(5, "relu"), L.Dense(10, "softmax")])
    same = trained(written, engine)
    assert arm.recipe.parameters == 64 * 5 + 5 + 5 * 10 + 10
    assert [run.weights_digest for run in arm.runs] == [run.weights_digest for run in same.runs]


def test_a_sequential_without_input_is_taken_apart(engine: Engine) -> None:
    model = keras.Sequential([L.Flatten(), L.Dropout(0.3), L.Dense(5, "relu"), L.Dense(10, "softmax")])
    study = pb.Study({"as-it-is": model}, "digits", epochs=1, seeds=1)
    from paribus.api.ablate import ablate_arm

    found = ablate_arm(study, "as-it-is", parts=["no-dropout"], backend=InProcess(engine), progress=False)
    assert [part.arm for part in found.parts] == ["no-dropout"]


def test_a_call_without_training_is_called_without_it(engine: Engine) -> None:
    arm = trained(own_layers.WithoutTraining(5), engine, FLAT)
    assert arm.scored
    assert arm.recipe.parameters == 64 * 5 + 5 + 5 * 10 + 10


def test_a_seed_of_a_users_own_layer_stays(engine: Engine) -> None:
    one, other = (trained(stack(own_layers.Projection(6, seed=seed)), engine) for seed in (1, 2))
    assert one.recipe.model != other.recipe.model
    assert '"seed":2' in other.recipe.model
    assert {run.fingerprint for run in one.runs}.isdisjoint(run.fingerprint for run in other.runs)
    again = trained(stack(own_layers.Projection(6, seed=1)), engine)
    assert [run.weights_digest for run in again.runs] == [run.weights_digest for run in one.runs]


def test_a_seed_that_keras_takes_is_the_runs(engine: Engine) -> None:
    one, other = (trained(stack(own_layers.SeededDropout(0.5, seed=seed)), engine) for seed in (1, 2))
    assert one.recipe.model == other.recipe.model


@pytest.mark.parametrize("where", ["build", "initializer", "constant", "call"])
def test_what_numpy_draws_inside_a_layer_is_refused(where: str, engine: Engine) -> None:
    with pytest.raises(
        ModelError, match=r"built twice from the same config, it is not the same network.*own_layers\.py"
    ) as e:
        trained(stack(own_layers.DrawnByNumPy(where)), engine)
    assert "keras.random" in str(e.value)


def test_a_layer_that_draws_nothing_is_not(engine: Engine) -> None:
    assert trained(stack(own_layers.DrawnByNumPy("never")), engine).scored


def test_names_of_metrics_do_not_count_up() -> None:
    for _ in range(3):
        keras.metrics.AUC()
    assert keras_objects.write_metrics([keras.metrics.AUC()]) == [{"AUC": {}}]
    assert keras_objects.write_metrics([keras.metrics.AUC(), keras.metrics.AUC(curve="PR")]) == [
        {"AUC": {}},
        {"AUC": {"curve": "PR", "name": "auc_2"}},
    ]
    assert keras_objects.write_metrics([keras.metrics.AUC(name="area")]) == [{"AUC": {"name": "area"}}]
