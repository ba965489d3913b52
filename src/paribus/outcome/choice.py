"""Which candidate an arm gets: the best by the mean of a validation measure over its seeds; the first among equals.

What is known of a run here is an ``Ending``, which has no score on the test split: the choice cannot look at it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from paribus.early_stopping import kept_epoch
from paribus.records import Curve, EarlyStopping, Status
from paribus.study.candidates import Candidate

Monitor = Literal["val_accuracy", "val_loss"]


@dataclass(frozen=True, slots=True)
class Ending:
    """What the choice may know of an ended run: how it ended, its measures by epoch, and why it ended badly."""

    status: Status
    curve: Curve
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate and what it scored.

    Attributes:
        candidate: the candidate.
        scores: the validation measure of each of its seeds, after the last epoch or, with early stopping, after the
            epoch that was kept; infinite for the loss of a diverged run, None for a run that failed or is not there.
        mean: over all its seeds; None where one has no score, as others would then be judged on more seeds.
        remarks: what ended badly, and why.
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
        monitor: what it was chosen by.
        combinations: how many its grid has.
        tried: every candidate, in the order of the grid.
        chosen: the place of the chosen one in ``tried``; None where none has a score.
        epochs: how many each was trained for.
        validation_split: the share of the training split that they were judged on.
    """

    arm: str
    monitor: Monitor
    combinations: int
    tried: tuple[Tried, ...]
    chosen: int | None
    epochs: int
    validation_split: float

    @property
    def best(self) -> Tried | None:
        """The candidate that was chosen."""
        return None if self.chosen is None else self.tried[self.chosen]

    @property
    def values(self) -> dict[str, Any]:
        """The chosen value of every key; empty where nothing could be chosen."""
        return {} if self.best is None else self.best.candidate.by_key

    @property
    def trainings(self) -> int:
        """How many trainings the arm got."""
        return sum(len(tried.candidate.seeds) for tried in self.tried)

    @property
    def seeds(self) -> int:
        """How many seeds each candidate got."""
        return len(self.tried[0].candidate.seeds)


def score(ending: Ending, monitor: Monitor, rule: EarlyStopping | None) -> float | None:
    """A run's validation measure; None for one that failed."""
    values = ending.curve.val_accuracy if monitor == "val_accuracy" else ending.curve.val_loss
    if ending.status is Status.FAILED or not values:
        return None
    kept = len(values) if ending.status is Status.DIVERGED else kept_epoch(rule, ending.curve)
    value = values[kept - 1]
    if math.isfinite(value):
        return value
    return math.inf if monitor == "val_loss" else 0.0


def score_candidate(
    candidate: Candidate, endings: Sequence[Ending | None], monitor: Monitor, rule: EarlyStopping | None
) -> Tried:
    """Judge a candidate by the endings of its seeds, in their order; None for a run that is not there."""
    scores = tuple(None if ending is None else score(ending, monitor, rule) for ending in endings)
    known = [value for value in scores if value is not None]
    mean = math.fsum(known) / len(known) if known and len(known) == len(scores) else None
    bad = [ending for ending in endings if ending is not None and ending.status is not Status.FINISHED]
    return Tried(candidate, scores, mean, tuple(f"{ending.status}: {ending.reason}" for ending in bad))


def choose_candidate(found: Sequence[Tried], monitor: Monitor) -> int | None:
    """The place of the best candidate, the first among equals; None where none has a score."""
    sign = -1.0 if monitor == "val_accuracy" else 1.0
    ranked = [(sign * each.mean, place) for place, each in enumerate(found) if each.mean is not None]
    return min(ranked)[1] if ranked else None
