"""Asking the networks of a study's arms, one of every seed, and what they say together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset, standardization
from paribus.data.training import divide_training_split
from paribus.errors import UsageError
from paribus.predict.inputs import Inputs
from paribus.results.selection import RunSelection


@dataclass(frozen=True, slots=True, eq=False)
class ArmAnswers:
    """What the networks of one arm say to all examples.

    Attributes:
        arm: the arm's name.
        seeds: the seeds whose runs finished, in their order.
        probabilities: float32, shape ``(seeds, examples, classes)``.
        predicted: the class that each network answers, int32, shape ``(seeds, examples)``.
    """

    arm: str
    seeds: tuple[int | None, ...]
    probabilities: NDArray[np.float32]
    predicted: NDArray[np.int32]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean probability over the seeds, shape ``(examples, classes)``."""
        mean: NDArray[np.float64] = self.probabilities.astype(np.float64).mean(axis=0)
        return mean


def ask(chosen: RunSelection, inputs: Inputs) -> Iterator[ArmAnswers]:
    """What every arm says, in the study's order.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Raises:
        UsageError: none of the runs finished.
        ModelError: a network cannot be built in this process.
        StoreError: weights are damaged.
    """
    from paribus.engine.inference import NetworkInference

    results = chosen.results
    if not chosen.networks:
        raise UsageError(
            f"none of these {len(chosen.runs)} runs of study '{results.document.name}' finished as a network; "
            "scikit-learn estimators are not kept, only what they answered on the test split"
        )
    training, spec = results.document.protocol.training(), results.document.data.spec()
    data: Dataset = inputs.data.flattened() if spec.flatten else inputs.data
    trained = divide_training_split(data, training.validation_split, training.validation).trained
    standard = standardization(data.x_train, trained) if spec.standardize else None
    for arm in dict.fromkeys(each.arm.name for each in chosen.networks):
        runs = [each for each in chosen.networks if each.arm.name == arm]
        inference = NetworkInference(runs[0].arm.recipe, training, spec, data.input_shape, standard, arm)
        answers = [inference.answer(results.store.weights(each.run.fingerprint), inputs.x) for each in runs]
        yield ArmAnswers(
            arm,
            tuple(each.run.seeds.seed for each in runs),
            np.stack([each.probabilities for each in answers]),
            np.stack([each.predicted for each in answers]),
        )
