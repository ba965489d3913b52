"""Where a usual way of reading such numbers and the evidence differ; said only where the numbers carry it."""

from __future__ import annotations

from paribus.outcome import ArmOutcome, Outcome
from paribus.report import notebook
from paribus.report.numbers import count, percent, points


def readings(outcome: Outcome) -> tuple[str, ...]:
    """Plain sentences with their numbers."""
    fit = [remark for arm in outcome.arms if (remark := _fit_below_test(arm))]
    return (*fit, *notebook.readings(outcome))


def _fit_below_test(arm: ArmOutcome) -> str | None:
    """Fit accuracy at or below test accuracy looks like perfect generalization; often that is dropout in ``fit``."""
    fit, train, test = (arm.estimates.get(f"{name}_accuracy") for name in ("fit", "train", "test"))
    if fit is None or train is None or test is None or not fit.mean <= test.mean < train.mean:
        return None
    misled = [
        run.scores.fit_accuracy <= run.scores.test_accuracy < run.scores.train_accuracy
        for run in arm.runs
        if run.scores is not None
    ]
    where = "" if len(misled) == 1 else f" (so it looks in {sum(misled)} of {count(len(misled), 'run')})"
    return (
        f"{arm.name}: the accuracy that fit prints, {percent(fit.mean)}, is not above its test accuracy, "
        f"{percent(test.mean)}, as though there were no generalization gap{where}. Measured after training in "
        f"inference mode its train accuracy is {percent(train.mean)}: the gap is {points(train.mean - test.mean)}."
    )
