"""Scores of a study's stored runs by arm and metric, a row a seed: the input of the analysis."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.folds import FoldLayout, make_layout
from paribus.analysis.metrics import FITS_BETTER, FITS_WORSE, Metric, Unit, metric_named
from paribus.analysis.pairing import SeedScores
from paribus.analysis.scores import gap_scores, log_loss, right
from paribus.data import load
from paribus.data.folds import Pooled
from paribus.data.sources import load_pooled
from paribus.errors import DataError, StoreDamagedError
from paribus.keras_config import names as keras_names
from paribus.keras_config.metric_forms import has_positive_class
from paribus.keras_config.names import is_binary_loss, is_log_loss, is_loss_in_nats, takes_logits
from paribus.records import MEASURES, DataSummary, Predictions, RunResult, Seeds, is_loss
from paribus.store.base import StoredArm
from paribus.study.document import StudyDocument

KERAS_EPSILON = 1e-7
"""Keras clips probabilities to this before it takes their logarithm (``keras.config.epsilon``)."""


class StudyScores:
    """Scores that are computed from stored predictions when they are first needed, and cached.

    A run whose predictions are damaged has no scores; ``damaged`` describes the damage by fingerprint, once the scores
    of its arm were computed.

    Args:
        document: the study.
        data: its data.
        stored: for each arm, the seeds and fingerprints of the runs that count.
        runs: the runs that have ended, by fingerprint.
        predictions: reads the predictions of a run, by its fingerprint.
    """

    def __init__(
        self,
        document: StudyDocument,
        data: DataSummary,
        stored: Sequence[StoredArm],
        runs: Mapping[str, RunResult],
        predictions: Callable[[str], Predictions],
    ) -> None:
        self._document = document
        self._own = {metric.name: metric for metric in list_added_metrics(document)}
        self._classes = data.classes
        self._data = data
        self._predictions = predictions
        self._labels: NDArray[np.int32] | None = None
        self._pooled: Pooled | None = None
        self._estimators = frozenset(arm.name for arm in stored if arm.recipe.is_estimator)
        self._cache: dict[tuple[str, str], SeedScores] = {}
        self._answers: dict[str, NDArray[np.generic]] = {}
        self._folded: dict[str, NDArray[np.generic]] = {}
        self._losses: dict[str, NDArray[np.float64]] = {}
        self.damaged: dict[str, str] = {}
        self._runs = {
            arm.name: [
                (pairing_number(run.seeds), runs[run.fingerprint])
                for run in arm.runs
                if _has_scores(runs, run.fingerprint)
            ]
            for arm in stored
        }

    @property
    def groups(self) -> None:
        """The test examples of a study are independent."""
        return None

    @property
    def folds(self) -> FoldLayout | None:
        """The folds of cross-validation; None with a fixed test split.

        Raises:
            DataError: the data has changed since.
        """
        divided = self._document.data.divided
        return None if divided is None else make_layout(self._read_pooled().codes, divided.count)

    def metric(self, name: str) -> Metric:
        """The metric of that name, one of those that every study has or of this study's own.

        Raises:
            UnknownNameError: there is no such metric; the message lists those that there are.
        """
        metric = metric_named(name, self._own)
        if is_loss(name) and not is_loss_in_nats(self._document.protocol.loss):
            return replace(metric, unit=Unit.PLAIN)
        return metric

    def scores(self, arm: str, metric: str) -> SeedScores:
        """The scores of an arm: a row for each run with scores, a column for each example, or one for the whole split.

        A run without a value of an added metric has no score on it; nor has a diverged run on a loss whose value for
        uninformed predictions is unknown.

        Args:
            arm: the name of the arm.
            metric: the name of the metric.

        Raises:
            StoreError: a run's predictions cannot be read.
            DataError: the data can no longer be read, so that the labels are not known.
        """
        key = (arm, metric)
        if key not in self._cache:
            self._read(arm)
            runs = self._runs[arm] if self.has(arm, metric) else []
            runs = [pair for pair in runs if self._is_known(pair[1], metric)]
            if self._document.data.divided is None:
                seeds = tuple(seed for seed, _ in runs)
                self._cache[key] = SeedScores(arm, seeds, self._values(arm, metric, [run for _, run in runs]))
            else:
                self._cache[key] = self._passes(arm, metric, runs)
        return self._cache[key]

    def _read(self, arm: str) -> None:
        """Read the answers of an arm's runs on the test split; damaged runs are left out."""
        if arm in self._answers:
            return
        sound, answers = [], []
        kind = np.min_scalar_type(self._classes)
        has_losses = is_log_loss(self._document.protocol.loss) and self.has(arm, "test_loss")
        for seed, run in self._runs[arm]:
            try:
                predicted = self._predictions(run.fingerprint).predicted.astype(kind)
                self._folded[run.fingerprint] = predicted
                answers.append(predicted)
            except StoreDamagedError as error:
                self.damaged[run.fingerprint] = str(error)
            else:
                sound.append((seed, run))
                if has_losses:
                    # Now, while the predictions are in memory: those of a large study would have to be read again.
                    self._losses[run.fingerprint] = self._log_losses(run)
        self._runs[arm] = sound
        if self._document.data.divided is not None:
            answers = []  # of different test examples: they stand in a matrix by passes over the folds
        self._answers[arm] = np.stack(answers) if answers else np.empty((0, 0), kind)

    def has(self, arm: str, metric: str) -> bool:
        """Whether an arm has a metric: an estimator has no fit accuracy, of losses only log loss (decision 0033)."""
        measure = MEASURES.get(metric)
        if arm not in self._estimators or measure is None or not (measure.from_fit or measure.is_loss):
            return True
        loss = self._document.protocol.loss
        compares_all_outputs = is_binary_loss(loss) and self._classes > 2
        return not measure.from_fit and is_log_loss(loss) and not compares_all_outputs

    @cached_property
    def loss_is_per_example(self) -> bool:
        """Whether -log of the right class's probability is the loss that every run of the study was measured with.

        This holds for plain cross-entropy of normalized outputs. For other outputs Keras's losses normalize or clip in
        their own ways, so that the mean of -log p is compared with each run's stored loss.
        """
        if not is_log_loss(self._document.protocol.loss):
            return False
        for arm in self._runs:
            self._read(arm)
        agrees = all(
            self._agrees(run) for arm in self._runs if self.has(arm, "test_loss") for _, run in self._runs[arm]
        )
        if not agrees:
            self._losses.clear()
        return agrees

    def _agrees(self, run: RunResult) -> bool:
        """Whether a run's test loss is the mean of its log losses, up to the rounding of float32."""
        assert run.scores is not None, "runs without scores are left out"
        losses = self._losses.get(run.fingerprint)
        mean = float(np.mean(self._log_losses(run) if losses is None else losses))
        return math.isclose(mean, self._scalar(run, "test_loss"), rel_tol=1e-5, abs_tol=2e-5)

    def _log_losses(self, run: RunResult) -> NDArray[np.float64]:
        """-log of the probability of each example's right class; Keras clips probabilities, but not logits."""
        smallest = float(np.finfo(np.float32).tiny) if takes_logits(self._document.protocol.loss) else KERAS_EPSILON
        return log_loss(self._predictions(run.fingerprint).true_probability, self._classes, smallest=smallest)

    def _take_losses(self, run: RunResult) -> NDArray[np.float64]:
        """The log losses of a run, which are then let go of; arms of one recipe share a run, and compute them again."""
        losses = self._losses.pop(run.fingerprint, None)
        return self._log_losses(run) if losses is None else losses

    def _per_example(self, metric: str) -> bool:
        """Whether a metric has a value for each test example."""
        return self.metric(metric).per_example and (metric != "test_loss" or self.loss_is_per_example)

    def _is_known(self, run: RunResult, metric: str) -> bool:
        if metric in self._own:
            return math.isfinite(run.metrics.get(metric, math.nan))
        if not is_loss(metric) or is_log_loss(self._document.protocol.loss):
            return True
        return math.isfinite(getattr(run.scores, metric))

    def _values(self, arm: str, metric: str, runs: Sequence[RunResult]) -> NDArray[np.generic]:
        if not runs or not self._per_example(metric):
            return np.array([[self._scalar(run, metric)] for run in runs]).reshape(len(runs), 1)
        if metric == "test_loss":
            return np.stack([self._take_losses(run) for run in runs])
        if metric == "generalization_gap":
            train = [self._scalar(run, "train_accuracy") for run in runs]
            return gap_scores(train, np.asarray(self.scores(arm, "test_accuracy").values))
        return right(self._answers[arm], self._true_labels())

    def _passes(self, arm: str, metric: str, runs: Sequence[tuple[int, RunResult]]) -> SeedScores:
        """The scores of an arm over folds: a row for each pass over all folds whose runs have scores."""
        divided = self._document.data.divided
        assert divided is not None, "the study has folds"
        codes = self._read_pooled().codes
        per_example = self._per_example(metric) and metric != "generalization_gap"
        complete = divided.complete_passes(runs)
        kind = np.bool_ if metric == "test_accuracy" else np.float64
        columns = codes.shape[1] if per_example else divided.count
        values: NDArray[np.generic] = np.zeros((len(complete), columns), kind)
        for row, (number, of_pass) in enumerate(complete.items()):
            for fold, run in enumerate(of_pass):
                if per_example:
                    examples = np.flatnonzero(codes[number % divided.repeats] == fold)
                    values[row, examples] = self._example_scores(run, metric, examples)
                else:
                    values[row, fold] = self._scalar(run, metric)
        return SeedScores(arm, tuple(complete), values, "pass over the folds")

    def _example_scores(self, run: RunResult, metric: str, examples: NDArray[np.intp]) -> NDArray[np.generic]:
        """The scores of a run on the examples of its fold."""
        if metric == "test_loss":
            return self._take_losses(run)
        return right(self._folded[run.fingerprint], self._read_pooled().labels[examples])

    def _read_pooled(self) -> Pooled:
        """All examples with their folds, as the runs were measured on them.

        Raises:
            DataError: the data has changed since.
        """
        if self._pooled is None:
            pooled = load_pooled(self._document.data.spec())
            self._check_same(pooled.summary().fingerprint)
            self._pooled = pooled
        return self._pooled

    def _scalar(self, run: RunResult, metric: str) -> float:
        """A run's measure; accuracies are always finite. The loss of nan weights is that of uniform probabilities."""
        assert run.scores is not None, "runs without scores are left out"
        if metric in self._own:
            return run.metrics[metric]
        value = float(getattr(run.scores, metric))
        return math.log(self._classes) if is_loss(metric) and not math.isfinite(value) else value

    def _true_labels(self) -> NDArray[np.int32]:
        """The labels that the runs were measured with.

        Raises:
            DataError: the data has changed since.
        """
        if self._labels is None:
            dataset = load(self._document.data.spec())
            self._check_same(dataset.fingerprint)
            self._labels = dataset.y_test
        return self._labels

    def _check_same(self, fingerprint: str) -> None:
        if fingerprint != self._data.fingerprint:
            raise DataError(
                f"{self._document.data.source}: the data is not what the stored runs were measured on (fingerprint "
                f"{fingerprint[:12]}, stored runs {self._data.fingerprint[:12]}): put the file back as it "
                "was, or `paribus run` the study on the data as it is now"
            )


