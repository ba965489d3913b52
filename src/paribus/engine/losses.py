"""What a Keras loss reads as labels, and what a network's outputs mean under it: class probabilities and answers."""

from __future__ import annotations

import difflib
import json
from enum import StrEnum
from typing import Literal

import jax
import jax.numpy as jnp
import keras

from paribus.keras_config.names import snake_case

TargetForm = Literal["one-hot", "integer", "binary"]


class OutputKind(StrEnum):
    """What a loss takes a network's outputs for.

    ``LOGITS`` are those of all classes together (softmax), ``BINARY_LOGITS`` those of each output by itself (sigmoid).
    ``MARGINS`` are what the hinge losses read: labels are -1 and 1, and 0 lies between the classes.
    """

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    BINARY_LOGITS = "binary logits"
    MARGINS = "margins"


_MARGIN_LOSSES = frozenset({"Hinge", "SquaredHinge", "CategoricalHinge"})

_SEVERAL_OUTPUTS = frozenset({"CosineSimilarity", "KLDivergence"})
"""Losses without "Categorical" in their names that still compare whole distributions: of one output they learn nothing.

The cosine of two numbers is their sign; the divergence of class 0 from any single output is 0.
"""


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
    """Which labels the loss reads: class indices, one-hot rows, or one column of zeros and ones.

    Args:
        text: the loss, ``{name: {arguments}}`` as JSON.
    """
    name = type(loss_from(text)).__name__
    if name.startswith("Sparse") or name == "CategoricalGeneralizedCrossEntropy":
        return "integer"
    return "binary" if name.startswith("Binary") else "one-hot"


def output_kind(text: str) -> OutputKind:
    """What the loss takes a network's outputs for.

    Args:
        text: the loss, ``{name: {arguments}}`` as JSON.

    Raises:
        ValueError: there is no such loss, or its arguments are wrong.
    """
    loss = loss_from(text)
    if type(loss).__name__ in _MARGIN_LOSSES:
        return OutputKind.MARGINS
    if not loss.get_config().get("from_logits", False):
        return OutputKind.PROBABILITIES
    return OutputKind.BINARY_LOGITS if type(loss).__name__.startswith("Binary") else OutputKind.LOGITS


def threshold(text: str) -> float:
    """The value above which a single output means class 1: 0 for logits and margins, a half for probabilities.

    Args:
        text: the loss, ``{name: {arguments}}`` as JSON.
    """
    return _boundary(output_kind(text))


def reads_one_output(text: str) -> bool:
    """Whether the loss can train a network with one output on two classes; losses over several classes cannot.

    Args:
        text: the loss, ``{name: {arguments}}`` as JSON.
    """
    name = type(loss_from(text)).__name__
    return "Categorical" not in name and name not in _SEVERAL_OUTPUTS


def targets(labels: jax.Array, outputs: int, form: TargetForm) -> jax.Array:
    """Class indices -> the labels that the loss reads.

    Args:
        labels: class indices, shape ``(batch,)``.
        outputs: how many outputs the network has.
        form: which labels the loss reads.

    Returns:
        Shape ``(batch,)`` for class indices, ``(batch, outputs)`` for one-hot rows, ``(batch, 1)`` for a binary column.
    """
    if form == "integer":
        return labels
    if outputs == 1:
        return labels[:, None].astype(jnp.float32)
    return jax.nn.one_hot(labels, outputs, dtype=jnp.float32)


def probabilities(outputs: jax.Array, kind: OutputKind) -> jax.Array:
    """A network's outputs ``(batch, outputs)`` as probabilities ``(batch, classes)``.

    One output is the probability of class 1. Logits go through softmax or sigmoid, as the loss takes them. One margin
    counts from -1 to 1: it is no probability, but lies on the side of one half on which the answer lies. Outputs of
    another kind (linear ones under a squared error, say) are cut off at 0 and 1.

    Args:
        outputs: the network's.
        kind: what the loss takes them for.
    """
    outputs = outputs.astype(jnp.float32)
    if outputs.shape[-1] > 1:
        match kind:
            case OutputKind.LOGITS:
                return jax.nn.softmax(outputs, axis=-1)
            case OutputKind.BINARY_LOGITS:
                return jax.nn.sigmoid(outputs)
            case _:
                return jnp.clip(outputs, 0.0, 1.0)
    match kind:
        case OutputKind.LOGITS | OutputKind.BINARY_LOGITS:
            positive = jax.nn.sigmoid(outputs)
        case OutputKind.MARGINS:
            positive = jnp.clip((outputs + 1.0) / 2.0, 0.0, 1.0)
        case OutputKind.PROBABILITIES:
            positive = jnp.clip(outputs, 0.0, 1.0)
    return jnp.concatenate([1.0 - positive, positive], axis=-1)


def predicted_classes(outputs: jax.Array, kind: OutputKind) -> jax.Array:
    """The class that a network answers: that of the largest output; of one output, the side of the loss's boundary.

    Args:
        outputs: the network's, shape ``(batch, outputs)``.
        kind: what the loss takes them for.

    Returns:
        int32 ``(batch,)``.
    """
    if outputs.shape[-1] == 1:
        return (outputs[:, 0] > _boundary(kind)).astype(jnp.int32)
    return jnp.argmax(outputs, axis=-1).astype(jnp.int32)


def _boundary(kind: OutputKind) -> float:
    return 0.5 if kind is OutputKind.PROBABILITIES else 0.0
