"""The one result object: what a study's stored runs say. Every table, figure, sentence and export is made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.contrasts import JudgedContrast
from paribus.analysis.estimates import Estimate
from paribus.analysis.factorial import Effect
from paribus.analysis.metrics import Metric
from paribus.analysis.noise import NoiseShares
from paribus.outcome.choice import Choice
from paribus.records import DataSummary, Environment, Predictions, Recipe, RunResult, Seeds
from paribus.study.design import Design
from paribus.study.document import StudyDocument
from paribus.study.predictions_request import PredictionsRequest
from paribus.study.request import StudyRequest
from paribus.study.statements import Statement


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """One arm and its runs.

    Attributes:
        name: the arm's name.
        recipe: its canonical form, parameter count and layers; None for predictions from elsewhere.
        levels: its level of each factor of a factorial design; empty without one.
        runs: its runs, by seed: finished, diverged and failed ones (the last have no scores).
        missing: seeds that were asked for and have no run in the store (interrupted, or not computed yet).
        estimates: by name of metric; None for a metric without any score. Metrics that cannot be known, as train
            accuracy of predictions from elsewhere, are absent.
        tuning: its candidates and the best of them; None for an arm without a grid, or where that is not stored.
    """

    name: str
    recipe: Recipe | None
    levels: Mapping[str, str]
    runs: tuple[RunResult, ...]
    missing: tuple[Seeds, ...]
    estimates: Mapping[str, Estimate | None]
    tuning: Choice | None = None

    @property
    def trained_recipe(self) -> Recipe:
        """Its canonical form, in a study. Predictions from elsewhere have none."""
        assert self.recipe is not None, "predictions from elsewhere have no recipe"
        return self.recipe

    @property
    def scored(self) -> tuple[RunResult, ...]:
        """The runs that have scores: finished and diverged ones."""
        return tuple(run for run in self.runs if run.scores is not None)


@dataclass(frozen=True, slots=True, eq=False)
class TestExamples:
    """The test examples of predictions from elsewhere, whose data is not here.

    Attributes:
        labels: the right class of each example, shape ``(examples,)``.
        names: the name of each example.
    """

    labels: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study's runs say, as far as they are stored; or what predictions from elsewhere say.

    Attributes:
        request: what was asked: the study, its data, the seeds; or which predictions.
        arms: one entry for each arm, in the study's order.
        contrasts: the declared contrasts, in their order, judged as one family.
        effects: main effects and interactions of a factorial study; empty otherwise.
        notes: remarks that a reader should not miss, plain sentences: runs that diverged, failed or are missing,
            environments that differ, fit accuracy that is not train accuracy.
        environments: the environments that the runs were computed in, each once.
        predictions: reads the per-example predictions of a run, by its fingerprint.
        metrics: the metrics that the protocol adds to those that every study has.
        statements: all contrasts and effects of the study, with their shares of the error; also those of arms that
            were never run.
        examples: the test examples of predictions from elsewhere; None for a study, whose data can be read.
        noise: by arm, the shares of init, order, dropout and test sample in its variance, where they were measured.
    """

    request: StudyRequest | PredictionsRequest
    arms: tuple[ArmOutcome, ...]
    contrasts: tuple[JudgedContrast, ...]
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]
    environments: tuple[Environment, ...]
    predictions: Callable[[str], Predictions]
    metrics: tuple[Metric, ...] = ()
    statements: tuple[Statement, ...] = ()
    noise: Mapping[str, NoiseShares] = field(default_factory=dict)
    examples: TestExamples | None = None

    @property
    def predictions_request(self) -> PredictionsRequest | None:
        """The request, where the predictions are from elsewhere; None for a study."""
        return self.request if isinstance(self.request, PredictionsRequest) else None

    @property
    def study_request(self) -> StudyRequest:
        """The request of a study. Predictions from elsewhere have none."""
        assert not isinstance(self.request, PredictionsRequest), "predictions from elsewhere are no study"
        return self.request

    @property
    def design(self) -> Design:
        """The whole study, or the request about predictions: names, contrasts, and how they are judged."""
        return self.request if isinstance(self.request, PredictionsRequest) else self.request.study

    @property
    def document(self) -> StudyDocument:
        """The whole study. Predictions from elsewhere have none."""
        assert not isinstance(self.request, PredictionsRequest), "predictions from elsewhere have no study document"
        return self.request.study

    @property
    def data(self) -> DataSummary:
        """The study's data. Of the data of predictions from elsewhere only the request knows anything."""
        assert not isinstance(self.request, PredictionsRequest), "predictions from elsewhere have no training data"
        return self.request.data

    @property
    def judged(self) -> tuple[JudgedContrast | Effect, ...]:
        """The contrasts and then the effects."""
        return (*self.contrasts, *self.effects)

    def arm(self, name: str) -> ArmOutcome:
        """The arm of that name; it must exist."""
        return next(arm for arm in self.arms if arm.name == name)
