"""Figures of the arms: a metric with its interval, and the gap by train and by fit accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from paribus.analysis.metrics import Metric, Unit
from paribus.analysis.phrases import scope_text
from paribus.analysis.wording import capitalized, percent
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.records import RunResult
from paribus.report import numbers
from paribus.report.figures import tracks
from paribus.report.figures.plot import Plot
from paribus.report.figures.tracks import Frame, Mark, Track
from paribus.report.splits import name_run_kind


def draw_metric(outcome: Outcome, metric: Metric, width: float) -> Plot | None:
    """A row for each arm: mean, interval and every seed of a metric. None where no arm has a score on it.

    Args:
        outcome: the outcome.
        metric: the metric.
        width: in pixels.
    """
    rows = [row for arm in outcome.arms if (row := _metric_track(arm, metric)) is not None]
    if not rows:
        return None
    estimates = [arm.estimates.get(metric.name) for arm in outcome.arms]
    about = dict.fromkeys(
        f"{percent(estimate.level)} interval {scope_text(estimate.scope, metric)}"
        for estimate in estimates
        if estimate is not None and estimate.low is not None
    )
    lead = "mean and " if width >= _WIDE else ""
    interval = f"{lead}{', '.join(about)}" if about else "mean"
    several = any(len(arm.scored) > 1 for arm in outcome.arms)
    unit = {Unit.FRACTION: " %", Unit.NATS: "", Unit.PLAIN: ""}[metric.unit]
    axis = f"{metric.label}, nats" if metric.unit is Unit.NATS else metric.label
    frame = Frame(axis, (("test", interval if several or about else "one run"), *_dots(outcome)[: int(several)]), unit)
    values = "; ".join(f"{row.label} {row.note}" for row in rows)
    alt = f"{capitalized(metric.label)} by arm. {values}."
    return _plot(metric.name.replace("_", "-"), alt, width, rows, frame)


def draw_gap(outcome: Outcome, width: float) -> Plot | None:
    """A row for each arm: how far train and fit accuracy lie above its test accuracy. None without scores.

    Args:
        outcome: the outcome.
        width: in pixels.
    """
    rows = [row for arm in outcome.arms if (row := _gap_track(arm)) is not None]
    if not rows:
        return None
    key = (("test", "test accuracy"), ("train", "train accuracy"), ("fit", "fit accuracy"))
    frame = Frame("points above the arm's own test accuracy", key, signed=True, zero=True)
    alt = "Train and fit accuracy, in points above test accuracy. " + "; ".join(
        f"{row.label}: {row.note}" for row in rows
    )
    return _plot("gap", f"{alt}.", width, rows, frame)


def _dots(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    return (("seed", f"one {name_run_kind(outcome)}"),)


_WIDE = 500.0
"""In a figure less wide than this the legend leaves out that the mark is the mean."""


def _plot(name: str, alt: str, width: float, rows: Sequence[Track], frame: Frame) -> Plot:
    tall = tracks.height(len(rows), frame, width)
    return Plot(name, alt, width, tall, lambda figure, palette: tracks.draw(figure, palette, width, rows, frame))


def _metric_track(arm: ArmOutcome, metric: Metric) -> Track | None:
    estimate = arm.estimates.get(metric.name)
    if estimate is None or not math.isfinite(estimate.mean):
        return None
    factor = 100.0 if metric.unit is Unit.FRACTION else 1.0
    line = None if estimate.low is None or estimate.high is None else (estimate.low * factor, estimate.high * factor)
    values = [value * factor for run in arm.scored if math.isfinite(value := _run_value(run, metric))]
    percent_sign = " %" if metric.unit is Unit.FRACTION else ""
    return Track(
        arm.name,
        f"{numbers.format_estimate(metric, estimate)}{percent_sign}",
        (Mark(estimate.mean * factor, "test"),),
        line,
        dots=tuple(values) if len(values) > 1 else (),
    )


def _run_value(run: RunResult, metric: Metric) -> float:
    """A run's value of a metric that every study has, or of one that the protocol adds; nan without one."""
    value = run.metrics.get(metric.name)
    return float(getattr(run.scores, metric.name, math.nan) if value is None else value)


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
