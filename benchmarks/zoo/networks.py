"""The networks: built with Keras, whatever its backend, in our environment and in the peers'.

The data is drawn, not downloaded: a pattern for each class and noise, so that one that learns differs from one that
does not. Shapes and sizes are those of the data sets that the networks are known from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

WORDS = 10_000


@dataclass(frozen=True, slots=True)
class Network:
    """A network and its task; ``steps`` batches are an epoch. ``kind``: ``pixels``, ``numbers`` or ``words``."""

    build: Callable[[], keras.Model]
    shape: tuple[int, ...]
    kind: str
    batch: int
    classes: int
    steps: int = 24


def draw(network: Network) -> dict[str, NDArray[Any]]:
    """The four arrays, from a generator with a fixed seed."""
    generator = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {}
    patterns = generator.standard_normal((network.classes, *network.shape), np.float32)
    for split, count in (("train", network.steps * network.batch), ("test", 4 * network.batch)):
        labels = generator.integers(0, network.classes, count).astype(np.int32)
        x = patterns[labels] + generator.standard_normal((count, *network.shape), np.float32)
        if network.kind == "pixels":
            x = np.clip(128 + 40 * x, 0, 255).astype(np.uint8)
        elif network.kind == "words":
            common = generator.integers(0, WORDS, x.shape)
            own = generator.integers(0, 50, x.shape) + 50 * labels[:, None]
            x = np.where(generator.random(x.shape) < 0.3, own, common).astype(np.float32)
        arrays |= {f"x_{split}": x, f"y_{split}": labels}
    return arrays


def stack(shape: tuple[int, ...], *parts: Any) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *parts])


def softmax(classes: int = 10) -> Any:
    return layers.Dense(classes, activation="softmax")


def convnet() -> keras.Model:
    """keras.io's "Simple MNIST convnet"."""
    return stack(
        (28, 28, 1),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        softmax(),
    )


def vgg_like() -> keras.Model:
    parts: list[Any] = []
    for filters in (32, 64, 128):
        parts += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(2)]
        parts += [layers.MaxPooling2D(2), layers.Dropout(0.25)]
    return stack(
        (32, 32, 3), *parts, layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5), softmax()
    )


def _normalized(x: Any, filters: int, strides: int = 1, relu: bool = True) -> Any:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x) if relu else x


def resnet8() -> keras.Model:
    """Three residual blocks, as in the smallest ResNet for CIFAR-10."""
    inputs = keras.Input((32, 32, 3))
    x = _normalized(inputs, 16)
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = _normalized(_normalized(x, filters, strides), filters, relu=False)
        if strides > 1:
            x = layers.Conv2D(filters, 1, strides=strides, padding="same")(x)
        x = layers.Activation("relu")(layers.Add()([x, y]))
    return keras.Model(inputs, softmax()(layers.GlobalAveragePooling2D()(x)))


def separable() -> keras.Model:
    return stack(
        (32, 32, 3),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.SeparableConv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.SeparableConv2D(128, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.GlobalAveragePooling2D(),
        softmax(),
    )


def lenet() -> keras.Model:
    """LeNet-5 with average pooling and tanh."""
    return stack(
        (28, 28, 1),
        layers.Conv2D(6, 5, padding="same", activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="tanh"),
        layers.Dense(84, activation="tanh"),
        softmax(),
    )


def sensors() -> keras.Model:
    """Human activity from nine sensors: two convolutions in time."""
    return stack(
        (128, 9),
        layers.Conv1D(64, 3, activation="relu"),
        layers.Conv1D(64, 3, activation="relu"),
        layers.Dropout(0.5),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        softmax(6),
    )


def lstm() -> keras.Model:
    return stack((128, 9), layers.LSTM(64), softmax(6))


def bidirectional_gru() -> keras.Model:
    return stack((128, 9), layers.Bidirectional(layers.GRU(64)), softmax(6))


def embedding() -> keras.Model:
    parts = (layers.Embedding(WORDS, 16), layers.GlobalAveragePooling1D(), layers.Dense(16, activation="relu"))
    return stack((200,), *parts, softmax(2))


def transformer() -> keras.Model:
    """keras.io's "Text classification with Transformer": one block over 200 words."""
    inputs = keras.Input((200,))
    x = layers.Embedding(WORDS, 32)(inputs)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.MultiHeadAttention(2, 32)(x, x)]))
    y = layers.Dense(32)(layers.Dense(32, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.Dropout(0.1)(y)]))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, softmax(2)(layers.Dropout(0.1)(layers.Dense(20, activation="relu")(x))))


def normalized_mlp() -> keras.Model:
    parts: list[Any] = [layers.Flatten()]
    for units in (256, 128):
        parts += [layers.Dense(units), layers.BatchNormalization(), layers.Activation("relu"), layers.Dropout(0.3)]
    return stack((28, 28), *parts, softmax())


def augmented() -> keras.Model:
    """The convnet on 32 x 32 x 3 behind three layers that augment."""
    return stack(
        (32, 32, 3),
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(0.1, 0.1),
        layers.RandomRotation(0.05),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        softmax(),
    )


NETWORKS = {
    "convnet": Network(convnet, (28, 28, 1), "pixels", 128, 10),
    "vgg-like": Network(vgg_like, (32, 32, 3), "pixels", 64, 10),
    "resnet8": Network(resnet8, (32, 32, 3), "pixels", 64, 10),
    "separable": Network(separable, (32, 32, 3), "pixels", 64, 10),
    "lenet": Network(lenet, (28, 28, 1), "pixels", 64, 10, 96),
    "sensors": Network(sensors, (128, 9), "numbers", 64, 6, 96),
    "lstm": Network(lstm, (128, 9), "numbers", 64, 6, 48),
    "bidirectional-gru": Network(bidirectional_gru, (128, 9), "numbers", 64, 6, 48),
    "embedding": Network(embedding, (200,), "words", 64, 2, 96),
    "transformer": Network(transformer, (200,), "words", 32, 2),
    "mlp-batchnorm": Network(normalized_mlp, (28, 28), "pixels", 128, 10, 192),
    "augmented": Network(augmented, (32, 32, 3), "pixels", 64, 10),
}
"""Every network by the name of its arm."""