def list_added_metrics(document: StudyDocument) -> tuple[Metric, ...]:
    """List the metrics of Keras that a study's protocol adds, on each split.

    They are known for a whole split only, so that claims about them hold on this test set.
    """
    own, forms = document.protocol.own_metrics, document.protocol.list_metric_forms()
    return tuple(
        Metric(
            f"{split}_{name}",
            f"{split} {name_in_sentences(name)}{_class_suffix(document, form, arguments)}",
            Unit.FRACTION if keras_names.is_fraction(cls) else Unit.NATS if keras_names.is_in_nats(cls) else Unit.PLAIN,
            higher_is_better=own[name].direction == "up" if name in own else keras_names.HIGHER_IS_BETTER[cls],
            per_example=False,
            split="training" if split == "train" else split,
            **(_OF_TRAINING if split == "train" else {}),
            proportion=keras_names.is_proportion(cls),
        )
        for table, (form, _) in zip(document.protocol.metrics, forms, strict=True)
        for cls, arguments in table.items()
        for name in [keras_names.name_of(cls, arguments)]
        for split in keras_names.SPLITS
    )


_OF_TRAINING: Mapping[str, Any] = {"better": FITS_BETTER, "worse": FITS_WORSE}


def name_in_sentences(name: str) -> str:
    """``F1 score``; AUC and F1 are abbreviations."""
    return " ".join({"auc": "AUC", "f1": "F1", "fbeta": "F-beta", "iou": "IoU"}.get(w, w) for w in name.split("_"))


def _class_suffix(document: StudyDocument, cls: str, arguments: Mapping[str, Any]) -> str:
    """`` of 'fraud'`` where a study names the positive class and the metric has one."""
    positive = document.protocol.positive
    return f" of '{positive}'" if positive is not None and has_positive_class(cls, arguments) else ""


def pairing_number(seeds: Seeds) -> int:
    """The number by which a run is paired with runs of other arms."""
    return seeds.init if seeds.seed is None else seeds.seed


def _has_scores(runs: Mapping[str, RunResult], fingerprint: str) -> bool:
    return fingerprint in runs and runs[fingerprint].scores is not None
