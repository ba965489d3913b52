"""What a Keras loss wants as labels, and what a network's outputs say as probabilities."""

from __future__ import annotations

import difflib
import json
from typing import Literal

import jax
import jax.numpy as jnp
import keras

from paribus.keras_config.names import snake_case

TargetForm = Literal["one-hot", "integer", "binary"]


def loss_from(text: str) -> keras.losses.Loss:
    """A Keras loss from ``{name: {arguments}}`` as JSON; the name is the class's, or the same in snake case.

    Raises:
        ValueError: there is no such loss, or its arguments are wrong.
    """
    ((name, arguments),) = json.loads(text).items()
    classes = {cls.__name__: cls for cls in vars(keras.losses).values() if isinstance(cls, type)}
    by_name = {snake_case(key): cls for key, cls in classes.items()} | classes
    if name not in by_name:
        close = difflib.get_close_matches(name, by_name, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"keras.losses has no class '{name}'{hint}")
    loss: keras.losses.Loss = by_name[name](**arguments)
    return loss


def target_form(text: str) -> TargetForm:
    """Which labels the loss reads: class indices, one-hot rows, or one column of zeros and ones."""
    name = type(loss_from(text)).__name__
    if name.startswith("Sparse") or name == "CategoricalGeneralizedCrossEntropy":
        return "integer"
    return "binary" if name.startswith("Binary") else "one-hot"


def threshold(text: str) -> float:
    """Above which a single output answers class 1: logits are 0 where the probability is a half."""
    return 0.0 if loss_from(text).get_config().get("from_logits", False) else 0.5


def reads_one_output(text: str) -> bool:
    """Whether the loss makes sense of one output for two classes; losses over several classes do not."""
    return "Categorical" not in type(loss_from(text)).__name__


def targets(labels: jax.Array, outputs: int, form: TargetForm) -> jax.Array:
    """Class indices ``(batch,)`` -> what the loss reads: ``(batch,)``, ``(batch, outputs)`` or ``(batch, 1)``."""
    if form == "integer":
        return labels
    if outputs == 1:
        return labels[:, None].astype(jnp.float32)
    return jax.nn.one_hot(labels, outputs, dtype=jnp.float32)


def probabilities(outputs: jax.Array, from_logits: bool) -> jax.Array:
    """A network's outputs ``(batch, outputs)`` as probabilities ``(batch, classes)``.

    One output is the probability of class 1. Logits go through softmax (or sigmoid). Outputs of another kind (linear
    ones under a squared error, say) are cut off at 0 and 1.
    """
    outputs = outputs.astype(jnp.float32)
    if outputs.shape[-1] == 1:
        positive = jax.nn.sigmoid(outputs) if from_logits else jnp.clip(outputs, 0.0, 1.0)
        return jnp.concatenate([1.0 - positive, positive], axis=-1)
    return jax.nn.softmax(outputs, axis=-1) if from_logits else jnp.clip(outputs, 0.0, 1.0)


def predicted_classes(outputs: jax.Array, from_logits: bool) -> jax.Array:
    """The class answered, int32 ``(batch,)``: the largest output, as Keras counts it (a single one: > 0.5)."""
    if outputs.shape[-1] == 1:
        return (outputs[:, 0] > (0.0 if from_logits else 0.5)).astype(jnp.int32)
    return jnp.argmax(outputs, axis=-1).astype(jnp.int32)
