"""Figures of the arms: test accuracy with its interval, and the gap by train and by fit accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis.metrics import METRICS
from paribus.analysis.phrases import scope_text
from paribus.analysis.wording import percent
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import numbers
from paribus.report.figures import tracks
from paribus.report.figures.plot import Plot
from paribus.report.figures.tracks import Frame, Mark, Track


def draw_test_accuracy(outcome: Outcome, width: float) -> Plot | None:
    """A row for each arm: mean, interval and every seed. None where no arm has a score."""
    rows = [row for arm in outcome.arms if (row := _accuracy_track(arm)) is not None]
    if not rows:
        return None
    estimates = [arm.estimates["test_accuracy"] for arm in outcome.arms]
    about = dict.fromkeys(
        f"{percent(estimate.level)} interval {scope_text(estimate.scope, METRICS['test_accuracy'])}"
        for estimate in estimates
        if estimate is not None and estimate.low is not None
    )
    interval = f"mean and {', '.join(about)}"
    several = any(row.line for row in rows)
    frame = Frame("test accuracy", (("test", interval if several else "one run"), *_SEED[: int(several)]), " %")
    alt = "Test accuracy by arm. " + "; ".join(f"{row.label} {row.note}" for row in rows) + "."
    return _plot("test-accuracy", alt, width, rows, frame)


def draw_gap(outcome: Outcome, width: float) -> Plot | None:
    """A row for each arm: how far train and fit accuracy lie above its test accuracy. None without scores."""
    rows = [row for arm in outcome.arms if (row := _gap_track(arm)) is not None]
    if not rows:
        return None
    key = (("test", "test accuracy"), ("train", "train accuracy"), ("fit", "fit accuracy"))
    frame = Frame("points above the arm's own test accuracy", key, signed=True, zero=True)
    alt = "Train and fit accuracy, in points above test accuracy. " + "; ".join(
        f"{row.label}: {row.note}" for row in rows
    )
    return _plot("gap", f"{alt}.", width, rows, frame)


_SEED = (("seed", "one seed"),)


def _plot(name: str, alt: str, width: float, rows: Sequence[Track], frame: Frame) -> Plot:
    tall = tracks.height(len(rows))
    return Plot(name, alt, width, tall, lambda figure, palette: tracks.draw(figure, palette, width, rows, frame))


def _accuracy_track(arm: ArmOutcome) -> Track | None:
    estimate = arm.estimates.get("test_accuracy")
    if estimate is None:
        return None
    line = None if estimate.low is None or estimate.high is None else (estimate.low * 100, estimate.high * 100)
    dots = tuple(run.scores.test_accuracy * 100 for run in arm.runs if run.scores is not None)
    return Track(
        arm.name,
        f"{numbers.format_estimate('test_accuracy', estimate)} %",
        (Mark(estimate.mean * 100, "test"),),
        line,
        dots=dots if len(dots) > 1 else (),
    )


def _gap_track(arm: ArmOutcome) -> Track | None:
    test, train, fit = (arm.estimates.get(f"{name}_accuracy") for name in ("test", "train", "fit"))
    if test is None or train is None:
        return None
    real = (train.mean - test.mean) * 100
    note, marks = f"gap {numbers.format_fixed(real, 2, signed=True)}", [Mark(real, "train"), Mark(0, "test")]
    if fit is not None:
        seen = (fit.mean - test.mean) * 100
        note += f", by fit {numbers.format_fixed(seen, 2, signed=True)}"
        marks.insert(1, Mark(seen, "fit"))
    return Track(arm.name, note, tuple(marks), (0.0, real), capped=False)
