"""Where a usual way of reading such numbers and the evidence differ; said only where the numbers carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis.wording import listed
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import notebook
from paribus.report.numbers import percent, points
from paribus.report.reading import Reading

LEAST = 0.001
"""A gap that is misread by less than this (0.1 points) is not worth a remark."""


@dataclass(frozen=True, slots=True)
class _Misleading:
    """An arm by whose fit accuracy at least half of its generalization gap is not seen: means over its runs."""

    name: str
    fit: float
    train: float
    test: float


def readings(outcome: Outcome) -> tuple[Reading, ...]:
    """Remarks with their numbers, those of any study first."""
    found = [arm for entry in outcome.arms if (arm := _misleading(entry)) is not None]
    return (*([_by_fit_accuracy(found)] if found else []), *notebook.readings(outcome))


def _misleading(arm: ArmOutcome) -> _Misleading | None:
    fit, train, test = (arm.estimates.get(f"{name}_accuracy") for name in ("fit", "train", "test"))
    if fit is None or train is None or test is None:
        return None
    gap, seen = train.mean - test.mean, fit.mean - test.mean
    if gap <= 0 or seen > gap / 2 or gap - seen < LEAST:
        return None
    return _Misleading(arm.name, fit.mean, train.mean, test.mean)


def _by_fit_accuracy(arms: Sequence[_Misleading]) -> Reading:
    """Fit accuracy close to or below test accuracy looks like good generalization; often that is dropout in ``fit``."""
    seen = listed(
        [
            f"{points(arm.fit - arm.test)} for {arm.name} ({percent(arm.fit)} against {percent(arm.test)})"
            for arm in arms
        ]
    )
    trains, gaps = listed([percent(arm.train) for arm in arms]), listed([points(arm.train - arm.test) for arm in arms])
    several = len(arms) > 1
    return Reading(
        "Fit accuracy is no train accuracy",
        f"By the accuracy that fit prints, the gap between training and test split would be {seen}. Measured after "
        f"training, in inference mode, train accuracy is {trains}{', in this order' if several else ''}: "
        f"{'the gaps are' if several else 'the gap is'} {gaps}.",
    )
