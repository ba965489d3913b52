"""Where a usual way of reading such numbers and the evidence differ; said only where the numbers carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis.wording import listed
from paribus.outcome import ArmOutcome, Outcome
from paribus.report import notebook
from paribus.report.numbers import percent, points
from paribus.report.reading import Reading


@dataclass(frozen=True, slots=True)
class _Misleading:
    """An arm whose fit accuracy is not above its test accuracy, though its train accuracy is: means over its runs."""

    name: str
    fit: float
    train: float
    test: float


def readings(outcome: Outcome) -> tuple[Reading, ...]:
    """Remarks with their numbers, those of any study first."""
    found = [arm for entry in outcome.arms if (arm := _misleading(entry)) is not None]
    return (*([_fit_below_test(found)] if found else []), *notebook.readings(outcome))


def _misleading(arm: ArmOutcome) -> _Misleading | None:
    fit, train, test = (arm.estimates.get(f"{name}_accuracy") for name in ("fit", "train", "test"))
    if fit is None or train is None or test is None or not fit.mean <= test.mean < train.mean:
        return None
    return _Misleading(arm.name, fit.mean, train.mean, test.mean)


def _fit_below_test(arms: Sequence[_Misleading]) -> Reading:
    """Fit accuracy at or below test accuracy looks like perfect generalization; often that is dropout in ``fit``."""
    one = len(arms) == 1
    shown = listed([f"{arm.name} ({percent(arm.fit)} against {percent(arm.test)})" for arm in arms])
    trains, gaps = listed([percent(arm.train) for arm in arms]), listed([points(arm.train - arm.test) for arm in arms])
    return Reading(
        "Fit accuracy is no train accuracy",
        f"By the accuracy that fit prints, {shown} {'is' if one else 'are'} no better on the training split than on "
        f"the test split, as though there were no generalization gap. Measured after training, in inference mode, "
        f"train accuracy is {trains}: {'the gap is' if one else 'the gaps are'} {gaps}.",
    )
