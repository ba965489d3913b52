"""Products of operands rounded to bf16: what is rounded, what is not, and that nothing else changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from digits_jobs import DIGITS, DROPOUT, SOFTMAX, TWO_EPOCHS, arm, describe_job, train, train_job
from paribus import seeds
from paribus.data import load, summarize
from paribus.engine import steps
from paribus.engine.engine import Engine
from paribus.engine.network import Network, State
from paribus.engine.precision import with_bf16_products
from paribus.records import Seeds
from paribus.study.load import parse_study
from paribus.study.plan import list_jobs

BF16 = replace(TWO_EPOCHS, precision="bf16")
CONVOLUTION = (
    {"Reshape": {"target_shape": [8, 8, 1]}},
    {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"Flatten": {}},
    SOFTMAX,
)
RECURRENT = ({"Reshape": {"target_shape": [8, 8]}}, {"LSTM": {"units": 5}}, SOFTMAX)
TOLERANCE = 0.02
"""How far the fit loss of two epochs may be from float32's: two roundings to 8 bits of a product are 2 ** -8."""


def drawn(*shape: int, seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def by_hand(value: jax.Array) -> jax.Array:
    """Rounded to bf16, and float32 again."""
    return value.astype(jnp.bfloat16).astype(jnp.float32)


X, W = drawn(8, 5), drawn(5, 5, seed=1)
IMAGES, KERNEL = drawn(2, 8, 8, 3), drawn(3, 3, 3, 4, seed=1)
CASES: dict[str, tuple[Callable[..., Any], tuple[jax.Array, ...]]] = {
    "product": (lambda x, w: x @ w, (X, W)),
    "einsum": (lambda x, w: jnp.einsum("bi,oi->bo", x, w), (X, W)),
    "function inside": (lambda x, w: jax.jit(jnp.matmul)(x, w), (X, W)),
    "derivative of its own": (lambda x, w: jax.nn.relu(x @ w), (X, W)),
    "branch": (lambda x, w: jax.lax.cond(x[0, 0] < 9, lambda: x @ w, lambda: x), (X, W)),
    "loop": (lambda x, w: jax.lax.fori_loop(0, 1, lambda _, c: c @ w, x), (X, W)),
    "scan": (lambda x, w: jax.lax.scan(lambda c, _: (c @ w, None), x, None, length=1)[0], (X, W)),
    "checkpoint": (lambda x, w: jax.checkpoint(jnp.matmul)(x, w), (X, W)),
    "convolution": (lambda x, w: keras.ops.conv(x, w, padding="same"), (IMAGES, KERNEL)),
}


@pytest.mark.parametrize("name", CASES)
def test_products_are_those_of_operands_rounded_by_hand(name: str) -> None:
    function, operands = CASES[name]
    found = jax.jit(with_bf16_products(function))(*operands)
    expected = jax.jit(function)(*map(by_hand, operands))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert not np.allclose(found, function(*operands), rtol=1e-6, atol=1e-6), "nothing was rounded"


def test_the_backward_pass_rounds_both_operands_of_both_its_products() -> None:
    upstream = drawn(8, 5, seed=2)
    _, pull = jax.vjp(jnp.matmul, X, W)
    dx, dw = with_bf16_products(pull)(upstream)
    np.testing.assert_allclose(dx, by_hand(upstream) @ by_hand(W).T, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(dw, by_hand(X).T @ by_hand(upstream), rtol=1e-6, atol=1e-6)


def test_what_is_no_product_of_float32_stays_as_it_is() -> None:
    def function(x: jax.Array, w: jax.Array) -> tuple[jax.Array, ...]:
        counts = jnp.ones((2, 3), jnp.int32)
        return x.sum(axis=0) * 1.001, jnp.tanh(w), counts @ counts.T

    for found, expected in zip(with_bf16_products(function)(X, W), function(X, W), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.no_cover  # trains much, and other tests pass the same lines
@pytest.mark.parametrize(
    "layers",
    [DROPOUT, CONVOLUTION, pytest.param(RECURRENT, marks=pytest.mark.proof)],
    ids=["dropout", "convolution", "recurrent"],
)
def test_training_rounds_and_stays_close_to_float32(engine: Engine, layers: Any) -> None:
    rounded, exact = train(engine, layers, training=BF16), train(engine, layers)
    assert rounded.weights_digest != exact.weights_digest
    assert abs(rounded.curve.fit_loss[-1] - exact.curve.fit_loss[-1]) < TOLERANCE
    assert rounded.weights is not None
    assert {value.dtype for value in rounded.weights.values()} == {np.dtype(np.float32)}


def test_measured_is_in_float32(engine: Engine) -> None:
    """What is stored and exported are float32 weights; scores are what these weights score in float32."""
    recipe = engine.describe(describe_job(arm(DROPOUT)))
    data = load(DIGITS)
    x, labels = data.x_test, data.y_test
    found = []
    for training in (TWO_EPOCHS, BF16):
        network = Network.rebuild(recipe, training)
        state = network.initial_state(seeds.init_key(Seeds.of(0)), seeds.dropout_keys(Seeds.of(0), 2))
        found.append(jax.jit(steps.evaluation_program(network, steps.prepared((64,), 16)))(state, x, labels))
    np.testing.assert_array_equal(found[0].loss, found[1].loss)


@pytest.mark.no_cover  # trains much, and other tests pass the same lines
def test_lanes_of_a_vmap_compute_what_single_runs_compute(engine: Engine) -> None:
    network = Network.rebuild(engine.describe(describe_job(arm(DROPOUT))), BF16)
    data = load(DIGITS)
    x = data.x_train[:100].reshape(100, 64).astype(np.float32) / 16
    labels = data.y_train[:100]
    each = [network.initial_state(seeds.init_key(s), seeds.dropout_keys(s, 2)) for s in map(Seeds.of, (0, 1))]
    lanes: State = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    step = lambda state: steps.train_step(network, state, x, labels)[1]  # noqa: E731
    together, alone = jax.jit(jax.vmap(step))(lanes), jax.jit(step)
    for lane, state in enumerate(each):
        np.testing.assert_allclose(alone(state), together[lane], rtol=1e-6)


ELSEWHERE = """
import sys
sys.path[:0] = sys.argv[1:]
from paribus.engine import environment
environment.prepare()
from digits_jobs import DROPOUT, train
from paribus.engine.engine import Engine
from test_precision import BF16
print(train(Engine(), DROPOUT, training=BF16).weights_digest)
"""


def test_another_process_computes_the_same_bits(engine: Engine) -> None:
    here = train(engine, DROPOUT, training=BF16).weights_digest
    command = [sys.executable, "-c", ELSEWHERE, str(Path(__file__).parents[1]), str(Path(__file__).parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == here


STUDY = """
name = "both"
data = {{ source = "digits", scale = 16, flatten = true }}
{protocol}
[arms.a]
layers = [{{ Dense = {{ units = 10, activation = "softmax" }} }}]
[arms.b]
layers = [{{ Dense = {{ units = 10, activation = "softmax" }} }}]
precision = "{of_arm}"
"""


@pytest.mark.parametrize(
    ("protocol", "of_arm", "expected"),
    [("", "bf16", [None, "bf16"]), ('[protocol]\nprecision = "bf16"', "float32", ["bf16", None])],
)
def test_an_arm_may_have_a_precision_of_its_own(
    engine: Engine, protocol: str, of_arm: str, expected: list[str | None]
) -> None:
    document = parse_study(STUDY.format(protocol=protocol, of_arm=of_arm), "s.toml")
    recipe = engine.describe(describe_job(document.arms["a"]))
    jobs = list_jobs(document, {"a": recipe, "b": recipe}, summarize(DIGITS), [Seeds.of(0)])
    assert [job.training.precision for job in jobs] == expected
    assert document.arms["a"].spec() == document.arms["b"].spec()
    assert len({job.fingerprint for job in jobs}) == 2


def test_runs_in_float32_keep_their_names(engine: Engine) -> None:
    recipe = engine.describe(describe_job(arm(DROPOUT)))
    assert train_job(recipe).fingerprint == train_job(recipe, training=replace(TWO_EPOCHS, precision=None)).fingerprint
    assert train_job(recipe).fingerprint != train_job(recipe, training=BF16).fingerprint


def test_the_example_compares_equal_networks_that_differ_in_precision_alone() -> None:
    path = Path(__file__).parents[2] / "examples" / "bf16.toml"
    document = parse_study(path.read_text(encoding="utf-8"), path.name)
    assert len(document.contrasts) == 2
    for contrast in document.contrasts:
        rounded, exact = document.arms[contrast.a], document.arms[contrast.b]
        assert (rounded.precision, exact.precision) == ("bf16", None)
        assert rounded.spec() == exact.spec()
