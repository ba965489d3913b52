"""What a Keras loss wants as labels, and what a network's outputs say as probabilities."""

from __future__ import annotations

import json
from typing import Literal

import jax
import jax.numpy as jnp
import keras

TargetForm = Literal["one-hot", "integer", "binary"]


def loss_from(text: str) -> keras.losses.Loss:
    """A Keras loss from its JSON: a name (``"categorical_crossentropy"``), ``{Class: {arguments}}`` or a Keras config.

    Raises:
        ValueError: there is no such loss, or its arguments are wrong.
    """
    written = json.loads(text)
    if isinstance(written, dict) and len(written) == 1:
        ((name, arguments),) = written.items()
        written = {"class_name": name, "config": arguments}
    loss = keras.losses.get(written)
    if isinstance(loss, keras.losses.Loss):
        return loss
    camel = "".join(part.capitalize() for part in str(written).split("_"))
    cls = getattr(keras.losses, camel, None)
    if not isinstance(cls, type):
        raise ValueError(f"loss {written!r} is a function without a class in keras.losses; name the class")  # noqa: TRY004
    return cls()


def target_form(text: str) -> TargetForm:
    """Which labels the loss reads: class indices, one-hot rows, or one column of zeros and ones."""
    name = type(loss_from(text)).__name__
    if name.startswith("Sparse"):
        return "integer"
    return "binary" if name.startswith("Binary") else "one-hot"


def targets(labels: jax.Array, outputs: int, form: TargetForm) -> jax.Array:
    """Class indices ``(batch,)`` -> what the loss reads: ``(batch,)``, ``(batch, outputs)`` or ``(batch, 1)``."""
    if form == "integer":
        return labels
    if outputs == 1:
        return labels[:, None].astype(jnp.float32)
    return jax.nn.one_hot(labels, outputs, dtype=jnp.float32)


def probabilities(outputs: jax.Array, from_logits: bool) -> jax.Array:
    """A network's outputs ``(batch, outputs)`` as probabilities ``(batch, classes)``.

    One output is the probability of class 1. Logits go through softmax (or sigmoid). Other outputs are taken as they are.
    """
    outputs = outputs.astype(jnp.float32)
    if outputs.shape[-1] == 1:
        positive = jax.nn.sigmoid(outputs) if from_logits else outputs
        return jnp.concatenate([1.0 - positive, positive], axis=-1)
    return jax.nn.softmax(outputs, axis=-1) if from_logits else outputs


def predicted_classes(outputs: jax.Array, from_logits: bool) -> jax.Array:
    """The class answered, int32 ``(batch,)``: the largest output, as Keras's accuracy counts it (a single one: > 0.5)."""
    if outputs.shape[-1] == 1:
        return (outputs[:, 0] > (0.0 if from_logits else 0.5)).astype(jnp.int32)
    return jnp.argmax(outputs, axis=-1).astype(jnp.int32)
