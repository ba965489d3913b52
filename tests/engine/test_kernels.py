"""Convolutions and pooling as they are computed on a CPU, against Keras's own operations and against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import assume, example, given, settings

from paribus.engine.kernels.replace import WINDOW_RULES, with_cpu_kernels
from paribus.engine.rewriting import primitives
from quick_keras import LITTLE_OPTIMIZED

few = settings(max_examples=8, deadline=None)
sizes = st.integers(1, 3)


def value_and_gradients(function: Callable[..., Any], arrays: list[Any], weight: Any) -> tuple[Any, Any]:
    """A function's result, and the gradients of a weighted sum of it: once by Keras and JAX alone, once by ours."""

    def weighed(*arguments: Any) -> tuple[Any, Any]:
        result = function(*arguments)
        return jnp.sum(result * weight), result

    differentiated = jax.value_and_grad(weighed, argnums=tuple(range(len(arrays))), has_aux=True)
    (_, plain), plain_gradients = jax.jit(differentiated, compiler_options=LITTLE_OPTIMIZED)(*arrays)
    (_, ours), our_gradients = jax.jit(with_cpu_kernels(differentiated))(*arrays)
    return (plain, *plain_gradients), (ours, *our_gradients)


def assert_same(function: Callable[..., Any], arrays: list[Any], generator: np.random.Generator) -> None:
    """Within float32's rounding; sums of many terms differ by a few units of their greatest."""
    shape = jax.eval_shape(function, *arrays).shape
    weight = jnp.asarray(generator.standard_normal(shape, np.float32))
    plain, ours = value_and_gradients(function, arrays, weight)
    for expected, found in zip(plain, ours, strict=True):
        assert found.dtype == expected.dtype
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6 * scale)


