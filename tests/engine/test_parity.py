"""Parity with Keras: the same initial weights and batches give what ``model.fit`` gives, within float32's rounding."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import keras
import numpy as np
import pytest

from paribus import seeds
from paribus.engine import steps
from paribus.engine.describe import describe
from paribus.engine.network import Network
from paribus.records import DataSpec, DescribeJob, Seeds, Training, canonical_json
from paribus.study.document import Arm, Protocol
from parity import draw_program

SCHEDULE = {
    "InverseTimeDecay": {"initial_learning_rate": 0.01, "decay_steps": 1, "decay_rate": 1e-4},
}
SGD = {"SGD": {"learning_rate": SCHEDULE, "momentum": 0.9}}
CROSS_ENTROPY = "categorical_crossentropy"


def dense(units: int, activation: str, **more: object) -> dict[str, object]:
    return {"Dense": {"units": units, "activation": activation, **more}}


@dataclass(frozen=True)
class Case:
    """A network, how it is trained, and the shape of its examples."""

    layers: list[object]
    optimizer: object = "Adam"
    loss: object = CROSS_ENTROPY
    shape: tuple[int, ...] = (784,)
    batches: int = 200


SOFTMAX = dense(10, "softmax")
CASES = {
    "sgd-momentum-decay": Case([dense(100, "tanh"), SOFTMAX], SGD),
    "adam": Case([dense(50, "relu"), dense(50, "relu"), SOFTMAX]),
    "l1": Case([dense(50, "relu", kernel_regularizer={"L1": {"l1": 1e-4}}), SOFTMAX], SGD),
    "l2": Case([dense(50, "sigmoid", kernel_regularizer={"L2": {"l2": 1e-3}}, bias_regularizer="l2"), SOFTMAX]),
    "conv1d": Case(
        [{"Conv1D": {"filters": 8, "kernel_size": 3, "activation": "relu"}}, {"Flatten": {}}, SOFTMAX],
        shape=(28, 28),
        batches=100,
    ),
    "batch-normalization": Case([dense(40, "relu"), {"BatchNormalization": {}}, SOFTMAX], SGD),
    "sparse-loss-from-logits": Case(
        [dense(40, "relu"), dense(10, "linear")], "RMSprop", {"SparseCategoricalCrossentropy": {"from_logits": True}}
    ),
    "mean-squared-error": Case([dense(40, "tanh"), SOFTMAX], "AdamW", "mean_squared_error"),
}
SAMPLE = frozenset({"sgd-momentum-decay", "adam", "mean-squared-error"})
"""Tried here, beside those of ``test_keras_parity.py``; ``make proof`` tries all."""


def network_of(case: Case) -> tuple[Network, steps.State]:
    arm = Arm.model_validate({"layers": case.layers, "optimizer": case.optimizer})
    training = Protocol.model_validate({"loss": case.loss}).training()
    job = DescribeJob("arm", arm.spec(), DataSpec("mnist"), training)
    network = Network.rebuild(describe(job, case.shape, 10), training)
    one = Seeds.of(7)
    keys = seeds.init_key(one), seeds.dropout_keys(one, len(network.seed_states))
    return network, draw_program(network)(*keys)


def keras_twin(case: Case, network: Network, state: steps.State) -> keras.Model:
    """The same network as a user would build it, with the same initial weights."""
    model = keras.models.clone_model(network.model)
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(network.optimizer))
    model.compile(optimizer, network.loss, metrics=["accuracy"])
    model.build((None, *case.shape))
    by_path = {path: np.asarray(value) for path, value in network.named_weights(state).items()}
    for variable in (*model.trainable_variables, *model.non_trainable_variables):
        if variable.path in by_path:
            variable.assign(by_path[variable.path])
    return model


def examples(case: Case, rest: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    count = case.batches * 20 + rest
    labels = generator.integers(0, 10, count).astype(np.int32)
    centres = generator.uniform(0, 255, (10, *case.shape))
    x = np.clip(centres[labels] + generator.normal(0, 60, (count, *case.shape)), 0, 255).astype(np.uint8)
    return x, labels


@pytest.mark.no_cover  # Keras and JAX trace for minutes, and other tests pass the same lines
@pytest.mark.parametrize(
    ("name", "rest"),
    [
        *(pytest.param(name, 7, marks=[] if name in SAMPLE else pytest.mark.proof) for name in CASES),
        ("adam", 0),
        pytest.param("conv1d", 0, marks=pytest.mark.proof),
    ],
)
def test_an_epoch_is_what_keras_fit_computes(name: str, rest: int) -> None:
    case = CASES[name]
    network, state = network_of(case)
    twin = keras_twin(case, network, state)
    x, labels = examples(case, rest)
    epoch = jax.jit(steps.chunk_program(network, steps.prepared(case.shape, 255), 20))
    after, sums = epoch(state, steps.Sums.zero(), np.arange(len(x), dtype=np.int32), x, labels)
    measures = sums.measures(len(x))

    y = labels if network.target_form == "integer" else keras.utils.to_categorical(labels, 10)
    history = twin.fit(x / np.float32(255), y, batch_size=20, epochs=1, shuffle=False, verbose=0).history

    assert float(measures.loss) == pytest.approx(history["loss"][0], rel=2e-4)
    assert float(measures.accuracy) == pytest.approx(history["accuracy"][0], abs=2e-3)
    ours = network.named_weights(after)
    theirs = {v.path: np.asarray(v) for v in twin.variables}
    for path, value in ours.items():
        np.testing.assert_allclose(np.asarray(value), theirs[path], rtol=5e-3, atol=5e-4, err_msg=path)


def test_evaluation_is_what_keras_evaluate_computes() -> None:
    case = CASES["adam"]
    network, state = network_of(case)
    twin = keras_twin(case, network, state)
    x, labels = examples(case)
    result = jax.jit(steps.evaluation_program(network, steps.prepared(case.shape, 255)))(state, x, labels)
    loss, accuracy = twin.evaluate(x / np.float32(255), keras.utils.to_categorical(labels, 10), verbose=0)
    assert float(np.mean(result.loss)) == pytest.approx(loss, rel=1e-5)
    assert float(np.mean(np.asarray(result.predicted) == labels)) == pytest.approx(accuracy, abs=1e-6)
    outputs = twin.predict(x / np.float32(255), verbose=0)
    np.testing.assert_allclose(result.true_probability, outputs[np.arange(len(x)), labels], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.confidence, outputs.max(axis=1), rtol=1e-4)


def test_with_dropout_the_distribution_over_seeds_agrees() -> None:
    """Masks differ, so losses are compared over seeds: two samples of one distribution (means within 4 errors)."""
    case = Case([{"Dropout": {"rate": 0.4}}, dense(30, "relu"), {"Dropout": {"rate": 0.2}}, SOFTMAX], batches=50)
    x, labels = examples(case)
    network, _ = network_of(case)
    draw = draw_program(network)
    epoch = jax.jit(steps.chunk_program(network, steps.prepared(case.shape, 255), 20))
    order = np.arange(len(x), dtype=np.int32)
    ours, theirs = [], []
    y = keras.utils.to_categorical(labels, 10)
    twin = keras_twin(case, network, draw(seeds.init_key(Seeds.of(0)), seeds.dropout_keys(Seeds.of(0), 2)))
    initial = twin.get_weights()
    for seed in range(24):
        one = Seeds(0, 0, seed)
        state = draw(seeds.init_key(one), seeds.dropout_keys(one, len(network.seed_states)))
        ours.append(epoch(state, steps.Sums.zero(), order, x, labels)[1].measures(len(order)).loss)
        twin.set_weights(initial)
        for value in twin.optimizer.variables:
            if value.name != "learning_rate":
                value.assign(np.zeros(value.shape))
        theirs.append(twin.fit(x / np.float32(255), y, batch_size=20, shuffle=False, verbose=0).history["loss"][0])
    error = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 24)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error
    assert 0.4 < np.std(ours) / np.std(theirs) < 2.5


def test_names_do_not_depend_on_what_was_built_before() -> None:
    """Canonical forms do not depend on Keras's counters."""
    case = CASES["adam"]
    first, _ = network_of(case)
    keras.layers.Dense(3)
    keras.layers.Dense(3)
    second, _ = network_of(case)
    assert [v.path for v in first.model.variables] == [v.path for v in second.model.variables]


def test_training_of_a_study_is_canonical() -> None:
    assert Training(canonical_json({"categorical_crossentropy": {}}), 10, 100) == Protocol().training()


def test_scaled_pixels_are_within_a_unit_of_the_last_place() -> None:
    """XLA multiplies by the reciprocal where a constant is divided by."""
    pixels = np.arange(256, dtype=np.uint8)[:, None]
    scaled = np.asarray(jax.jit(steps.prepared((1,), 255.0))(pixels))
    np.testing.assert_array_max_ulp(scaled, (pixels / 255.0).astype(np.float32), maxulp=1)
