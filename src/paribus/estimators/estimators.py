"""Runs jobs of estimators, one after the other, on one core: what ``paribus.engine`` is for networks.

An estimator reads what a network reads (the same examples, divided or standardized in the same way), each as one vector
of float32. It is trained on the same part of the training split, and measured on the same whole splits.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from paribus import seeds
from paribus.data import load, standardization
from paribus.data.dataset import Content, Dataset
from paribus.data.expected import ExpectedData
from paribus.data.training import class_weights, divide_training_split
from paribus.estimators import canonical, environment
from paribus.estimators.describe import describe
from paribus.estimators.digest import learned_digest
from paribus.keras_config.names import is_binary_loss, is_log_loss
from paribus.records import (
    Curve,
    DataSpec,
    DescribeJob,
    Predictions,
    Recipe,
    RunResult,
    Scores,
    Status,
    Training,
    TrainJob,
)

Measure = Callable[[Training, Sequence[str], NDArray[np.float32], NDArray[np.int32]], dict[str, float]]
"""``(training, class names, probabilities, labels)`` -> every metric of the training by name."""

EPSILON = np.float32(1e-7)
"""Keras's: probabilities are clipped to it before the logarithm, as its categorical cross-entropy does."""


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """Examples as vectors, float32 of shape ``(examples, features)``, with their labels."""

    x: NDArray[np.float32]
    labels: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A dataset as estimators read it; the validation split is cut off."""

    train: _Split
    test: _Split
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        return len(self.class_names)


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """The classes predicted, shape ``(examples,)``, and the probabilities, ``(examples, classes)``.

    Classes that were never seen in training have probability 0.
    """

    predicted: NDArray[np.int32]
    probabilities: NDArray[np.float32]


class Estimators:
    """Computes runs of estimators. The prepared data stays in memory between jobs. Not safe to share between threads.

    Args:
        measure: measures the protocol's own metrics, which are Keras's.
    """

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._data: dict[tuple[DataSpec, float, str | None], tuple[_Prepared, Content]] = {}

    def describe(self, job: DescribeJob) -> Recipe:
        """The canonical form of an arm.

        Args:
            job: the arm as the study writes it, with its protocol.

        Raises:
            ModelError: scikit-learn refuses the arm; the error lists every mistake.
        """
        return describe(job)

    def run(self, job: TrainJob) -> RunResult:
        """Fit one estimator with one seed, and measure it on the whole of both splits.

        What scikit-learn warns of meanwhile (that it did not converge, say) becomes the reason of a finished run.

        Args:
            job: the run.

        Returns:
            The run, without a curve and without weights.

        Raises:
            DataError: the data is not what the run was planned on.
            UsageError: the validation split leaves nothing to train on.
            ValueError: the installed scikit-learn has no such estimator any more.
            Exception: whatever scikit-learn raises while it fits.
        """
        data = self._prepared(job)
        estimator = canonical.estimator_from_text(job.recipe.model)
        names = canonical.random_states(estimator)
        estimator.set_params(**dict(zip(names, seeds.random_states(job.seeds, len(names)), strict=True)))
        weights = class_weights(job.training, data.train.labels, data.classes)
        extra = {} if weights is None else {"sample_weight": weights[data.train.labels]}
        with warnings.catch_warnings(record=True) as caught, threadpool_limits(1):
            warnings.simplefilter("always")
            started = time.perf_counter()
            estimator.fit(data.train.x, data.train.labels, **extra)
            train = _answers(estimator, data.train, data.classes)
            test = _answers(estimator, data.test, data.classes)
            seconds = time.perf_counter() - started
        splits = (("test", test, data.test), ("train", train, data.train))
        own = {
            f"{split}_{name}": value
            for split, answers, examples in splits
            if job.training.metrics is not None
            for name, value in self._measure(
                job.training, data.class_names, answers.probabilities, examples.labels
            ).items()
        }
        status, reason = Status.FINISHED, _warning_text(caught)
        if not all(np.isfinite(answers.probabilities).all() for answers in (train, test)):
            status, reason = Status.DIVERGED, "a probability was not finite"
        loss = json.loads(job.training.loss)
        has_loss = is_log_loss(loss) and not (is_binary_loss(loss) and data.classes > 2)
        return RunResult(
            fingerprint=job.fingerprint,
            status=status,
            seeds=job.seeds,
            scores=Scores(
                fit_accuracy=np.nan,
                fit_loss=np.nan,
                train_accuracy=_accuracy(train, data.train),
                train_loss=log_loss(_right(train, data.train)) if has_loss else np.nan,
                test_accuracy=_accuracy(test, data.test),
                test_loss=log_loss(_right(test, data.test)) if has_loss else np.nan,
            ),
            curve=Curve((), ()),
            seconds=seconds,
            weights_digest=learned_digest(estimator),
            environment=environment.current(),
            reason=reason,
            predictions=Predictions(
                test.predicted, _picked(test.probabilities, test.predicted), _right(test, data.test)
            ),
            metrics=own,
        )

    def _prepared(self, job: TrainJob) -> _Prepared:
        """The data of a job, read where it is not held already.

        Raises:
            DataError: it is not what the job was planned on.
        """
        spec, training, expected = job.data, job.training, ExpectedData.of(job)
        key = (spec, training.validation_split, training.validation)
        held = self._data.get(key)
        if held is not None and (expected is None or expected.is_in(held[1])):
            return held[0]
        if expected is not None:
            expected.learn()
        data = load(spec)
        if expected is not None:
            expected.check(data.content, spec.source)
        prepared = _prepare(data, spec, training)
        # One data set is enough: as vectors of float32 it may be four times as large as in its files.
        self._data = {key: (prepared, data.content)}
        return prepared


def log_loss(true_probability: NDArray[np.float32]) -> float:
    """The mean of -log(p) in nats, p the probability of the right class, clipped to [1e-7, 1 - 1e-7] as Keras does.

    Args:
        true_probability: p of each example, shape ``(examples,)``.
    """
    clipped = np.clip(true_probability, EPSILON, np.float32(1) - EPSILON)
    return float(np.mean(-np.log(clipped), dtype=np.float64))


def _prepare(data: Dataset, spec: DataSpec, training: Training) -> _Prepared:
    rows = divide_training_split(data, training.validation_split, training.validation).trained
    standard = standardization(data.x_train, rows) if spec.standardize else None

    def vectors(x: NDArray[Any]) -> NDArray[np.float32]:
        examples = x.astype(np.float32)
        if standard is not None:
            examples = (examples - standard.mean) / standard.deviation
        elif spec.scale is not None:
            examples /= np.float32(spec.scale)
        return examples.reshape(len(examples), -1)

    train = _Split(vectors(data.x_train[rows]), data.y_train[rows])
    return _Prepared(train, _Split(vectors(data.x_test), data.y_test), data.class_names)


def _answers(estimator: Any, split: _Split, classes: int) -> _Answers:
    """Its answers as it gives them: what it predicts need not be what it gives the largest probability."""
    probabilities = np.zeros((len(split.labels), classes), np.float32)
    probabilities[:, np.asarray(estimator.classes_, np.int32)] = estimator.predict_proba(split.x)
    return _Answers(np.asarray(estimator.predict(split.x), np.int32), probabilities)


def _right(answers: _Answers, split: _Split) -> NDArray[np.float32]:
    """The probabilities of the right classes."""
    return _picked(answers.probabilities, split.labels)


def _picked(probabilities: NDArray[np.float32], classes: NDArray[np.int32]) -> NDArray[np.float32]:
    return probabilities[np.arange(len(classes)), classes]


def _accuracy(answers: _Answers, split: _Split) -> float:
    return float(np.mean(answers.predicted == split.labels))


def _warning_text(caught: list[warnings.WarningMessage]) -> str | None:
    """What was warned of, each thing once; None where nothing was. What a later release will change is left out."""
    about_software = (FutureWarning, DeprecationWarning, PendingDeprecationWarning)
    texts = [
        f"{warning.category.__name__}: {_first_sentence(str(warning.message))}"
        for warning in caught
        if not issubclass(warning.category, about_software)
    ]
    return "; ".join(dict.fromkeys(texts)) or None


def _first_sentence(text: str) -> str:
    """The first paragraph of a warning, on one line: what follows are links."""
    return " ".join(text.strip().split("\n\n", 1)[0].split())[:300]