def drawn(generator: np.random.Generator, *shape: int) -> Any:
    return jnp.asarray(generator.standard_normal(shape, np.float32))


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Shapes and arguments that Keras takes: strides and dilation not both above 1."""
    rank = draw(st.integers(1, 3))
    spread = draw(st.sampled_from(["strides", "dilation_rate", "neither"]))
    return {
        "rank": rank,
        "spatial": [draw(st.integers(1, 9 if rank < 3 else 5)) for _ in range(rank)],
        "kernel": [draw(sizes) for _ in range(rank)],
        "batch": draw(sizes),
        "arguments": {
            "strides": draw(sizes) if spread == "strides" else 1,
            "dilation_rate": draw(sizes) if spread == "dilation_rate" else 1,
            "padding": draw(st.sampled_from(["same", "valid"])),
            "data_format": draw(st.sampled_from(["channels_last", "channels_first"])),
        },
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def images(case: dict[str, Any], channels: int, generator: np.random.Generator) -> Any:
    shape = (*case["spatial"], channels)
    if case["arguments"]["data_format"] == "channels_first":
        shape = (channels, *case["spatial"])
    return drawn(generator, case["batch"], *shape)


def fits(case: dict[str, Any]) -> None:
    """Keras refuses a kernel that is larger than its image."""
    arguments = case["arguments"]
    reach = [(k - 1) * arguments["dilation_rate"] + 1 for k in case["kernel"]]
    assume(arguments["padding"] == "same" or all(n >= r for n, r in zip(case["spatial"], reach, strict=True)))


@few
@given(convolutions(), st.integers(1, 5), sizes, st.sampled_from([1, 2, 3]))
def test_convolutions(case: dict[str, Any], read: int, filters: int, groups: int) -> None:
    fits(case)
    generator = np.random.default_rng(case["seed"])
    x = images(case, read * groups, generator)
    kernel = drawn(generator, *case["kernel"], read, filters * groups)
    assert_same(lambda *a: keras.ops.conv(*a, **case["arguments"]), [x, kernel], generator)


@few
@given(convolutions(), sizes, sizes)
def test_depthwise_convolutions(case: dict[str, Any], channels: int, multiplier: int) -> None:
    fits(case)
    assume(case["rank"] < 3)
    generator = np.random.default_rng(case["seed"])
    x = images(case, channels, generator)
    kernel = drawn(generator, *case["kernel"], channels, multiplier)
    assert_same(lambda *a: keras.ops.depthwise_conv(*a, **case["arguments"]), [x, kernel], generator)


@few
@given(convolutions(), sizes, sizes)
def test_separable_convolutions(case: dict[str, Any], channels: int, filters: int) -> None:
    fits(case)
    assume(case["rank"] < 3)
    generator = np.random.default_rng(case["seed"])
    x = images(case, channels, generator)
    kernels = [
        drawn(generator, *case["kernel"], channels, 2),
        drawn(generator, *[1] * case["rank"], 2 * channels, filters),
    ]
    arguments = {**case["arguments"], "dilation_rate": 1}
    assert_same(lambda *a: keras.ops.separable_conv(*a, **arguments), [x, *kernels], generator)


@few
@given(convolutions(), sizes, sizes)
def test_transposed_convolutions(case: dict[str, Any], channels: int, filters: int) -> None:
    generator = np.random.default_rng(case["seed"])
    x = images({**case, "arguments": {"data_format": "channels_last"}}, channels, generator)
    kernel = drawn(generator, *case["kernel"], filters, channels)
    arguments = {**case["arguments"], "data_format": "channels_last"}
    assert_same(lambda *a: keras.ops.conv_transpose(*a, **arguments), [x, kernel], generator)


@pytest.mark.parametrize("rows", [1, 15, 40])
def test_a_depthwise_kernel_gradient_takes_rows_in_blocks(rows: int) -> None:
    """Also where the last block is not full: 28 rows of a 3 x 3 kernel are one."""
    generator = np.random.default_rng(rows)
    x, kernel = drawn(generator, 2, rows, 5, 4), drawn(generator, 3, 3, 4, 1)
    assert_same(lambda *a: keras.ops.depthwise_conv(*a, padding="same"), [x, kernel], generator)


def test_causal_convolutions() -> None:
    generator = np.random.default_rng(0)
    layer = keras.layers.Conv1D(3, 3, padding="causal", dilation_rate=2)
    x = drawn(generator, 2, 9, 4)
    layer.build(x.shape)
    kernel = drawn(generator, 3, 4, 3)
    assert_same(lambda x, k: layer.stateless_call([k, jnp.zeros(3)], [], x)[0], [x, kernel], generator)


@st.composite
def poolings(draw: st.DrawFn) -> dict[str, Any]:
    rank = draw(st.integers(1, 3))
    return {
        "spatial": [draw(st.integers(1, 9 if rank < 3 else 5)) for _ in range(rank)],
        "batch": draw(sizes),
        "channels": draw(sizes),
        "arguments": {
            "pool_size": tuple(draw(sizes) for _ in range(rank)),
            "strides": tuple(draw(sizes) for _ in range(rank)),
            "padding": draw(st.sampled_from(["same", "valid"])),
            "data_format": draw(st.sampled_from(["channels_last", "channels_first"])),
        },
        "seed": draw(st.integers(0, 2**32 - 1)),
        "levels": draw(st.sampled_from([1, 2, 3, 1000])),
    }


def pooled(case: dict[str, Any], generator: np.random.Generator) -> Any:
    """Small whole numbers, so that entries of a window tie."""
    arguments = case["arguments"]
    assume(
        arguments["padding"] == "same"
        or all(n >= k for n, k in zip(case["spatial"], arguments["pool_size"], strict=True))
    )
    shape = (*case["spatial"], case["channels"])
    if arguments["data_format"] == "channels_first":
        shape = (case["channels"], *case["spatial"])
    return jnp.asarray(generator.integers(0, case["levels"], (case["batch"], *shape)), jnp.float32)


@few
@given(poolings())
def test_max_pooling(case: dict[str, Any]) -> None:
    generator = np.random.default_rng(case["seed"])
    x = pooled(case, generator)
    assert_same(lambda a: keras.ops.max_pool(a, **case["arguments"]), [x], generator)


@few
@given(poolings())
def test_average_pooling(case: dict[str, Any]) -> None:
    generator = np.random.default_rng(case["seed"])
    x = pooled(case, generator)
    assert_same(lambda a: keras.ops.average_pool(a, **case["arguments"]), [x], generator)


@given(st.lists(st.sampled_from([0.0, 1.0, -np.inf, np.nan]), min_size=9, max_size=9), st.integers(1, 3))
@example([np.nan] * 9, 2)
@example([-np.inf] * 9, 1)
@settings(max_examples=50, deadline=None)
def test_ties_infinities_and_nans_have_the_gradient_where_xla_puts_it(entries: list[float], stride: int) -> None:
    x = jnp.asarray(entries, jnp.float32).reshape(1, 3, 3, 1)

    def gradient(a: Any) -> Any:
        def pool(b: Any) -> Any:
            return keras.ops.max_pool(b, (2, 2), (stride, stride), "same")

        result, back = jax.vjp(pool, a)
        return back(jnp.arange(1.0, result.size + 1).reshape(result.shape))

    np.testing.assert_array_equal(jax.jit(with_cpu_kernels(gradient))(x), jax.jit(gradient)(x))


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x, k: keras.ops.conv(x, k, 2, "same"), [(2, 5, 4, 2), (3, 2, 2, 3)]),
        (lambda x, k: keras.ops.depthwise_conv(x, k, 1, "same"), [(2, 5, 4, 2), (3, 2, 2, 2)]),
        (lambda x, k: keras.ops.conv_transpose(x, k, 2), [(2, 3, 3, 2), (3, 2, 3, 2)]),
        (lambda x: keras.ops.max_pool(x, (2, 2), (1, 1), "same"), [(1, 4, 5, 2)]),
        (lambda x: keras.ops.average_pool(x, (3, 3), (2, 2), "same"), [(1, 4, 5, 2)]),
    ],
)
def test_gradients_are_those_of_differences(function: Callable[..., Any], shapes: list[tuple[int, ...]]) -> None:
    generator = np.random.default_rng(1)
    arrays = [drawn(generator, *shape) for shape in shapes]
    directions = [drawn(generator, *shape) for shape in shapes]

    def total(*arguments: Any) -> Any:
        return jnp.sum(jnp.sin(function(*arguments)))

    step = 1e-2
    ahead, behind = (total(*(a + sign * step * d for a, d in zip(arrays, directions, strict=True))) for sign in (1, -1))
    gradients = with_cpu_kernels(jax.grad(total, argnums=tuple(range(len(arrays)))))(*arrays)
    along = sum(float(jnp.vdot(g, d)) for g, d in zip(gradients, directions, strict=True))
    assert along == pytest.approx(float(ahead - behind) / (2 * step), rel=2e-2, abs=2e-2)


def test_every_convolution_of_a_step_is_one_that_eigen_computes() -> None:
    """Batch first, channels last, one group; no window reduction is left to XLA."""

    def network(x: Any, kernel: Any, depthwise: Any) -> Any:
        x = keras.ops.max_pool(keras.ops.conv(x, kernel, padding="same"), (2, 2), (2, 2))
        return jnp.sum(keras.ops.average_pool(keras.ops.depthwise_conv(x, depthwise), (2, 2), (2, 2)))

    arrays = [np.zeros(shape, np.float32) for shape in ((2, 9, 9, 5), (3, 3, 5, 4), (3, 3, 4, 1))]
    step = with_cpu_kernels(jax.grad(network, argnums=(0, 1, 2)))
    traced = jax.make_jaxpr(step)(*arrays)
    small_sums_stay = {"conv_general_dilated", "reduce_sum"}
    assert not primitives(traced.jaxpr) & (WINDOW_RULES.keys() - small_sums_stay)
    convolutions = [e for e in traced.jaxpr.eqns if e.primitive.name == "conv_general_dilated"]
    assert len(convolutions) == 3
    for equation in convolutions:
        numbers = equation.params["dimension_numbers"]
        assert (numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec) == ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
        assert equation.params["feature_group_count"] == equation.params["batch_group_count"] == 1


def test_the_gradient_of_a_kernel_of_one_pixel_is_a_product_of_matrices_as_they_lie() -> None:
    """Otherwise XLA transposes the input, and computes what it comes from once more."""
    x, kernel = np.zeros((2, 5, 5, 3), np.float32), np.zeros((1, 1, 3, 4), np.float32)
    gradient = with_cpu_kernels(jax.grad(lambda k: jnp.sum(jnp.sin(keras.ops.conv(x, k)))))
    traced = jax.make_jaxpr(gradient)(kernel)
    last = [e for e in traced.jaxpr.eqns if e.primitive.name == "dot_general"][-1]
    assert {operand.aval.shape for operand in last.invars} == {(50, 3), (50, 4)}
    assert last.params["dimension_numbers"] == (((0,), (0,)), ((), ()))


def test_what_has_none_of_them_is_called_as_it_is() -> None:
    seen = []

    def plain(x: Any) -> Any:
        seen.append(x)
        return x + 1

    assert with_cpu_kernels(plain)(1.0) == 2.0
    assert seen[-1] == 1.0


@pytest.mark.parametrize("shape", [(8, 9, 8, 130), (16, 512, 8), (8, 16, 16, 16, 2)])
def test_sums_over_examples_and_pixels(shape: tuple[int, ...]) -> None:
    """Large ones are computed otherwise than by XLA, and not less exactly."""
    x = drawn(np.random.default_rng(0), *shape)
    axes = tuple(range(len(shape) - 1))
    sums = with_cpu_kernels(lambda a: jnp.sum(a, axes))
    reduced = [e for e in jax.make_jaxpr(sums)(x).jaxpr.eqns if e.primitive.name == "reduce_sum"]
    assert [equation.params["axes"] for equation in reduced] == [(0,)]
    exact = np.asarray(x, np.float64).sum(axes)
    np.testing.assert_allclose(jax.jit(sums)(x), exact, rtol=0, atol=5e-4)  # of up to 32,768 numbers
    assert not np.isnan(sums(jnp.zeros(shape))).any()


@pytest.mark.parametrize("axes", [(0, 1), (1,), (0, 2), (0, 1, 2)])
def test_other_sums_are_left_to_xla(axes: tuple[int, ...]) -> None:
    x = drawn(np.random.default_rng(0), 4 if axes == (0, 1) else 16, 512, 32)
    traced = jax.make_jaxpr(with_cpu_kernels(lambda a: jnp.sum(a, axes)))(x)
    assert [e.params["axes"] for e in traced.jaxpr.eqns if e.primitive.name == "reduce_sum"] == [axes]


def test_batch_normalization() -> None:
    """Moments of an array large enough for the rule, and the gradients through them."""
    generator = np.random.default_rng(0)
    layer = keras.layers.BatchNormalization()
    x = drawn(generator, 16, 16, 16, 16)
    layer.build(x.shape)
    others = [v.value for v in layer.non_trainable_variables]
    scales = [drawn(generator, 16), drawn(generator, 16)]

    def normalized(x: Any, gamma: Any, beta: Any) -> Any:
        return layer.stateless_call([gamma, beta], others, x, training=True)[0]

    assert_same(normalized, [x, *scales], generator)


@pytest.mark.parametrize("filters", [1, 6, 15, 16])
@pytest.mark.parametrize("arguments", [{}, {"padding": "same"}, {"strides": 2}, {"dilation_rate": 2}])
def test_first_convolutions_with_few_filters(filters: int, arguments: dict[str, Any]) -> None:
    generator = np.random.default_rng(filters)
    x, kernel = drawn(generator, 2, 11, 9, 2), drawn(generator, 3, 3, 2, filters)
    assert_same(lambda *a: keras.ops.conv(*a, **arguments), [x, kernel], generator)
