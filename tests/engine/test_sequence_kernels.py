"""Products, maxima and sums of sequences as they are computed on a CPU, against JAX's own and Keras's layers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from jax import lax

from paribus.engine.kernels import products, rows, sums
from paribus.engine.kernels.replace import SEQUENCE_RULES, with_cpu_kernels

few = settings(max_examples=25, deadline=None)


@pytest.fixture(autouse=True)
def small_arrays_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that quick tests reach the rules."""
    for module in (products, rows, sums):
        monkeypatch.setattr(module, "SMALLEST", 1)
    monkeypatch.setattr(products, "OTHER_OPERAND", 1)


def drawn(generator: np.random.Generator, *shape: int) -> Any:
    return jnp.asarray(generator.standard_normal(shape, np.float32))


def computed(function: Any, *arrays: Any) -> tuple[Any, Any, Counter[str]]:
    """The result by JAX alone and by the rules, and the operations of the second."""
    ours = with_cpu_kernels(function, SEQUENCE_RULES)
    used = Counter(equation.primitive.name for equation in jax.make_jaxpr(ours)(*arrays).jaxpr.eqns)
    return jax.jit(function)(*arrays), jax.jit(ours)(*arrays), used


@st.composite
def contractions(draw: st.DrawFn) -> dict[str, Any]:
    """Any product of two arrays: how many axes of each kind, their lengths, and their order in each operand."""
    counts = {kind: draw(st.integers(0, 2)) for kind in ("batch", "summed", "left", "right")}
    sizes = {kind: [draw(st.integers(1, 4)) for _ in range(count)] for kind, count in counts.items()}
    orders = [
        draw(st.permutations(range(counts["batch"] + counts["summed"] + counts[side]))) for side in ("left", "right")
    ]
    return {"sizes": sizes, "orders": orders, "seed": draw(st.integers(0, 2**32 - 1))}


@few
@given(contractions())
@example({"sizes": {"batch": [], "summed": [3, 2], "left": [4], "right": [1]}, "orders": [[0, 1, 2]] * 2, "seed": 0})
@example({"sizes": {"batch": [2], "summed": [3], "left": [4], "right": [2]}, "orders": [[0, 2, 1]] * 2, "seed": 0})
def test_products(case: dict[str, Any]) -> None:
    generator = np.random.default_rng(case["seed"])
    arrays, numbers = [], []
    for side, order in zip(("left", "right"), case["orders"], strict=True):
        lengths = [*case["sizes"]["batch"], *case["sizes"]["summed"], *case["sizes"][side]]
        arrays.append(drawn(generator, *(lengths[i] for i in order)))
        places = [order.index(i) for i in range(len(lengths))]
        batch, summed = len(case["sizes"]["batch"]), len(case["sizes"]["summed"])
        numbers.append((places[batch : batch + summed], places[:batch]))
    dimensions = tuple(zip(*numbers, strict=True))
    plain, ours, _ = computed(lambda a, b: lax.dot_general(a, b, dimensions), *arrays)
    assert ours.dtype == plain.dtype
    np.testing.assert_allclose(ours, plain, rtol=0, atol=2e-5)


