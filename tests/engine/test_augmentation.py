"""Images transformed as the engine does it on a CPU, against Keras's own operation and layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings

from paribus.engine.augmentation import TRANSFORMING, affine_transform, transform_fast
from quick_keras import LITTLE_OPTIMIZED

MODES = ["constant", "nearest", "wrap", "mirror", "reflect"]
EXAMPLES = (
    st.tuples(st.integers(1, 3), st.integers(2, 7), st.integers(2, 7), st.integers(1, 3)),
    st.lists(st.integers(-40, 40), min_size=6, max_size=18),
    st.sampled_from(MODES),
    st.sampled_from(["bilinear", "nearest"]),
    st.sampled_from(["channels_last", "channels_first"]),
    st.integers(0, 2**32 - 1),
)
"""Images, eighths of a transform, how it is filled and read, how the images lie, and the seed of their pixels."""


def drawn(seed: int, shape: tuple[int, ...]) -> Any:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, np.float32))


def transforms(batch: int, steps: list[int]) -> Any:
    """Eighths: the coordinates are exact in float32, so that no rounding decides which pixel is the nearest."""
    numbers = np.resize(np.asarray(steps, np.float32) / 8, (batch, 6))
    return jnp.asarray(np.pad(numbers, ((0, 0), (0, 2))))


def with_gradient(function: Callable[[Any], Any], x: Any, weight: Any) -> tuple[Any, Any]:
    """A function's result, and its gradient for a weight of each part of it; one program, quickly compiled."""

    def both(x: Any) -> tuple[Any, Any]:
        result, back = jax.vjp(function, x)
        return result, back(weight)[0]

    result, gradient = jax.jit(both, compiler_options=LITTLE_OPTIMIZED)(x)
    return result, gradient


def compare_with_keras(
    shape: tuple[int, ...], steps: list[int], mode: str, interpolation: str, data_format: str, seed: int
) -> None:
    batch, rows, columns, channels = shape
    if data_format == "channels_first":
        shape = (batch, channels, rows, columns)
    images, transform = drawn(seed, shape), transforms(batch, steps)
    arguments = (interpolation, mode, 0.5, data_format)
    weight = drawn(seed + 1, shape)
    expected, gradient = with_gradient(
        lambda x: keras.ops.image.affine_transform(x, transform, *arguments), images, weight
    )
    result, own_gradient = with_gradient(lambda x: affine_transform(x, transform, *arguments), images, weight)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(own_gradient, gradient, rtol=0, atol=1e-4)


@pytest.mark.parametrize("examples", [5, pytest.param(30, marks=pytest.mark.proof)])
def test_transforms_and_their_gradients(examples: int) -> None:
    """Two programs are compiled for each example, which takes seconds."""
    settings(max_examples=examples, deadline=None)(given(*EXAMPLES)(compare_with_keras))()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomRotation", {"factor": 0.3}),
        ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
        ("RandomZoom", {"height_factor": (-0.3, 0.3)}),
        ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}),
    ],
)
def test_layers_of_a_model_answer_as_keras_has_them(name: str, arguments: dict[str, Any]) -> None:
    images = drawn(0, (4, 8, 6, 3))
    answers = []
    for fast in (False, True):
        layer = getattr(keras.layers, name)(**arguments, seed=1)
        model = keras.Sequential([keras.Input(images.shape[1:]), layer])
        if fast:
            transform_fast(model)
            assert type(layer.backend).__name__ == "_Delegate"
        answers.append(model(images, training=True))
    np.testing.assert_allclose(answers[1], answers[0], rtol=0, atol=2e-5)
    assert float(jnp.abs(answers[0] - images).max()) > 0.1


def test_layers_inside_layers_are_transformed_too() -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.Sequential([keras.layers.RandomRotation(0.1)])])
    transform_fast(model)
    assert type(model.layers[0].layers[0].backend).__name__ == "_Delegate"


def test_every_layer_of_keras_that_transforms_is_listed() -> None:
    sources = {name: inspect.getsource(kind) for name, kind in vars(keras.layers).items() if isinstance(kind, type)}
    calls = {name for name, source in sources.items() if "backend.image.affine_transform(" in source}
    assert calls == TRANSFORMING


@pytest.mark.parametrize("shape", [(1, 1, 5, 1), (1, 5, 1, 1)])
def test_what_is_left_to_keras(shape: tuple[int, ...]) -> None:
    assert affine_transform(jnp.zeros(shape), transforms(1, [0] * 6)) is None
    assert affine_transform(jnp.zeros((4, 4, 1)), transforms(1, [0] * 6)) is None
    assert affine_transform(jnp.zeros((1, 4, 4, 1), jnp.int32), transforms(1, [0] * 6)) is None
