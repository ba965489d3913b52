"""The runs' answers on the test split, example by example: read once and reduced to what a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import Calibration, Confusion, Difficulty, Flips, calibrate, confuse, difficulty, flips, right
from paribus.data import Dataset, load
from paribus.data.sources import load_pooled
from paribus.errors import DataError, UsageError
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import DataSpec, Folds, Seeds
from paribus.report.features import Features
from paribus.report.numbers import pairing_seed
from paribus.report.pictures import Pictures

MAX_CONFUSED = 200
"""With more classes than this there is no confusion matrix: it would have more cells than anybody reads."""


@dataclass(frozen=True, slots=True, eq=False)
class ArmTestAnswers:
    """One arm's answers on the test split, or with folds on all examples.

    Attributes:
        arm: the arm's name.
        seeds: the seed of each row, in increasing order; with folds the number of each pass over all of them.
        predicted: predicted classes, shape ``(seeds, examples)``, in the smallest type that holds them.
        right: whether they are right, same shape.
        difficulty: which examples are always, sometimes or never wrong.
        confusion: counts of true and predicted classes; None with very many classes.
        calibration: accuracy by confidence.
    """

    arm: str
    seeds: tuple[int, ...]
    predicted: NDArray[np.unsignedinteger]
    right: NDArray[np.bool_]
    difficulty: Difficulty
    confusion: Confusion | None
    calibration: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class StudyAnswers:
    """The answers of all arms that have scored runs, and the test split that they belong to.

    Attributes:
        labels: the right class of each test example.
        class_names: one name for each class.
        pictures: the test examples, if they are images.
        by_arm: each arm's answers, in the study's order.
        example_names: the name of each test example; None where they are numbered.
        features: the test examples, if each of them is a row of a table.
        folds: how all examples are divided; None with a fixed test split.
        codes: the fold of each example in each repetition, shape ``(repeats, examples)``; None likewise.
    """

    labels: NDArray[np.int32]
    class_names: tuple[str, ...]
    pictures: Pictures | None
    by_arm: Mapping[str, ArmTestAnswers]
    example_names: tuple[str, ...] | None = None
    features: Features | None = None
    folds: Folds | None = None
    codes: NDArray[np.intp] | None = None

    def list_tested(self, seeds: Seeds) -> NDArray[np.intp]:
        """The indices of the examples that a run with these seeds was tested on, in increasing order."""
        if self.folds is None or self.codes is None:
            return np.arange(len(self.labels))
        assert seeds.seed is not None, "runs of folds have one seed for all streams"
        of_run = self.folds.of_seed(seeds.seed)
        return np.flatnonzero(self.codes[of_run.repeat] == of_run.fold)

    @property
    def remark(self) -> str:
        """What a seed is in counts of these answers, where it is no run; empty where it is."""
        if self.folds is None:
            return ""
        return (
            "In these counts a seed is a pass over all folds: every example answered once, by the run that did not "
            "train on it."
        )

    @property
    def kind(self) -> str:
        """What answers every example once: ``seed``, or ``pass`` over all folds."""
        return "seed" if self.folds is None else "pass"

    def name_example(self, index: int) -> str:
        """``#17``, or its own name where it has one."""
        return f"#{index if self.example_names is None else self.example_names[index]}"

    def flips(self, a: str, b: str) -> tuple[Flips, tuple[int, ...]] | None:
        """Examples that tell two arms apart over their common seeds, with those seeds; None where they have none.

        Args:
            a: the first arm.
            b: the second arm.
        """
        if a not in self.by_arm or b not in self.by_arm:
            return None
        first, second = self.by_arm[a], self.by_arm[b]
        seeds = tuple(seed for seed in first.seeds if seed in second.seeds)
        if not seeds:
            return None
        rows = [[answers.seeds.index(seed) for seed in seeds] for answers in (first, second)]
        return flips(first.right[rows[0]], second.right[rows[1]]), seeds


@dataclass(frozen=True, slots=True)
class MissingAnswers:
    """Why there are no answers."""

    reason: str