def test_the_gradient_of_a_kernel_used_at_every_step_transposes_nothing() -> None:
    generator = np.random.default_rng(0)
    x, kernel = drawn(generator, 4, 7, 3), drawn(generator, 3, 5)
    gradient = jax.grad(lambda k: jnp.sum(jnp.sin(x @ k)))
    plain, ours, _ = computed(gradient, kernel)
    np.testing.assert_allclose(ours, plain, rtol=0, atol=1e-5)
    traced = jax.make_jaxpr(with_cpu_kernels(gradient, SEQUENCE_RULES))(kernel)
    turned = [e.invars[0].aval.size for e in traced.jaxpr.eqns if e.primitive.name == "transpose"]
    assert set(turned) <= {kernel.size}  # the result alone


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("steps", [20, 70])
def test_attention_and_its_gradients(heads: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights of attention, the largest arrays of the step, are used as they lie."""
    monkeypatch.setattr(products, "OTHER_OPERAND", 2)
    generator = np.random.default_rng(0)
    layer = keras.layers.MultiHeadAttention(heads, 4)
    x = drawn(generator, 3, steps, 6)
    layer.build(x.shape, x.shape)
    weights = [drawn(generator, *v.shape) for v in layer.trainable_variables]

    def total(weights: list[Any], x: Any) -> Any:
        return jnp.sum(jnp.sin(layer.stateless_call(weights, [], x, x)[0]))

    function = jax.value_and_grad(total, argnums=(0, 1))
    (plain, plain_gradients), (ours, our_gradients), _ = computed(function, weights, x)
    np.testing.assert_allclose(ours, plain, rtol=1e-5)
    # The gradient of the keys' bias is 0: what is found there is what rounding left of the others.
    scale = max(float(np.abs(gradient).max()) for gradient in jax.tree.leaves(plain_gradients))
    for expected, found in zip(jax.tree.leaves(plain_gradients), jax.tree.leaves(our_gradients), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)
    size = 3 * heads * steps * steps
    assert copied(function, size, weights, x) > 0, "Keras's own form has them copied: otherwise this would show nothing"
    assert copied(with_cpu_kernels(function, SEQUENCE_RULES), size, weights, x) == 0


def copied(function: Any, size: int, *arguments: Any) -> int:
    """How many operands of so many elements XLA would bring into another order, or a transposition does."""
    count = 0
    for equation in equations(jax.make_jaxpr(function)(*arguments).jaxpr):
        if equation.primitive.name == "transpose" and equation.outvars[0].aval.size == size:
            shape = equation.invars[0].aval.shape
            order = [axis for axis in equation.params["permutation"] if shape[axis] > 1]
            count += order != sorted(order)
        if equation.primitive.name == "dot_general":
            for variable, summed, batch, place in zip(
                equation.invars, *equation.params["dimension_numbers"], (-1, 0), strict=True
            ):
                if variable.aval.size == size:
                    own = [axis for axis, length in enumerate(variable.aval.shape) if length > 1 and axis not in batch]
                    count += batch not in ((), (0,)) or summed != (own[place],)
    return count


def equations(jaxpr: Any) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            if hasattr(value, "jaxpr"):
                yield from equations(value.jaxpr)


@few
@given(st.integers(1, 4), st.integers(33, 1100), st.integers(0, 2**32 - 1))
@example(2, 40, 0)
def test_maxima_and_sums_of_rows(count: int, length: int, seed: int) -> None:
    x = drawn(np.random.default_rng(seed), count, length)
    plain, ours, _ = computed(lambda a: jnp.max(a, -1), x)
    assert (ours == plain).all()
    ours = with_cpu_kernels(lambda a: jnp.sum(a, -1), SEQUENCE_RULES)(x)
    np.testing.assert_allclose(ours, np.asarray(x, np.float64).sum(-1), rtol=0, atol=1e-4)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("place", [0, 8, 39, 41])
def test_rows_with_numbers_that_are_not_finite(number: float, place: int) -> None:
    x = drawn(np.random.default_rng(0), 3, 42).at[1, place].set(number)
    for function in (lambda a: jnp.max(a, -1), lambda a: jnp.sum(a, -1), lambda a: jax.nn.softmax(a, -1)):
        plain, ours, _ = computed(function, x)
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 3, 2, 4)])
def test_sums_over_steps_are_products_with_ones(shape: tuple[int, ...]) -> None:
    x = drawn(np.random.default_rng(0), *shape)
    plain, ours, used = computed(lambda a: jnp.sum(a, tuple(range(a.ndim - 1))), x)
    assert used["dot_general"] == 1
    assert not used["reduce_sum"]
    np.testing.assert_allclose(ours, plain, rtol=0, atol=1e-5)


def test_other_types_and_short_rows_are_left_to_xla() -> None:
    whole, short = jnp.zeros((4, 50), jnp.int32), jnp.zeros((4, 32))
    for x in (whole, short):
        _, _, used = computed(lambda a: jnp.max(a, -1), x)
        assert used == {"reduce_max": 1}
