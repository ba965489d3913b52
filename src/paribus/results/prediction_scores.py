"""Scores of predictions from elsewhere by arm and metric, a row a seed: the input of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from paribus.analysis.folds import FoldLayout, make_layout
from paribus.analysis.groups import Groups, make_groups
from paribus.analysis.metrics import METRICS, Metric
from paribus.analysis.pairing import SeedScores
from paribus.analysis.scores import log_loss, right
from paribus.analysis.wording import listed
from paribus.data.predictions.table import PredictionTable
from paribus.errors import UnknownNameError, unknown_name


@dataclass(frozen=True)
class PredictionScores:
    """The scores of a table of predictions.

    Attributes:
        table: the predictions.
        about_new_data: whether claims are about new data, for which groups of examples count as a sample.
    """

    table: PredictionTable
    about_new_data: bool = True

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that are known of the predictions: test loss where the right class has a probability."""
        known = ("test_accuracy", *(() if self.table.true_probability is None else ("test_loss",)))
        return {name: METRICS[name] for name in known}

    @property
    def folds(self) -> FoldLayout | None:
        """The folds of cross-validation; None with one test set."""
        return None if self.table.folds is None else make_layout(self.table.folds, int(self.table.folds.max()) + 1)

    @cached_property
    def groups(self) -> Groups | None:
        """The groups that the test examples belong to; None where they are independent, on this test set, over folds.

        Raises:
            UsageError: there are fewer than 10 groups.
        """
        if self.table.folds is not None or self.table.groups is None or not self.about_new_data:
            return None
        return make_groups(self.table.groups, len(self.table.examples))

    def metric(self, name: str) -> Metric:
        """The metric of that name.

        Raises:
            UnknownNameError: it is not known of these predictions; the message lists those that are.
        """
        if name in self.metrics:
            return self.metrics[name]
        reason = "there is no such metric"
        if name in METRICS:
            reason = "it needs probabilities" if name == "test_loss" else "only a study that paribus trains has it"
        raise UnknownNameError(f"metric {name!r}: {reason}; these predictions have {listed(list(self.metrics))}")

    def has(self, arm: str, metric: str) -> bool:  # noqa: ARG002  # the same question is asked of a study's scores
        """Whether an arm has a metric: all arms of a table have the same."""
        return metric in self.metrics

    def scores(self, arm: str, metric: str) -> SeedScores:
        """An arm's scores, a row a seed and a column an example.

        Args:
            arm: the name of the arm.
            metric: the name of the metric.

        Raises:
            UnknownNameError: there is no such arm, or the metric is not known.
        """
        table = self.table
        if arm not in table.arms:
            raise unknown_name("arm", arm, table.arms, table.source)
        index = table.arms.index(arm)
        seeds, unit = table.seeds, "seed"
        if table.folds is not None:
            seeds, unit = tuple(range(len(table.seeds))), "pass over the folds"
        if self.metric(metric).name == "test_loss":
            assert table.true_probability is not None, "without probabilities there is no test loss"
            return SeedScores(arm, seeds, log_loss(table.true_probability[index], len(table.classes)), unit)
        return SeedScores(arm, seeds, right(table.predicted[index], table.labels), unit)
