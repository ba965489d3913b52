"""The same training twice: by the engine's programs, and by Keras's ``fit`` from the same weights in the same order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

import quick_keras  # noqa: F401
from paribus import seeds
from paribus.engine import steps
from paribus.engine.compile import DRAW_ONCE
from paribus.engine.describe import describe
from paribus.engine.draws import drawn_at_once
from paribus.engine.losses import OutputKind
from paribus.engine.network import Network, State
from paribus.engine.rebuild import as_read, input_shape
from paribus.records import DataSpec, DescribeJob, Recipe, Seeds
from paribus.study.document import Arm, Protocol

BATCH = 10


@dataclass(frozen=True)
class Case:
    """A network, how it is trained, and the examples it is trained on: ``batches`` full ones and a short last one."""

    layers: list[Any] | None = None
    optimizer: Any = "Adam"
    loss: Any = "categorical_crossentropy"
    shape: tuple[int, ...] = (12,)
    classes: int = 4
    batches: int = 12
    class_weights: tuple[float, ...] | None = None
    model: str | None = None
    highest: float = 1.0
    tolerance: float = 2e-4
    accuracy: Any = "accuracy"


def written(case: Case) -> tuple[Recipe, Network]:
    """The case's canonical form, brought to life."""
    kind = {"layers": case.layers} if case.model is None else {"model": case.model}
    arm = Arm.model_validate({**kind, "optimizer": case.optimizer})
    training = Protocol.model_validate({"loss": case.loss}).training()
    recipe = describe(
        DescribeJob("arm", arm.spec(), DataSpec("x"), training),
        case.shape,
        case.classes,
    )
    return recipe, Network.rebuild(recipe, training)


def drawn(network: Network, seed: int = 7) -> State:
    """Initial weights."""
    one = Seeds.of(seed)
    return draw_program(network)(seeds.init_key(one), seeds.dropout_keys(one, len(network.seed_states)))


def draw_program(network: Network) -> Callable[[Any, Any], State]:
    """What draws a network's first state from two keys, compiled as the engine compiles it: in a tenth of the time."""
    one = Seeds.of(0)
    keys = seeds.init_key(one), seeds.dropout_keys(one, len(network.seed_states))
    program: Callable[[Any, Any], State] = (
        jax.jit(drawn_at_once(network.initial_state)).lower(*keys).compile(compiler_options=DRAW_ONCE)
    )
    return program


def examples(case: Case, rest: int = 7) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Examples that can be learnt: noisy copies of one pattern a class."""
    generator = np.random.default_rng(3)
    count = case.batches * BATCH + rest
    labels = generator.integers(0, case.classes, count).astype(np.int32)
    patterns = generator.uniform(0, case.highest, (case.classes, *case.shape))
    x = patterns[labels] + generator.normal(0, case.highest / 10, (count, *case.shape))
    return np.clip(x, 0, case.highest).astype(np.float32), labels


def target(network: Network, labels: NDArray[np.int32], case: Case) -> NDArray[Any]:
    """Labels in the form that a user of Keras would hand over."""
    if network.target_form == "integer":
        return labels
    if (network.model.outputs[0].shape[-1] if network.model.outputs else case.classes) == 1:
        return labels[:, None].astype(np.float32)
    return np.asarray(keras.utils.to_categorical(labels, case.classes))


def keras_twin(recipe: Recipe, network: Network, state: State, accuracy: Any = "accuracy") -> keras.Model:
    """The same network as Keras builds it, with the same initial weights."""
    keras.utils.clear_session(free_memory=False)
    model = keras.saving.deserialize_keras_object(json.loads(recipe.model))
    optimizer = keras.saving.deserialize_keras_object(json.loads(recipe.optimizer))
    model.compile(optimizer, network.loss, metrics=[accuracy])
    give_weights(model, network, state)
    return model


def give_weights(model: keras.Model, network: Network, state: State) -> None:
    """Assign a state's weights, by path."""
    by_path = {path: np.asarray(value) for path, value in network.named_weights(state).items()}
    for variable in (*model.trainable_variables, *model.non_trainable_variables):
        if variable.path in by_path:
            variable.assign(by_path.pop(variable.path))
    assert not by_path, f"weights that the twin lacks: {list(by_path)}"


def check(case: Case, epochs: int = 2) -> None:
    """Train both and compare: what ``fit`` prints after each epoch, the weights at the end, and an evaluation."""
    recipe, network = written(case)
    state = drawn(network)
    twin = keras_twin(recipe, network, state, case.accuracy)
    x, labels = examples(case)
    reads = as_read(input_shape(network.model)[1:], case.shape)
    assert reads is not None
    prepare = steps.prepared(reads)
    weights = None if case.class_weights is None else np.asarray(case.class_weights, np.float32)
    epoch = jax.jit(steps.chunk_program(network, prepare, BATCH, weights))
    order = np.arange(len(x), dtype=np.int32)
    y = target(network, labels, case)
    history = twin.fit(
        x.reshape(-1, *reads),
        y,
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        class_weight=None if weights is None else dict(enumerate(weights.tolist())),
    ).history
    for number in range(epochs):
        state, sums = epoch(state, steps.Sums.zero(), order, x, labels)
        measures = sums.measures(len(order))
        np.testing.assert_allclose(float(measures.loss), history["loss"][number], rtol=case.tolerance)
        np.testing.assert_allclose(
            float(measures.accuracy),
            history[getattr(case.accuracy, "name", case.accuracy)][number],
            atol=1 / len(x) + 1e-6,
        )
    state = network.finalized(state)
    theirs = {v.path: np.asarray(v) for v in twin.variables}
    for path, value in network.named_weights(state).items():
        scale = np.abs(theirs[path]).max() + 1e-3
        np.testing.assert_allclose(np.asarray(value), theirs[path], atol=20 * case.tolerance * scale, err_msg=path)
    found = jax.jit(steps.evaluation_program(network, prepare))(state, x, labels)
    outputs = np.asarray(twin.predict(x.reshape(-1, *reads), batch_size=len(x), verbose=0))
    if outputs.shape[-1] == case.classes and network.output_kind is OutputKind.PROBABILITIES:
        shown = np.clip(outputs[np.arange(len(x)), labels], 0, 1)
        np.testing.assert_allclose(found.true_probability, shown, atol=50 * case.tolerance)
    values = network.loss.call(keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(outputs))
    np.testing.assert_allclose(np.mean(found.loss), np.mean(values), rtol=10 * case.tolerance)
