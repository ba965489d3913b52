"""Layers and models of a user's own, in a module as workers need it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="tests")
def squared(x: Any) -> Any:
    return x * x


@keras.saving.register_keras_serializable(package="tests")
class Scaled(keras.layers.Layer):
    """Makes a sublayer in ``__init__`` and a weight from an initializer's name in ``build``."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.inner = keras.layers.Dense(units)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.inner.build(input_shape)
        self.factor = self.add_weight(shape=(self.units,), initializer="random_normal", name="factor")

    def call(self, x: Any) -> Any:
        return self.inner(x) * (1 + self.factor)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="tests")
class Network(keras.Model):
    """A subclassed model that does not say what it reads before it is built."""

    def __init__(self, units: int = 8, rate: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.rate = units, rate
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.dropout = keras.layers.Dropout(rate)
        self.answer = keras.layers.Dense(10, activation="softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.answer(self.dropout(self.hidden(x), training=training))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "rate": self.rate}


@keras.saving.register_keras_serializable(package="tests")
class Forgetful(keras.Model):
    """Its config does not tell its units."""

    def __init__(self, units: int = 8) -> None:
        super().__init__()
        self.answer = keras.layers.Dense(units)

    def call(self, x: Any) -> Any:
        return self.answer(x)


@keras.saving.register_keras_serializable(package="tests")
class Misleading(Network):
    """Its config tells other units than it was made with."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units + 1}


@keras.saving.register_keras_serializable(package="tests")
class OwnStep(keras.Sequential):
    """Trains in its own way."""

    def train_step(self, *args: Any) -> Any:
        return super().train_step(*args)


class Unregistered(keras.layers.Layer):
    """Never registered with Keras."""

    def call(self, x: Any) -> Any:
        return x


def unregistered(x: Any) -> Any:
    return x


@keras.saving.register_keras_serializable(package="tests")
class WithoutTraining(keras.Model):
    """Its ``call`` takes no ``training``."""

    def __init__(self, units: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.answer = keras.layers.Dense(10, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.answer(self.hidden(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="tests")
class Projection(keras.layers.Layer):
    """A fixed random projection, made of its own seed."""

    def __init__(self, units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.seed = units, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        generator = np.random.default_rng(self.seed)
        self.matrix = generator.normal(size=(input_shape[-1], self.units)).astype(np.float32)

    def call(self, x: Any) -> Any:
        return keras.ops.matmul(x, self.matrix)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "seed": self.seed}


@keras.saving.register_keras_serializable(package="tests")
class SeededDropout(keras.layers.Dropout):
    """Its seed is Keras's."""


def _drawn(size: Any) -> Any:
    return np.random.normal(size=size)  # noqa: NPY002 - the global generator, as people use it


@keras.saving.register_keras_serializable(package="tests")
class DrawnByNumPy(keras.layers.Layer):
    """Draws from NumPy, where no seed of ours reaches: from the global generator, or from one without a seed."""

    def __init__(self, where: str = "build", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.where = where

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = int(input_shape[-1] or 1)
        if self.where == "build":
            self.factor = np.random.default_rng().normal(size=size).astype(np.float32)
        elif self.where == "initializer":
            self.factor = self.add_weight(shape=(size,), initializer=lambda shape, dtype: _drawn(shape).astype(dtype))
        elif self.where == "constant":
            self.factor = self.add_weight(
                shape=(size,), initializer=keras.initializers.Constant(float(_drawn(()))), trainable=False
            )
        else:
            self.factor = 1.0

    def call(self, x: Any) -> Any:
        noise = _drawn(x.shape[-1]).astype(np.float32) if self.where == "call" else 0.0
        return x * self.factor + noise

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "where": self.where}


@keras.saving.register_keras_serializable(package="tests")
class Rescaled(WithoutTraining):
    """Scales pixels inside its ``call``."""

    def call(self, x: Any) -> Any:
        return self.answer(self.hidden(x / 255.0))
