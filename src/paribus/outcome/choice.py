"""Which candidate a tuned arm gets: the best by the mean of a validation measure over its seeds; the first of equals.

A candidate's run is a ``CandidateRun`` here, which has no score on the test split: the choice cannot use one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from paribus.early_stopping import find_best_epoch
from paribus.records import Curve, EarlyStopping, Status
from paribus.study.candidates import Candidate

Monitor = Literal["val_accuracy", "val_loss"]


@dataclass(frozen=True, slots=True)
class CandidateRun:
    """What the choice may know of a run.

    Attributes:
        status: how it ended.
        curve: its measures by epoch, those of the validation split among them.
        reason: why it failed or diverged.
    """

    status: Status
    curve: Curve
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A candidate and its validation scores.

    Attributes:
        candidate: the candidate.
        scores: the validation measure of each of its seeds, after the last epoch or, with early stopping, after the
            run's last or best epoch; infinite for the loss of a diverged run, None for a run that failed or is missing.
        mean: mean over all its seeds; None where one has no score, as others would then be judged on more seeds.
        remarks: status and reason of each run that did not finish.
    """

    candidate: Candidate
    scores: tuple[float | None, ...]
    mean: float | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """How an arm was tuned.

    Attributes:
        arm: the arm.
        monitor: the validation measure that decides.
        combinations: number of combinations that its grid has.
        candidates: every candidate that was trained, in the order of the grid.
        best_index: index of the best one in ``candidates``; None where none has a score.
        epochs: number of epochs that each was trained for.
        validation_split: the share of the training split that they were scored on.
    """

    arm: str
    monitor: Monitor
    combinations: int
    candidates: tuple[ScoredCandidate, ...]
    best_index: int | None
    epochs: int
    validation_split: float

    @property
    def best(self) -> ScoredCandidate | None:
        """The candidate that the arm gets; None where none has a score."""
        return None if self.best_index is None else self.candidates[self.best_index]

    @property
    def values(self) -> dict[str, Any]:
        """The best candidate's value of every key; empty where no candidate has a score."""
        return {} if self.best is None else self.best.candidate.by_key

    @property
    def trainings(self) -> int:
        """Number of trainings that the arm got."""
        return sum(len(scored.candidate.seeds) for scored in self.candidates)

    @property
    def seeds(self) -> int:
        """Number of seeds that each candidate got."""
        return len(self.candidates[0].candidate.seeds)


def score_run(run: CandidateRun, monitor: Monitor, rule: EarlyStopping | None) -> float | None:
    """A run's validation measure, as it counts for the choice (see ``ScoredCandidate.scores``).

    Args:
        run: the run.
        monitor: ``val_accuracy`` or ``val_loss``.
        rule: the protocol's early stopping, whose best epoch counts; None for the last epoch.

    Returns:
        The measure; infinite for the loss of a diverged run, None for a run that failed.
    """
    values = run.curve.val_accuracy if monitor == "val_accuracy" else run.curve.val_loss
    if run.status is Status.FAILED or not values:
        return None
    epoch = len(values) if run.status is Status.DIVERGED else find_best_epoch(rule, run.curve)
    value = values[epoch - 1]
    if math.isfinite(value):
        return value
    return math.inf if monitor == "val_loss" else 0.0


def score_candidate(
    candidate: Candidate, runs: Sequence[CandidateRun | None], monitor: Monitor, rule: EarlyStopping | None
) -> ScoredCandidate:
    """Score a candidate by its validation measure on each of its seeds.

    Args:
        candidate: the candidate.
        runs: the runs of its seeds, in the order of the seeds; None for a run that is missing.
        monitor: ``val_accuracy`` or ``val_loss``.
        rule: as for :func:`score_run`.
    """
    scores = tuple(None if run is None else score_run(run, monitor, rule) for run in runs)
    known = [value for value in scores if value is not None]
    mean = math.fsum(known) / len(known) if known and len(known) == len(scores) else None
    unfinished = [run for run in runs if run is not None and run.status is not Status.FINISHED]
    return ScoredCandidate(candidate, scores, mean, tuple(f"{run.status}: {run.reason}" for run in unfinished))


def choose_candidate(candidates: Sequence[ScoredCandidate], monitor: Monitor) -> int | None:
    """The index of the best candidate, the first among equals; None where none has a score.

    Args:
        candidates: the candidates, in the order of the grid.
        monitor: ``val_accuracy`` or ``val_loss``.
    """
    sign = -1.0 if monitor == "val_accuracy" else 1.0
    ranked = [(sign * scored.mean, index) for index, scored in enumerate(candidates) if scored.mean is not None]
    return min(ranked)[1] if ranked else None
