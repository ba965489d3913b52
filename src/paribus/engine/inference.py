"""Trained networks rebuilt from recipes and stored weights, for exports and predictions.

Other packages use the engine for that only by way of this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from paribus.data import Standardization
from paribus.engine import losses, steps
from paribus.engine.network import Network, forget_what_was_built
from paribus.engine.rebuild import as_read, input_shape, model_from_config, output_shape
from paribus.errors import Mistake, ModelError, StoreError
from paribus.records import DataSpec, Recipe, Training

Weights = Mapping[str, NDArray[np.generic]]
"""Final weights by path, as a run's result has them."""

BATCH = 1000
"""Examples of one prediction batch."""

_REFUSALS = (ValueError, TypeError, NotImplementedError, AttributeError, KeyError)
"""What Keras raises of a config that it cannot build in this process."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkAnswers:
    """One network's predictions of some examples.

    Attributes:
        probabilities: float32, shape ``(examples, classes)``.
        predicted: the class answered, int32, shape ``(examples,)``.
    """

    probabilities: NDArray[np.float32]
    predicted: NDArray[np.int32]


def keras_model(recipe: Recipe, training: Training, arm: str) -> keras.Model:
    """An arm as a plain, compiled Keras model without any class of paribus in it; its weights are initial ones.

    Args:
        recipe: the arm's canonical form.
        training: what it was trained with; the loss is compiled in.
        arm: what errors call it.

    Raises:
        ModelError: Keras cannot build it here; mostly a class of the user's that is not imported.
    """
    forget_what_was_built()
    try:
        model = model_from_config(json.loads(recipe.model))
        optimizer = keras.saving.deserialize_keras_object(json.loads(recipe.optimizer))
    except _REFUSALS as error:
        raise _cannot_build(arm, error) from error
    model.compile(optimizer, losses.loss_from(training.loss), metrics=[_accuracy(model, training.loss)])
    # Unbuilt, it would be saved without variables, and Keras would warn on loading.
    optimizer.build(model.trainable_variables)
    return model


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Set a model's weights to those of a run.

    Args:
        model: the model, as :func:`keras_model` builds it.
        weights: final weights by path.

    Raises:
        StoreError: they are not this network's.
    """
    variables = {v.path: v for v in model.variables if v.name != "seed_generator_state"}
    _check({path: tuple(v.shape) for path, v in variables.items()}, weights)
    for path, variable in variables.items():
        variable.assign(weights[path])


def reads(model: keras.Model, example_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that a model reads an example of the data in."""
    shape = as_read(input_shape(model)[1:], example_shape)
    assert shape is not None, "it was trained on this data"
    return shape


@dataclass(frozen=True, slots=True, eq=False)
class PlacedNetwork:
    """One network with its weights on the device.

    Attributes:
        answer: its answers to examples, as :meth:`NetworkInference.answer` takes them.
    """

    answer: Callable[[NDArray[Any]], NetworkAnswers]


class NetworkInference:
    """One architecture, to be asked about examples; all seeds share its compiled program.

    Args:
        recipe: the arm's canonical form.
        training: what it was trained with.
        data: how its data is prepared.
        example_shape: the shape of one example as it is handed over.
        standard: mean and deviation of each feature in what was trained on, where the data is standardized.
        arm: what errors call it.

    Raises:
        ModelError: as :func:`keras_model`.
    """

    def __init__(
        self,
        recipe: Recipe,
        training: Training,
        data: DataSpec,
        example_shape: tuple[int, ...],
        standard: Standardization | None,
        arm: str,
    ) -> None:
        try:
            network = Network.rebuild(recipe, training)
        except _REFUSALS as error:
            raise _cannot_build(arm, error) from error
        shape = reads(network.model, example_shape)
        prepare = steps.prepared(shape, data.scale, standard)

        def ask(trainable: list[jax.Array], others: list[jax.Array], x: jax.Array) -> tuple[jax.Array, jax.Array]:
            outputs, _ = network.call(trainable, others, prepare(x), training=False)
            probabilities = losses.probabilities(outputs, network.output_kind)
            return probabilities, losses.predicted_classes(outputs, network.output_kind)

        self._network, self._ask = network, jax.jit(network.with_kernels(ask))

    def answer(self, weights: Weights, x: NDArray[Any]) -> NetworkAnswers:
        """What the network with these weights says, in inference mode.

        Args:
            weights: of a run of this arm.
            x: examples as the data has them, not scaled: shape ``(examples, *example_shape)``.

        Returns:
            Probabilities and answers, in the order of ``x``.

        Raises:
            StoreError: the weights are not this network's.
        """
        return self._answer(*self._arrays(weights), x)

    def place(self, weights: Weights) -> PlacedNetwork:
        """A network that is asked often: its weights are moved to the device once.

        Raises:
            StoreError: the weights are not this network's.
        """
        trainable, rest = jax.device_put(self._arrays(weights))
        return PlacedNetwork(lambda x: self._answer(trainable, rest, x))

    def _arrays(self, weights: Weights) -> tuple[list[Any], list[Any]]:
        """The weights in the order of Keras's variables, once they are known to fit."""
        model, seed_states = self._network.model, set(self._network.seed_states)
        others = list(enumerate(model.non_trainable_variables))
        variables = [*model.trainable_variables, *(v for i, v in others if i not in seed_states)]
        _check({v.path: tuple(v.shape) for v in variables}, weights)
        trainable = [weights[v.path] for v in model.trainable_variables]
        # No mask is drawn in inference mode: any state of a seed generator will do.
        rest = [np.zeros(v.shape, v.dtype) if i in seed_states else weights[v.path] for i, v in others]
        return trainable, rest

    def _answer(self, trainable: list[Any], rest: list[Any], x: NDArray[Any]) -> NetworkAnswers:
        parts = [self._ask(trainable, rest, x[start : start + BATCH]) for start in range(0, len(x), BATCH)]
        probabilities, predicted = (
            np.concatenate([np.asarray(a) for a in arrays]) for arrays in zip(*parts, strict=True)
        )
        return NetworkAnswers(probabilities, predicted)


def _accuracy(model: keras.Model, loss: str) -> keras.metrics.Metric:
    """Accuracy as the engine counts it, whatever Keras would make of the word."""
    if losses.target_form(loss) == "integer":
        return keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    if output_shape(model)[-1] == 1:
        return keras.metrics.BinaryAccuracy(name="accuracy", threshold=losses.threshold(loss))
    return keras.metrics.CategoricalAccuracy(name="accuracy")


def _check(shapes: Mapping[str, tuple[int, ...]], weights: Weights) -> None:
    """Hold a run's weights against the variables that they are for."""
    stored = {path: tuple(value.shape) for path, value in weights.items()}
    if stored != shapes:
        path = min(path for path in {*shapes, *stored} if shapes.get(path) != stored.get(path))
        raise StoreError(
            f"stored weights do not fit their network: {path} is {stored.get(path, 'missing')}, the network has "
            f"{shapes.get(path, 'no such weight')}; train the run again in another store"
        )


def _cannot_build(arm: str, error: Exception) -> ModelError:
    message = " ".join(str(error).split()).split(" Arguments received by", 1)[0]
    return ModelError(
        f"arm '{arm}'",
        [
            Mistake(
                "",
                f"Keras cannot build it in this process: {message[:400]}. If it has classes of your own, name the "
                "study as module:object or path/to/file.py:object, whose import registers them",
            )
        ],
    )
