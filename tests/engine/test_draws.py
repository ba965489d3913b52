"""All random bits of a network's first weights are drawn at once: not a bit of what is drawn changes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paribus.engine.compile import DRAW_ONCE
from paribus.engine.draws import drawn_at_once

INITIALIZERS = (
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
)
SHAPES = ((60, 50), (3, 3, 4, 5), (257, 1))


def draw(key: jax.Array) -> list[jax.Array]:
    """What Keras's initializers draw, one after the other from one stream of seeds, as a network's weights."""
    stream, drawn = keras.random.SeedGenerator(0), []
    with keras.StatelessScope(state_mapping=[(stream.state, key)], initialize_variables=False):
        for name in INITIALIZERS:
            for shape in SHAPES:
                initializer = getattr(keras.initializers, name)()
                initializer.seed = stream
                drawn.append(jnp.asarray(initializer(shape, dtype="float32")))
    return drawn


@pytest.fixture(scope="module")
def lowered() -> list[jax.stages.Lowered]:
    """The program as it is, and with its bits drawn at once."""
    key = np.zeros(2, np.uint32)
    return [jax.jit(function).lower(key) for function in (draw, drawn_at_once(draw))]


@pytest.mark.parametrize("key", [(0, 0), (7, 3), (2**32 - 1, 2**31)])
def test_weights_have_the_bits_that_keras_draws(lowered: list[jax.stages.Lowered], key: tuple[int, int]) -> None:
    by_one, at_once = (each.compile(compiler_options=DRAW_ONCE)(np.array(key, np.uint32)) for each in lowered)
    for one, other in zip(by_one, at_once, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert len({np.asarray(weight).tobytes() for weight in at_once}) == len(SHAPES) * len(INITIALIZERS)


def test_no_loop_is_left_but_that_of_the_orthogonal_decomposition(lowered: list[jax.stages.Lowered]) -> None:
    by_one, at_once = (each.as_text().count("stablehlo.while") for each in lowered)
    assert at_once < by_one, "JAX draws with a loop"
    key = np.zeros(2, np.uint32)
    assert jax.jit(drawn_at_once(lambda key: jax.random.normal(key, (9,)))).lower(key).as_text().count("while") == 0


@given(st.lists(st.lists(st.integers(1, 40), max_size=3), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_bits_depend_on_key_and_position_alone(shapes: list[list[int]], seed: int) -> None:
    def bits(key: jax.Array) -> list[jax.Array]:
        return [
            jax.random.bits(one, shape) for one, shape in zip(jax.random.split(key, len(shapes)), shapes, strict=True)
        ]

    key = jax.random.key(seed)
    for one, other in zip(bits(key), drawn_at_once(bits)(key), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_drawn_with_a_key_that_was_drawn_is_drawn_later() -> None:
    def chain(key: jax.Array) -> tuple[jax.Array, ...]:
        first = jax.random.bits(key, (2,))
        second = jax.random.bits(jax.random.wrap_key_data(first), (5, 3))
        return first, second, jax.random.bits(key, (4,), "uint8"), jax.random.normal(jax.random.key(3), (7,))

    for one, other in zip(chain(jax.random.key(1)), drawn_at_once(chain)(jax.random.key(1)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_generators_and_many_lanes_are_drawn_as_ever() -> None:
    def other(key: jax.Array) -> list[jax.Array]:
        return [jax.random.uniform(jax.random.key(5, impl="rbg"), (3,)), jax.random.uniform(key, (300,)), key[None, :0]]

    keys = np.array([[1, 2], [3, 4], [5, 6]], np.uint32)
    for one, lanes in zip(map(other, keys), zip(*jax.vmap(drawn_at_once(other))(keys), strict=True), strict=True):
        for a, b in zip(one, lanes, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_draw_by_threefrys_other_order_is_drawn_as_ever() -> None:
    def other_order(key: jax.Array) -> jax.Array:
        with jax.threefry_partitionable(False):
            return jax.random.bits(key, (6,))

    key = jax.random.key(4)
    assert not np.array_equal(other_order(key), jax.random.bits(key, (6,)))
    np.testing.assert_array_equal(other_order(key), drawn_at_once(other_order)(key))


def test_what_an_initializer_does_with_its_bits_may_have_a_derivative_of_its_own() -> None:
    def rectified(key: jax.Array) -> list[jax.Array]:
        return [jax.nn.relu(jax.random.normal(key, (5,))), jax.nn.silu(jax.random.uniform(key, (7,)))]

    key = jax.random.key(2)
    for one, other in zip(jax.jit(rectified)(key), jax.jit(drawn_at_once(rectified))(key), strict=True):
        np.testing.assert_array_equal(one, other)
