"""Layers and networks as people write them themselves, in a module as workers need it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

L = keras.layers
register = keras.saving.register_keras_serializable(package="people")


@register
def swish_of_twice(x: Any) -> Any:
    return x * ops.sigmoid(2.0 * x)


@register
class SmallWeights(keras.initializers.Initializer):
    """A fixed value, as a registered initializer."""

    def __init__(self, value: float = 0.1) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.full(shape, self.value, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


@register
class Decorrelated(keras.regularizers.Regularizer):
    """Penalizes products of the kernel's columns."""

    def __init__(self, strength: float = 0.01) -> None:
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        gram = ops.matmul(ops.transpose(x), x)
        return self.strength * ops.sum(ops.square(gram - ops.diag(ops.diagonal(gram))))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}


@register
class Rounded(keras.constraints.Constraint):
    """Keeps weights on a grid."""

    def __call__(self, w: Any) -> Any:
        return ops.round(w * 64.0) / 64.0


@register
class ResidualBlock(L.Layer):
    """Two dense layers and their input."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.first = L.Dense(units, activation="relu")
        self.second = L.Dense(units)
        self.norm = L.LayerNormalization()

    def build(self, input_shape: Any) -> None:
        self.first.build(input_shape)
        self.second.build((*input_shape[:-1], self.units))
        self.norm.build(input_shape)

    def call(self, x: Any) -> Any:
        return self.norm(x + self.second(self.first(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class Noisy(L.Layer):
    """Multiplies by noise while training, from a generator of Keras with a seed of its own."""

    def __init__(self, deviation: float = 0.1, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deviation, self.seed = deviation, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        return x * keras.random.normal(ops.shape(x), 1.0, self.deviation, seed=self.generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "deviation": self.deviation, "seed": self.seed}


@register
class RandomFeatures(L.Layer):
    """A fixed random projection that NumPy draws from the layer's own seed."""

    def __init__(self, units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.seed = units, seed

    def build(self, input_shape: Any) -> None:
        generator = np.random.default_rng(self.seed)
        self.matrix = generator.normal(size=(input_shape[-1], self.units)).astype(np.float32)

    def call(self, x: Any) -> Any:
        return ops.cos(ops.matmul(x, self.matrix))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "seed": self.seed}


@register
class Sparse(L.Layer):
    """Adds a penalty on its input to the loss."""

    def call(self, x: Any) -> Any:
        self.add_loss(0.01 * ops.mean(ops.abs(x)))
        return x


@register
class RunningMean(L.Layer):
    """Subtracts a mean that it keeps while training, in a weight that is not trained."""

    def build(self, input_shape: Any) -> None:
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(x, axis=0))
        return x - self.mean


@register
class Attending(L.Layer):
    """A block of a transformer."""

    def __init__(self, heads: int = 2, rate: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads, self.rate = heads, rate

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        self.attention = L.MultiHeadAttention(self.heads, width, dropout=self.rate)
        self.attention.build(input_shape, input_shape)
        self.wide, self.narrow = L.Dense(2 * width, activation="gelu"), L.Dense(width)
        self.wide.build(input_shape)
        self.narrow.build((*input_shape[:-1], 2 * width))
        self.first, self.second = L.LayerNormalization(), L.LayerNormalization()
        self.first.build(input_shape)
        self.second.build(input_shape)

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.first(x + self.attention(x, x, training=training))
        return self.second(x + self.narrow(self.wide(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "rate": self.rate}


@register
class StaysOn(L.Dropout):
    """Drops units whether it trains or not."""

    def call(self, x: Any, training: bool = False) -> Any:
        return super().call(x, training=True)


@register
class AlwaysNoisy(L.Layer):
    """Adds noise and does not ask whether it trains."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.generator = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        return x + keras.random.normal(ops.shape(x), 0.0, 0.1, seed=self.generator)


@register
class WithoutConfigRegularizer(keras.regularizers.Regularizer):
    """Takes an argument that no config says."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        return self.strength * ops.sum(x * x)


@register
class ForgetfulInitializer(keras.initializers.Initializer):
    """Takes an argument that its config leaves out."""

    def __init__(self, value: float = 0.5) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.full(shape, self.value, dtype)

    def get_config(self) -> dict[str, Any]:
        return {}


@register
class WithTraining(keras.Model):
    """A subclassed network that hands ``training`` on."""

    def __init__(self, units: int = 6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = L.Dense(units, activation="relu")
        self.norm = L.BatchNormalization(momentum=0.8)
        self.answer = L.Dense(4, activation="softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.answer(self.norm(self.hidden(x), training=training))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class WithoutTraining(keras.Model):
    """A subclassed network whose ``call`` takes its input alone."""

    def __init__(self, units: int = 6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = L.Dense(units, activation="relu")
        self.answer = L.Dense(4, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.answer(self.hidden(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class Listed(keras.Model):
    """A subclassed network with its layers in a list, and no arguments."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack = [L.Dense(7, activation="relu"), L.Dense(5, activation="tanh"), L.Dense(4, activation="softmax")]

    def call(self, x: Any) -> Any:
        for layer in self.stack:
            x = layer(x)
        return x


@register
class Tied(keras.Model):
    """One dense layer used three times."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.again = L.Dense(12, activation="tanh")
        self.answer = L.Dense(4, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.answer(self.again(self.again(self.again(x))))


@register
class LateLayers(keras.Model):
    """Makes its layers in ``build``."""

    def build(self, input_shape: Any) -> None:
        self.hidden = L.Dense(2 * input_shape[-1], activation="relu")
        self.answer = L.Dense(4, activation="softmax")
        self.hidden.build(input_shape)
        self.answer.build((None, 2 * input_shape[-1]))
        self.built = True

    def call(self, x: Any) -> Any:
        return self.answer(self.hidden(x))


@register
class WithoutConfig(keras.Model):
    """Takes an argument that no config says."""

    def __init__(self, units: int = 6) -> None:
        super().__init__()
        self.hidden, self.answer = L.Dense(units), L.Dense(4, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.answer(self.hidden(x))


@register
class LayerWithoutConfig(L.Layer):
    """Takes an argument that no config says."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def call(self, x: Any) -> Any:
        return self.factor * x


@register
class LayerThatForgets(L.Layer):
    """Its config leaves an argument out that has a default."""

    def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x: Any) -> Any:
        return self.factor * x

    def get_config(self) -> dict[str, Any]:
        return super().get_config()


@register
class SetLater(L.Layer):
    """Has an attribute that people set after they made it."""

    strength = 1.0

    def call(self, x: Any) -> Any:
        return self.strength * x


class Unregistered(L.Layer):
    """Never registered with Keras."""

    def call(self, x: Any) -> Any:
        return x


@register
class TrainsItself(keras.Model):
    """Has a training step of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answer = L.Dense(4, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.answer(x)

    def train_step(self, *arguments: Any) -> Any:
        return super().train_step(*arguments)


@register
class TestsItself(keras.Model):
    """Has a test step of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answer = L.Dense(4, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.answer(x)

    def test_step(self, *arguments: Any) -> Any:
        return super().test_step(*arguments)


@register
class MinimalCell(L.Layer):
    """A recurrent cell, as Keras's documentation writes it."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.state_size = units, units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")

    def call(self, inputs: Any, states: Any) -> Any:
        output = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent)
        return output, [output]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@register
class HalfWay(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of one's own."""

    def __call__(self, step: Any) -> Any:
        return 0.1 / (1.0 + ops.cast(step, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {}
