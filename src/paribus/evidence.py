"""Scores of a study's stored runs by arm and metric, a row a seed: what the analysis is fed with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.metrics import METRICS
from paribus.analysis.pairing import SeedScores
from paribus.analysis.scores import gap_scores, log_loss, right
from paribus.data import load
from paribus.records import DataSummary, RunResult, Seeds
from paribus.store.base import Store, StoredArm
from paribus.study import StudyDocument


class Evidence:
    """Reads predictions from the store when they are first asked for, and keeps the scores.

    Args:
        document: the study.
        data: its data.
        stored: for each arm, the seeds and fingerprints of the runs that count.
        runs: the runs that are there, by fingerprint.
        store: where predictions are.
    """

    def __init__(
        self,
        document: StudyDocument,
        data: DataSummary,
        stored: Sequence[StoredArm],
        runs: Mapping[str, RunResult],
        store: Store,
    ) -> None:
        self._document = document
        self._classes = data.classes
        self._store = store
        self._labels: NDArray[np.int32] | None = None
        self._cache: dict[tuple[str, str], SeedScores] = {}
        self._runs = {
            arm.name: [(number(run.seeds), runs[run.fingerprint]) for run in arm.runs if _scored(runs, run.fingerprint)]
            for arm in stored
        }

    def scores(self, arm: str, metric: str) -> SeedScores:
        """One row a run that has scores: per example where the metric is known per example, else one column.

        Raises:
            StoreError: a run's predictions are damaged.
            DataError: the data can no longer be read, so that the labels are not known.
        """
        key = (arm, metric)
        if key not in self._cache:
            seeds = tuple(seed for seed, _ in self._runs[arm])
            self._cache[key] = SeedScores(arm, seeds, self._values(arm, metric))
        return self._cache[key]

    def _per_example(self, metric: str) -> bool:
        """Whether a metric has a value for each test example. Of losses, only plain cross-entropy can be told so."""
        ((loss, arguments),) = self._document.protocol.loss.items()
        plain = "crossentropy" in loss.replace("_", "").lower() and not set(arguments) - {"from_logits"}
        return METRICS[metric].per_example and (metric != "test_loss" or plain)

    def _values(self, arm: str, metric: str) -> NDArray[np.generic]:
        runs = [run for _, run in self._runs[arm]]
        if not runs or not self._per_example(metric):
            return np.array([[self._scalar(run, metric)] for run in runs]).reshape(len(runs), 1)
        if metric == "test_loss":
            found = [self._store.predictions(run.fingerprint).true_probability for run in runs]
            return log_loss(np.stack(found), self._classes)
        if metric == "generalization_gap":
            train = [self._scalar(run, "train_accuracy") for run in runs]
            return gap_scores(train, np.asarray(self.scores(arm, "test_accuracy").values))
        answers = np.stack([self._store.predictions(run.fingerprint).predicted for run in runs])
        return right(answers, self._true_labels())

    def _scalar(self, run: RunResult, metric: str) -> float:
        """A run's measure; accuracies are always finite. The loss of nan weights is that of knowing nothing."""
        assert run.scores is not None, "only runs that have scores are kept"
        value = float(getattr(run.scores, metric))
        return math.log(self._classes) if metric.endswith("_loss") and not math.isfinite(value) else value

    def _true_labels(self) -> NDArray[np.int32]:
        if self._labels is None:
            self._labels = load(self._document.data.spec()).y_test
        return self._labels


def number(seeds: Seeds) -> int:
    """The number by which a run is paired with runs of other arms."""
    return seeds.init if seeds.seed is None else seeds.seed


def _scored(runs: Mapping[str, RunResult], fingerprint: str) -> bool:
    return fingerprint in runs and runs[fingerprint].scores is not None
