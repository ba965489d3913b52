"""What a user's own object has and its config does not bring back is named; what only looks so is not."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import pytest

import own_networks as own
from network_cases import OWN
from paribus.api.lost_attributes import find_lost_attributes


class Base(keras.layers.Layer):
    """Keeps whatever it is given, and says none of it in its config."""

    def __init__(self, value: Any = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value = value

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return super().get_config()


class Sized(keras.layers.Layer):
    """Learns its size when it is built, and holds what no config says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.weight = None, None
        self.inner = keras.layers.Dense(3)
        self.function = np.tanh

    def build(self, input_shape: Any) -> None:
        self.size = input_shape[-1]
        self.weight = self.add_weight(shape=(self.size,))
        self.inner.build(input_shape)

    def call(self, x: Any) -> Any:
        return self.inner(x * self.weight)


@pytest.mark.parametrize("value", [1, -0.5, "big", True, (1, 2), [1, [2]], {"a": 1}, np.ones(3), np.float32(2), None])
def test_a_value_that_its_config_forgets_is_named(value: Any) -> None:
    (said,) = find_lost_attributes(Base(value))
    assert said.startswith("class Base has value = ")
    assert "and 0 where a worker makes it again from its config" in said


@pytest.mark.parametrize("value", [0, 0.0, np.int64(0)])
def test_an_equal_value_is_not(value: Any) -> None:
    assert list(find_lost_attributes(Base(value))) == []


def test_what_a_layer_makes_when_it_is_built_is_not() -> None:
    layer = Sized()
    layer(np.zeros((2, 5), np.float32))
    assert layer.size == 5
    assert list(find_lost_attributes(layer)) == []


def test_keras_has_no_such_layers() -> None:
    dense = keras.layers.Dense(3)
    dense.units = 4
    assert list(find_lost_attributes(dense)) == []


def test_nothing_is_named_in_the_collections_own_classes() -> None:
    for case in OWN:
        if not case.says:
            model = case.build()
            if not model.built:
                model(np.zeros((2, 12), np.float32))
            assert [said for layer in model._flatten_layers() for said in find_lost_attributes(layer)] == [], case.what


def test_the_users_random_numbers_are_left_alone() -> None:
    model = keras.Sequential([keras.Input((12,)), own.ResidualBlock(12)])
    random.seed(1)
    state = random.getstate()
    assert list(find_lost_attributes(model.layers[0])) == []
    assert random.getstate() == state


def test_an_initializer_is_looked_at_in_its_layer() -> None:
    (said,) = find_lost_attributes(keras.layers.Dense(3, kernel_initializer=own.ForgetfulInitializer(0.1)))
    assert said.startswith("class ForgetfulInitializer has value = 0.1, and 0.5")
