"""Which networks go over their input window by window: by name, and held against what Keras's layers compute."""

from __future__ import annotations

import inspect
import re

import keras
import pytest

from paribus.keras_config.windows import has_windows
from paribus.records import LayerSummary, Recipe

COMPUTES = re.compile(
    r"\b(?:conv|depthwise_conv|separable_conv|conv_transpose|max_pool|average_pool|adaptive_\w+_pool|gaussian_blur"
    r"|elastic_transform|extract_patches|extract_sequences|sobel_edges|stft|image\.affine_transform)\("
)


def recipe(class_name: str, module: str = "keras.layers") -> Recipe:
    return Recipe(f'{{"class_name":"{class_name}","module":"{module}"}}', "{}", 0, ())


def computes_windows(layer: type) -> bool:
    """Whether a layer's own code, or that of a layer it inherits from, calls one of these operations."""
    kinds = [kind for kind in inspect.getmro(layer) if kind.__module__.startswith("keras.src.layers")]
    return any(COMPUTES.search(inspect.getsource(kind)) for kind in kinds if kind.__name__ != "Layer")


LAYERS = [name for name, value in vars(keras.layers).items() if isinstance(value, type)]


def test_keras_has_such_layers() -> None:
    windowed = [name for name in LAYERS if computes_windows(getattr(keras.layers, name))]
    assert {"Conv2D", "MaxPooling2D", "AveragePooling1D", "SeparableConv1D", "Conv3DTranspose"} <= set(windowed)


@pytest.mark.parametrize("name", [name for name in LAYERS if computes_windows(getattr(keras.layers, name))])
def test_what_computes_windows_is_known_by_its_name(name: str) -> None:
    assert has_windows(recipe(name))


@pytest.mark.parametrize(
    "name", ["Dense", "GlobalAveragePooling1D", "GlobalMaxPool2D", "LSTM", "MultiHeadAttention", "RandomFlip"]
)
def test_what_computes_none_is_not(name: str) -> None:
    assert not has_windows(recipe(name))


def test_operations_and_the_layers_of_a_users_own_model_count() -> None:
    assert has_windows(recipe("MaxPool", "keras.src.ops.nn"))
    mine = Recipe('{"class_name":"Mine"}', "{}", 0, (LayerSummary("conv2d", "Conv2D", "", 10),))
    assert has_windows(mine)


def test_a_name_that_only_holds_the_word_does_not() -> None:
    """A layer that its writer calls conv is what its class says."""
    assert not has_windows(Recipe('{"class_name":"Dense","config":{"name":"Conv"}}', "{}", 0, ()))
