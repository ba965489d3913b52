"""The compiled programs of one architecture: draw weights, train on a chunk of an epoch, evaluate a batch.

Everything that differs between runs is an argument (keys, orders, data, learning rates): constants are folded at
compile time. Pixels travel as they are stored (uint8 where they are uint8) and are scaled inside the program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from paribus.data import Standardization
from paribus.engine import losses
from paribus.engine.network import Network, State
from paribus.engine.precision import with_bf16_products

EVALUATION_BATCH = 1000

Preparation = Callable[[jax.Array], jax.Array]
"""Raw examples -> what the network reads, inside the program."""


class EpochMeasures(NamedTuple):
    """What ``fit`` prints after an epoch: means over the examples, training mode, weight penalties included."""

    loss: float
    accuracy: float


class Sums(NamedTuple):
    """What an epoch has summed up so far: loss times examples, and right answers."""

    loss: jax.Array | np.float32
    right: jax.Array | np.int32

    @classmethod
    def zero(cls) -> Sums:
        """Before the first batch."""
        return cls(np.float32(0), np.int32(0))

    def measures(self, examples: int) -> EpochMeasures:
        """The means over an epoch's examples, in float32, rounded as XLA does where it divides by a constant.

        Args:
            examples: how many were trained on.
        """
        share = np.float32(1) / np.float32(examples)
        return EpochMeasures(float(np.float32(self.loss) * share), float(np.float32(self.right) * share))


class Evaluation(NamedTuple):
    """Measures of examples in inference mode, on the device or back from it.

    Attributes:
        loss: the loss of each example, without penalties, float32 ``(examples,)``.
        predicted: the class answered, int32 ``(examples,)``.
        confidence: the probability of that class, float32 ``(examples,)``.
        true_probability: the probability of the right class, float32 ``(examples,)``.
    """

    loss: jax.Array | NDArray[np.float32]
    predicted: jax.Array | NDArray[np.int32]
    confidence: jax.Array | NDArray[np.float32]
    true_probability: jax.Array | NDArray[np.float32]


def prepared(
    shape: tuple[int, ...], scale: float | None = None, standard: Standardization | None = None
) -> Preparation:
    """Divide by ``scale`` in float32, or standardize; then reshape.

    Compiled, XLA multiplies by the reciprocal of ``scale``: of the 256 pixels over 255, half differ from the division
    in their last bit. ``tests/engine/test_parity.py`` holds it to one unit there.

    Args:
        shape: the shape that the network reads an example in.
        scale: what to divide by.
        standard: mean and deviation of each feature, taken from what is trained on.

    Returns:
        A function of raw examples ``(batch, ...)`` that returns float32 ``(batch, *shape)``.
    """

    def prepare(x: jax.Array) -> jax.Array:
        x = x.astype(jnp.float32)
        if standard is not None:
            x = (x - standard.mean) / standard.deviation
        elif scale is not None:
            x = x / jnp.float32(scale)
        return x.reshape((x.shape[0], *shape))

    return prepare


def train_step(
    network: Network, state: State, x: jax.Array, labels: jax.Array, class_weights: NDArray[np.float32] | None = None
) -> tuple[State, jax.Array, jax.Array]:
    """Train on one batch, as Keras's own ``train_step`` does.

    Args:
        network: the network.
        state: the state of one run.
        x: examples as the network reads them, float32 ``(batch, ...)``.
        labels: class indices, int32 ``(batch,)``.
        class_weights: shape ``(classes,)``: they weigh the loss of each example by its class; None for 1 everywhere.

    Returns:
        The new state; the loss with weight penalties, a scalar; the number of right answers, in training mode.
    """
    weights = None if class_weights is None else jnp.asarray(class_weights)[labels]

    def loss_of(trainable: list[jax.Array]) -> tuple[jax.Array, tuple[jax.Array, list[jax.Array]]]:
        outputs, non_trainable, penalties = network.call(
            trainable, state.non_trainable, x, training=True, penalties=True
        )
        y = losses.targets(labels, outputs.shape[-1], network.target_form)
        return network.loss(y, outputs, weights) + sum(penalties), (outputs, non_trainable)

    differentiated = jax.value_and_grad(loss_of, has_aux=True)
    if network.bf16:
        differentiated = with_bf16_products(differentiated)
    differentiated = network.with_kernels(differentiated)
    (loss, (outputs, non_trainable)), gradients = differentiated(state.trainable)
    trainable, optimizer = network.optimizer.stateless_apply(state.optimizer, gradients, state.trainable)
    right = jnp.sum(losses.predicted_classes(outputs, network.output_kind) == labels)
    return State(trainable, non_trainable, optimizer), loss, right


def chunk_program(
    network: Network, prepare: Preparation, batch_size: int, class_weights: NDArray[np.float32] | None = None
) -> Callable[..., tuple[State, Sums]]:
    """A function that trains on a chunk of an epoch, batch by batch; made to be jitted.

    A last batch that is not full is trained on as it is, as ``fit`` does.

    Args:
        network: the network.
        prepare: from raw examples to what the network reads.
        batch_size: the number of examples of a batch.
        class_weights: as in :func:`train_step`.

    Returns:
        A function ``(state, sums, order, x, labels) -> (state, sums)`` that trains on ``x[order]``. ``order`` is int32
        ``(examples,)``: that of a whole epoch, or a part of it in whole batches. ``x`` and ``labels`` are a chunk's.
    """

    def step(carry: tuple[State, Sums], rows: jax.Array, x: jax.Array, labels: jax.Array) -> tuple[State, Sums]:
        state, sums = carry
        state, loss, right = train_step(network, state, prepare(x[rows]), labels[rows], class_weights)
        return state, Sums(sums.loss + loss * rows.shape[0], sums.right + right)

    def chunk(state: State, sums: Sums, order: jax.Array, x: jax.Array, labels: jax.Array) -> tuple[State, Sums]:
        examples = order.shape[0]
        full = examples // batch_size * batch_size
        if full == batch_size:
            # Not a loop: see ``convolves``.
            carry = step((state, sums), order[:full], x, labels)
        else:
            batches = order[:full].reshape(-1, batch_size)
            carry, _ = jax.lax.scan(lambda c, rows: (step(c, rows, x, labels), None), (state, sums), batches)
        return step(carry, order[full:], x, labels) if full < examples else carry

    return chunk


def convolves(lowered: jax.stages.Lowered) -> bool:
    """Whether a traced program has convolutions, which the config of a user's own classes does not show.

    XLA's CPU compiler (jaxlib 0.10.2) has no fast kernel inside a loop for convolutions that are not in the form of
    ``paribus.engine.kernels``, and takes some 20 times as long: such networks are trained with one call a batch there.
    ``tests/engine/test_convolutions.py`` compares both ways.

    Args:
        lowered: the program, lowered and not yet compiled.
    """
    return "stablehlo.convolution" in lowered.as_text()


def outputs_program(network: Network, prepare: Preparation) -> Callable[[State, jax.Array], jax.Array]:
    """A function ``(state, x) -> outputs``: the network's outputs in inference mode, float32 ``(batch, outputs)``.

    Args:
        network: the network.
        prepare: from raw examples to what the network reads.
    """

    def outputs(state: State, x: jax.Array) -> jax.Array:
        answers, _ = network.call(state.trainable, state.non_trainable, prepare(x), training=False)
        return jnp.asarray(answers, jnp.float32)

    return network.with_kernels(outputs)


def evaluation_program(network: Network, prepare: Preparation) -> Callable[[State, jax.Array, jax.Array], Evaluation]:
    """A function ``(state, x, labels) -> Evaluation`` of one batch in inference mode.

    Args:
        network: the network.
        prepare: from raw examples to what the network reads.
    """

    def evaluate(state: State, x: jax.Array, labels: jax.Array) -> Evaluation:
        outputs, _ = network.call(state.trainable, state.non_trainable, prepare(x), training=False)
        y = losses.targets(labels, outputs.shape[-1], network.target_form)
        shares = losses.probabilities(outputs, network.output_kind)
        predicted = losses.predicted_classes(outputs, network.output_kind)
        pick = jnp.arange(labels.shape[0])
        return Evaluation(network.loss.call(y, outputs), predicted, shares[pick, predicted], shares[pick, labels])

    return network.with_kernels(evaluate)
