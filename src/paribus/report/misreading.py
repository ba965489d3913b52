"""Where a usual way of reading such numbers and the evidence differ; here for any study: fit accuracy is misread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis.wording import listed
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report.numbers import format_percent, format_points

SMALLEST_GAP = 0.001
"""A gap that is misread by less than this (0.1 points) is not worth a remark."""


@dataclass(frozen=True, slots=True)
class Misreading:
    """What would be misread, in a few words, and the evidence in sentences."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _MeanAccuracies:
    """An arm's mean accuracies over its runs, fractions of 1."""

    arm: str
    fit: float
    train: float
    test: float


def check_fit_accuracy(outcome: Outcome) -> tuple[Misreading, ...]:
    """A remark where fit accuracy hides at least half of an arm's generalization gap; empty where it does not.

    Fit accuracy close to or below test accuracy looks like good generalization; often that is dropout in ``fit``.

    Args:
        outcome: the outcome.
    """
    arms = [means for arm in outcome.arms if (means := _misleading_means(arm)) is not None]
    return (_describe_gaps(arms),) if arms else ()


def _misleading_means(arm: ArmOutcome) -> _MeanAccuracies | None:
    fit, train, test = (arm.estimates.get(f"{name}_accuracy") for name in ("fit", "train", "test"))
    if fit is None or train is None or test is None:
        return None
    gap, gap_by_fit = train.mean - test.mean, fit.mean - test.mean
    if gap <= 0 or gap_by_fit > gap / 2 or gap - gap_by_fit < SMALLEST_GAP:
        return None
    return _MeanAccuracies(arm.name, fit.mean, train.mean, test.mean)


def _describe_gaps(arms: Sequence[_MeanAccuracies]) -> Misreading:
    by_fit = [
        f"{format_points(means.fit - means.test)} for {means.arm} "
        f"({format_percent(means.fit)} against {format_percent(means.test)})"
        for means in arms
    ]
    train = _list_values([means.train for means in arms])
    gaps = listed([format_points(means.train - means.test) for means in arms])
    several = len(arms) > 1
    return Misreading(
        "Fit accuracy is not train accuracy",
        f"By the accuracy that fit prints, the gap between training and test split would be {listed(by_fit)}. Measured "
        f"after training, in inference mode, train accuracy is {train}: "
        f"{'the gaps are' if several else 'the gap is'} {gaps}.",
    )


def _list_values(values: Sequence[float]) -> str:
    """``96.54 %``, ``99.24 % for each`` where all are printed alike, ``99.24 % and 99.31 %, in this order``."""
    texts = [format_percent(value) for value in values]
    if len(texts) == 1:
        return texts[0]
    return f"{texts[0]} for each" if len(set(texts)) == 1 else f"{listed(texts)}, in this order"
