"""Predictions of the networks of a study's arms, one network for every seed, and their mean.

With folds the networks of all folds and repetitions answer, each with examples prepared as for its own training part
(decision 0136).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset, Standardization, standardization
from paribus.data.folds import Pooled
from paribus.data.sources import load_pooled
from paribus.data.training import divide_training_split
from paribus.errors import DataError, UsageError
from paribus.predict.inputs import Inputs
from paribus.records import Folds
from paribus.results.selection import RunSelection
from paribus.results.stored_study import StoredResults
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
        folds: for each network the repetition and the fold that it was tested on; None with a fixed test split.
    """

    arm: str
    seeds: tuple[int | None, ...]
    probabilities: NDArray[np.float32]
    predicted: NDArray[np.int32]
    folds: tuple[Folds | None, ...]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean probability over the networks, shape ``(examples, classes)``."""
        mean: NDArray[np.float64] = self.probabilities.astype(np.float64).mean(axis=0)
        return mean


def predict_arms(selection: RunSelection, inputs: Inputs) -> Iterator[ArmPredictions]:
    """The predictions of every arm, in the study's order.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Raises:
        UsageError: none of the runs finished.
        ModelError: a network cannot be built in this process.
        StoreError: weights are damaged.
        DataError: the data that examples are prepared by has changed since.
    """
    from paribus.engine.inference import NetworkInference

    results = selection.results
    if not selection.networks:
        raise UsageError(
            f"none of these {len(selection.runs)} runs of study '{results.document.name}' finished as a network; "
            "scikit-learn estimators are not stored, only their predictions on the test split"
        )
    training, spec = results.document.protocol.training(), results.document.data.spec()
    prepared = _Prepared(results, inputs)
    for arm in dict.fromkeys(selected.arm.name for selected in selection.networks):
        runs = [selected for selected in selection.networks if selected.arm.name == arm]
        inferences: dict[int, NetworkInference] = {}
        answers = []
        for selected in runs:
            examples = prepared.of(selected.folds)
            if id(examples) not in inferences:
                shape = examples.x.shape[1:]
                inferences[id(examples)] = NetworkInference(
                    runs[0].arm.recipe, training, spec, shape, examples.standard, arm
                )
            weights = results.store.weights(selected.run.fingerprint)
            answers.append(inferences[id(examples)].answer(weights, examples.x))
        yield ArmPredictions(
            arm,
            tuple(selected.run.seeds.seed for selected in runs),
            np.stack([answer.probabilities for answer in answers]),
            np.stack([answer.predicted for answer in answers]),
            tuple(selected.folds for selected in runs),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Examples:
    """The examples as a network takes them, and how it standardizes them."""

    x: NDArray[Any]
    standard: Standardization | None


class _Prepared:
    """The examples as the networks of each fold take them: what is fitted to data was fitted to its training part.

    Raises:
        DataError: something is fitted to the data, and the data has changed since the networks were trained.
    """

    def __init__(self, results: StoredResults, inputs: Inputs) -> None:
        self._results, self._inputs = results, inputs
        self._spec = results.document.data.spec()
        self._pooled: Pooled | None = None
        self._by_fold: dict[Folds | None, _Examples] = {}
        # Whatever else is done to examples is the same for all folds.
        self._is_fitted = self._spec.standardize or inputs.data.columns is not None or inputs.data.offset is not None
        if self._is_fitted:
            if self._spec.folds is not None:
                self._pooled = load_pooled(self._spec)
            now = inputs.data.fingerprint if self._pooled is None else self._pooled.summary().fingerprint
            if now != results.data.fingerprint:
                raise DataError(
                    f"{self._spec.source}: the data is not what the networks were trained on, so that examples cannot "
                    "be prepared as theirs were: put the file back as it was"
                )

    def of(self, folds: Folds | None) -> _Examples:
        """The examples for the networks of a fold; None for those of the one split."""
        key = folds if self._is_fitted else None
        if key not in self._by_fold:
            self._by_fold[key] = self._prepare(key)
        return self._by_fold[key]

    def _prepare(self, folds: Folds | None) -> _Examples:
        data = self._inputs.data
        if folds is not None:
            assert self._pooled is not None, "what is fitted is fitted to a fold"
            assert folds.repeat is not None, "a run was tested on one fold"
            assert folds.fold is not None, "a run was tested on one fold"
            data = self._pooled.split(folds.repeat, folds.fold)
        x = self._inputs.as_in(data)
        if not self._spec.standardize:
            return _Examples(x, None)
        data = data.flattened() if self._spec.flatten else data
        training = self._results.document.protocol.training()
        trained = divide_training_split(data, training.validation_split, training.validation).trained
        return _Examples(x, standardization(data.x_train, trained))


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