def read_answers(outcome: Outcome) -> StudyAnswers | MissingAnswers:
    """Read every run's answers and the test split that they belong to.

    Args:
        outcome: the outcome; its predictions are read run by run.

    Returns:
        The answers; or the reason why there are none.

    Raises:
        StoreError: a run's answers are damaged.
    """
    request = outcome.predictions_request
    if request is not None and outcome.examples is not None:
        labels, names = outcome.examples.labels, request.classes
        by_arm = {arm.name: _answers(outcome, arm, labels, len(names)) for arm in outcome.arms}
        return StudyAnswers(labels, names, None, by_arm, outcome.examples.names)
    if outcome.document.data.folds is not None:
        return _read_folds(outcome, outcome.document.data.spec())
    dataset = _dataset(outcome)
    if isinstance(dataset, MissingAnswers):
        return dataset
    scored = [arm for arm in outcome.arms if arm.scored]
    if not scored:
        return MissingAnswers("no run has a score yet")
    return StudyAnswers(
        dataset.y_test,
        dataset.class_names,
        Pictures.from_examples(dataset.x_test),
        {arm.name: _answers(outcome, arm, dataset.y_test, dataset.classes) for arm in scored},
        features=Features.from_dataset(dataset),
    )


def _dataset(outcome: Outcome) -> Dataset | MissingAnswers:
    """The data with its images as images; refused where it changed since the runs, as its labels would be wrong."""
    try:
        dataset = load(replace(outcome.document.data.spec(), flatten=False))
    except (DataError, UsageError) as error:
        return MissingAnswers(f"the data cannot be read any more ({error})")
    if dataset.fingerprint != outcome.data.fingerprint:
        return MissingAnswers(f"the data that '{dataset.name}' names has changed since these runs were computed")
    return dataset


def _read_folds(outcome: Outcome, spec: DataSpec) -> StudyAnswers | MissingAnswers:
    """The answers of cross-validation: a row for each pass over the folds that has scores of all (decision 0136)."""
    folds = spec.folds
    assert folds is not None, "the study has folds"
    try:
        pooled = load_pooled(spec)
        fingerprint = pooled.summary().fingerprint
    except (DataError, UsageError) as error:
        return MissingAnswers(f"the data cannot be read any more ({error})")
    if fingerprint != outcome.data.fingerprint:
        return MissingAnswers(f"the data that '{spec.source}' names has changed since these runs were computed")
    by_arm = {}
    for arm in outcome.arms:
        passes = folds.complete_passes((run.seeds.seed, run) for run in arm.scored if run.seeds.seed is not None)
        if not passes:
            continue
        shape, classes = (len(passes), len(pooled.labels)), len(pooled.class_names)
        predicted = np.empty(shape, np.min_scalar_type(classes - 1))
        confidence = np.empty(shape, np.float32)
        for row, (number, runs) in enumerate(passes.items()):
            for fold, run in enumerate(runs):
                tested = pooled.codes[number % folds.repeats] == fold
                predictions = outcome.predictions(run.fingerprint)
                predicted[row, tested], confidence[row, tested] = predictions.predicted, predictions.confidence
        by_arm[arm.name] = _summarize(outcome, arm, tuple(passes), predicted, confidence, pooled.labels, classes)
    if not by_arm:
        return MissingAnswers("no pass over all folds has scores yet")
    pictures = None if pooled.examples is None else Pictures.from_examples(pooled.examples)
    return StudyAnswers(pooled.labels, pooled.class_names, pictures, by_arm, folds=folds, codes=pooled.codes)


def _answers(outcome: Outcome, arm: ArmOutcome, labels: NDArray[np.int32], classes: int) -> ArmTestAnswers:
    runs = sorted(arm.scored, key=lambda run: run.seeds)
    predicted = np.empty((len(runs), len(labels)), np.min_scalar_type(classes - 1))
    confidence = np.empty(predicted.shape, np.float32)
    for row, run in enumerate(runs):
        predictions = outcome.predictions(run.fingerprint)
        predicted[row], confidence[row] = predictions.predicted, predictions.confidence
    seeds = tuple(pairing_seed(run.seeds) for run in runs)
    return _summarize(outcome, arm, seeds, predicted, confidence, labels, classes)


def _summarize(
    outcome: Outcome,
    arm: ArmOutcome,
    seeds: tuple[int, ...],
    predicted: NDArray[np.unsignedinteger],
    confidence: NDArray[np.float32],
    labels: NDArray[np.int32],
    classes: int,
) -> ArmTestAnswers:
    correct = right(predicted, labels)
    return ArmTestAnswers(
        arm.name,
        seeds,
        predicted,
        correct,
        difficulty(correct),
        confuse(predicted, labels, classes) if classes <= MAX_CONFUSED else None,
        calibrate(confidence, correct, level=outcome.design.comparison.level),
    )
