"""Predictions of the networks of a study's arms, one network for every seed, and their mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset, standardization
from paribus.data.training import divide_training_split
from paribus.errors import UsageError
from paribus.predict.inputs import Inputs
from paribus.results.selection import RunSelection
from paribus.store.base import StoredArm
from paribus.study.document import StudyDocument

if TYPE_CHECKING:
    from paribus.engine.inference import NetworkInference


@dataclass(frozen=True, slots=True, eq=False)
class ArmPredictions:
    """The predictions of one arm's networks for all examples.

    Attributes:
        arm: the arm's name.
        seeds: the seeds whose runs finished, in their order.
        probabilities: float32, shape ``(seeds, examples, classes)``.
        predicted: the class that each network predicts, int32, shape ``(seeds, examples)``.
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


def predict_arms(selection: RunSelection, inputs: Inputs) -> Iterator[ArmPredictions]:
    """The predictions of every arm, in the study's order.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Raises:
        UsageError: none of the runs finished.
        ModelError: a network cannot be built in this process.
        StoreError: weights are damaged.
    """
    results = selection.results
    if not selection.networks:
        raise UsageError(
            f"none of these {len(selection.runs)} runs of study '{results.document.name}' finished as a network; "
            "scikit-learn estimators are not stored, only their predictions on the test split"
        )
    build = inference_of(results.document, inputs.data)
    for arm in dict.fromkeys(selected.arm.name for selected in selection.networks):
        runs = [selected for selected in selection.networks if selected.arm.name == arm]
        inference = build(runs[0].arm)
        answers = [inference.answer(results.store.weights(selected.run.fingerprint), inputs.x) for selected in runs]
        yield ArmPredictions(
            arm,
            tuple(selected.run.seeds.seed for selected in runs),
            np.stack([answer.probabilities for answer in answers]),
            np.stack([answer.predicted for answer in answers]),
        )


def inference_of(document: StudyDocument, data: Dataset) -> Callable[[StoredArm], NetworkInference]:
    """Builds the networks of a study's arms, with the preparation that its data had in training.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Args:
        document: the study.
        data: its data, as loaded without ``flatten``.
    """
    from paribus.engine.inference import NetworkInference

    training, spec = document.protocol.training(), document.data.spec()
    data = data.flattened() if spec.flatten else data
    trained = divide_training_split(data, training.validation_split, training.validation).trained
    standard = standardization(data.x_train, trained) if spec.standardize else None
    return lambda arm: NetworkInference(arm.recipe, training, spec, data.input_shape, standard, arm.name)
