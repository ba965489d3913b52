"""From a table of predictions to the outcome, by the same statistics as a study's stored runs.

What only training shows (train accuracy, curves, recipes, seconds) is absent
(``docs/decisions/0095-predictions-from-elsewhere.md``).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from paribus.analysis.comparison import Scope
from paribus.analysis.contrasts import JudgedContrast
from paribus.analysis.estimates import Estimate, estimate_scores
from paribus.analysis.wording import listed
from paribus.data.predictions.table import PredictionTable
from paribus.errors import unknown_name
from paribus.outcome.outcome import ArmOutcome, Outcome, TestExamples
from paribus.records import Curve, Predictions, RunResult, Scores, Seeds, Status
from paribus.results.next_step import add_next_steps
from paribus.results.prediction_scores import PredictionScores
from paribus.results.verdicts import judge_contrasts
from paribus.study.design import Design
from paribus.study.predictions_request import PredictionsRequest
from paribus.study.statements import Statement, declared_statements


@dataclass(frozen=True)
class JudgedPredictions:
    """A table of predictions, and what was asked about it.

    Attributes:
        request: what was asked.
        table: the predictions.
    """

    request: PredictionsRequest
    table: PredictionTable

    @property
    def design(self) -> Design:
        """Names, contrasts, and how they are judged."""
        return self.request

    def scores(self) -> PredictionScores:
        """Scores by arm and metric."""
        return PredictionScores(self.table, self.request.scope != Scope.THIS_TEST_SET)

    def outcome(self) -> Outcome:
        """The outcome: the estimates of each arm, the judged contrasts, and the notes.

        Raises:
            UnknownNameError: a contrast is about a metric that is not known of these predictions.
            UsageError: the examples belong to fewer than 10 groups.
        """
        scores, statements = self.scores(), declared_statements(self.request)
        arms = tuple(self._arm(arm, scores) for arm in self.table.arms)
        outcome = Outcome(
            self.request,
            arms,
            self._judge(statements, scores),
            (),
            (*self.request.notes, *self._notes()),
            (),
            self.predictions,
            statements=statements,
            examples=TestExamples(self.table.labels, self.table.examples),
        )
        return add_next_steps(outcome)

    def judge_pair(
        self, scores: PredictionScores, a: str, b: str, metric: str, margin: float | None = None
    ) -> tuple[Statement, JudgedContrast | None] | None:
        """Judge one declared contrast as a member of the whole family.

        Args:
            scores: the scores of the predictions.
            a: one arm of the contrast.
            b: the other one; the contrast may be declared as a against b or as b against a.
            metric: what is compared.
            margin: takes the place of the declared margin.

        Returns:
            The statement and the judged contrast; None where no such contrast was declared.
        """
        statements = list(declared_statements(self.request))
        for index, statement in enumerate(statements):
            if set(statement.arms) == {a, b} and statement.metric == metric:
                statements[index] = replace(statement, margin=margin or statement.margin)
                judged = self._judge(statements, scores)
                return statement, next((c for c in judged if c.key == statement.key), None)
        return None

    def remarks(self, scores: PredictionScores, *arms: str) -> tuple[str, ...]:  # noqa: ARG002
        """Notes for any answer about these predictions."""
        return (*self.request.notes, *self._notes())

    def require_arm(self, name: str) -> str:
        """Check the name of an arm, and return it.

        Raises:
            UnknownNameError: there is no such arm.
        """
        if name not in self.table.arms:
            raise unknown_name("arm", name, self.table.arms, self.table.source)
        return name

    def _judge(self, statements: Sequence[Statement], scores: PredictionScores) -> tuple[JudgedContrast, ...]:
        complete = dict.fromkeys(self.table.arms, len(self.table.seeds))
        return judge_contrasts(self.request, statements, scores, complete).contrasts

    def predictions(self, fingerprint: str) -> Predictions:
        """The predictions of a run, by its fingerprint; confidence is nan where it is not known."""
        arm, seed = self._places[fingerprint]
        table = self.table
        unknown = np.full(len(table.examples), np.nan, np.float32)
        return Predictions(
            table.predicted[arm, seed].astype(np.int32),
            unknown if table.confidence is None else table.confidence[arm, seed].astype(np.float32),
            unknown if table.true_probability is None else table.true_probability[arm, seed].astype(np.float32),
        )

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        """The place of each run in the table, by its fingerprint."""
        return {
            hashlib.sha256(f"{self.table.fingerprint} {arm} {seed}".encode()).hexdigest(): (arm, seed)
            for arm in range(len(self.table.arms))
            for seed in range(len(self.table.seeds))
        }

    def _arm(self, arm: str, of_table: PredictionScores) -> ArmOutcome:
        scores = {name: of_table.scores(arm, name).values for name in of_table.metrics}
        level, scope, groups = self.request.comparison.level, self.request.scope, of_table.groups
        layout = of_table.folds
        folds = None if layout is None else layout.of_rows(range(len(self.table.seeds)), len(self.table.examples))
        estimates: dict[str, Estimate | None] = {
            name: estimate_scores(values, level, scope, groups=groups, folds=folds) for name, values in scores.items()
        }
        means = {name: values.mean(axis=1) for name, values in scores.items()}
        index = self.table.arms.index(arm)
        runs = tuple(
            _make_run(fingerprint, self.table.seeds[seed], {name: float(of[seed]) for name, of in means.items()})
            for fingerprint, (of_arm, seed) in self._places.items()
            if of_arm == index
        )
        return ArmOutcome(arm, None, {}, runs, (), estimates)

    def _notes(self) -> Iterator[str]:
        """Arms whose seeds are all alike, and arms that answer alike."""
        table = self.table
        same = [
            arm
            for arm, predicted in zip(table.arms, table.predicted, strict=True)
            if len(table.seeds) > 1 and bool((predicted == predicted[0]).all())
        ]
        if same:
            yield (
                f"All seeds of {listed(same)} answer alike: they are one and the same model, or a copied run. "
                "Nothing varies between them; claims on new data still count the test examples as a sample."
            )
        digests: dict[bytes, list[str]] = {}
        for arm, predicted in zip(table.arms, table.predicted, strict=True):
            digests.setdefault(hashlib.sha256(np.ascontiguousarray(predicted).tobytes()).digest(), []).append(arm)
        for names in digests.values():
            if len(names) > 1:
                yield f"{listed(names)} give the same answers with every seed; is one of them a copy?"


def _make_run(fingerprint: str, seed: int, measures: Mapping[str, float]) -> RunResult:
    """A run of which only test measures are known."""
    unknown = math.nan
    scores = Scores(
        fit_accuracy=unknown,
        fit_loss=unknown,
        train_accuracy=unknown,
        train_loss=unknown,
        test_accuracy=measures["test_accuracy"],
        test_loss=measures.get("test_loss", unknown),
    )
    return RunResult(fingerprint, Status.FINISHED, Seeds.of(seed), scores, Curve((), ()), unknown, None, None)
