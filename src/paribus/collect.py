"""From what a store holds to the result object: reads runs and predictions, asks the analysis, writes the notes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.contrasts import Contrast, Declared, compare_family
from paribus.analysis.estimates import Estimate, estimate_scores, estimate_values
from paribus.analysis.factorial import Effect, Factor, factorial_effects
from paribus.analysis.metrics import METRICS, metric_named
from paribus.analysis.pairing import SeedScores
from paribus.analysis.scores import gap_scores, log_loss, right
from paribus.data import load
from paribus.notes import notes
from paribus.outcome import ArmOutcome, Outcome
from paribus.records import DataSummary, RunResult, Seeds
from paribus.store.base import Store, StoredArm
from paribus.study import StudyDocument


def collect(document: StudyDocument, data: DataSummary, stored: Sequence[StoredArm], store: Store) -> Outcome:
    """What the named runs of a study say, as far as they are in the store.

    Args:
        document: the study: what to compare, and how.
        data: its data.
        stored: for each arm, the seeds and fingerprints of the runs to be judged.
        store: where the runs are.

    Raises:
        StoreError: a run's predictions are damaged.
        DataError: the data can no longer be read, so that the labels are not known.
    """
    runs = store.runs([run.fingerprint for arm in stored for run in arm.runs])
    present = [arm for arm in stored if arm.name in document.arms]
    evidence = _Evidence(document, data, present, runs, store)
    arms = tuple(_arm(arm, document, runs, evidence) for arm in present)
    declared = document.declared_contrasts()
    factors = _factors(document)
    effects_count = _count_effects(factors)
    contrasts = _contrasts(document, evidence, len(declared) + effects_count)
    effects = _effects(document, factors, evidence, len(declared) + effects_count)
    environments = tuple(dict.fromkeys(run.environment for run in runs.values() if run.environment is not None))
    return Outcome(document, data, arms, contrasts, effects, notes(arms, environments), environments, store.predictions)


class _Evidence:
    """Scores by arm and metric, read from the store when first asked for."""

    def __init__(
        self,
        document: StudyDocument,
        data: DataSummary,
        stored: Sequence[StoredArm],
        runs: Mapping[str, RunResult],
        store: Store,
    ) -> None:
        self._classes = data.classes
        self._store = store
        self._document = document
        self._labels: NDArray[np.int32] | None = None
        self._cache: dict[tuple[str, str], SeedScores] = {}
        self._runs = {
            arm.name: [
                (_number(run.seeds), runs[run.fingerprint]) for run in arm.runs if _scored(runs, run.fingerprint)
            ]
            for arm in stored
        }

    def scores(self, arm: str, metric: str) -> SeedScores:
        """One row a run that has scores: per example where the metric is known per example, else one column."""
        key = (arm, metric)
        if key not in self._cache:
            seeds = tuple(seed for seed, _ in self._runs[arm])
            self._cache[key] = SeedScores(arm, seeds, self._values(arm, metric))
        return self._cache[key]

    def per_example(self, metric: str) -> bool:
        """Whether a metric has a value for each test example. Of losses, only plain cross-entropy can be told so."""
        ((loss, arguments),) = self._document.protocol.loss.items()
        plain = "crossentropy" in loss.replace("_", "").lower() and not set(arguments) - {"from_logits"}
        return METRICS[metric].per_example and (metric != "test_loss" or plain)

    def _values(self, arm: str, metric: str) -> NDArray[np.generic]:
        runs = [run for _, run in self._runs[arm]]
        if not runs or not self.per_example(metric):
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
        """A run's measure. The loss of weights that are nan is that of knowing nothing: log(classes)."""
        assert run.scores is not None
        value = float(getattr(run.scores, metric))
        return value if math.isfinite(value) else math.log(self._classes)

    def _true_labels(self) -> NDArray[np.int32]:
        if self._labels is None:
            self._labels = load(self._document.data.spec()).y_test
        return self._labels


def _scored(runs: Mapping[str, RunResult], fingerprint: str) -> bool:
    return fingerprint in runs and runs[fingerprint].scores is not None


def _number(seeds: Seeds) -> int:
    """The number by which a run is paired with runs of other arms."""
    return seeds.init if seeds.seed is None else seeds.seed


def _arm(arm: StoredArm, document: StudyDocument, runs: Mapping[str, RunResult], evidence: _Evidence) -> ArmOutcome:
    found = tuple(runs[run.fingerprint] for run in arm.runs if run.fingerprint in runs)
    missing = tuple(run.seeds for run in arm.runs if run.fingerprint not in runs)
    estimates = {name: _estimate(evidence.scores(arm.name, name), document) for name in METRICS}
    return ArmOutcome(arm.name, arm.recipe, document.arms[arm.name].levels, found, missing, estimates)


def _estimate(scores: SeedScores, document: StudyDocument) -> Estimate | None:
    if not scores.seeds:
        return None
    if scores.values.shape[1] == 1:
        return estimate_values(scores.values[:, 0], document.comparison.level)
    return estimate_scores(scores.values, document.comparison.level, document.comparison.scope)


def _contrasts(document: StudyDocument, evidence: _Evidence, family: int) -> tuple[Contrast, ...]:
    comparison = document.comparison
    declared = [
        Declared(
            evidence.scores(c.a, c.metric),
            evidence.scores(c.b, c.metric),
            metric_named(c.metric),
            c.margin or comparison.margin,
        )
        for c in document.declared_contrasts()
    ]
    if not declared:
        return ()
    return compare_family(declared, level=comparison.level, scope=comparison.scope, family=family)


def _factors(document: StudyDocument) -> tuple[Factor, ...]:
    """The factors of a factorial study with their levels, in the order in which the arms name them."""
    if not document.comparison.factorial:
        return ()
    levels: dict[str, dict[str, None]] = {}
    for arm in document.arms.values():
        for factor, level in arm.levels.items():
            levels.setdefault(factor, {})[level] = None
    cells = {tuple(arm.levels[factor] for factor in levels) for arm in document.arms.values()}
    full = math.prod(len(found) for found in levels.values())
    return tuple(Factor(name, tuple(found)) for name, found in levels.items()) if len(cells) == full else ()


def _count_effects(factors: Sequence[Factor]) -> int:
    """Main effects and two-factor interactions, one degree of freedom each."""
    free = [len(factor.levels) - 1 for factor in factors]
    return sum(free) + sum(a * b for i, a in enumerate(free) for b in free[i + 1 :])


def _effects(
    document: StudyDocument, factors: Sequence[Factor], evidence: _Evidence, family: int
) -> tuple[Effect, ...]:
    if not factors:
        return ()
    comparison = document.comparison
    cells = {
        tuple(arm.levels[factor.name] for factor in factors): evidence.scores(name, "test_accuracy")
        for name, arm in document.arms.items()
    }
    return factorial_effects(
        factors,
        cells,
        metric_named("test_accuracy"),
        margin=comparison.margin,
        level=comparison.level,
        scope=comparison.scope,
        family=family,
    )
