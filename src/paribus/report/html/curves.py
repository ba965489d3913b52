"""The learning curves: all arms in one figure, with values under the pointer or by keys, and every seed folded."""

from __future__ import annotations

import json
import math
from typing import Any

from paribus.outcome.outcome import Outcome
from paribus.report.figures import overlaid_curves as figures
from paribus.report.figures.learning_curves import draw_curves
from paribus.report.figures.overlaid_curves import ArmCurve, Spread
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import NARROW, WIDE, details, legend, panel_grid, section, svg
from paribus.report.splits import name_run_kind
from paribus.report.statements import list_metrics

_GLYPHS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼"}
_MOST_PANELS = 60
_MEASURED_BY_EPOCH = ("test_accuracy", "fit_accuracy", "train_accuracy", "generalization_gap")


def curves_section(outcome: Outcome) -> Markup | None:
    """Every arm's mean over its seeds in one figure, and a panel an arm with every seed."""
    curves = figures.list_arm_curves(outcome)
    panels = draw_curves(outcome, NARROW)
    if not curves:
        return None
    kind = name_run_kind(outcome)
    validated = any(curve.val is not None for curve in curves)
    entries = [("fit", "fit accuracy by epoch")]
    entries += [("val", "validation accuracy by epoch")] * validated
    entries += [("train", "train accuracy at the end"), ("test", "test accuracy at the end")]
    caption = f"One line a {kind}, on one scale."
    if len(panels) > _MOST_PANELS:
        caption += f" The first {_MOST_PANELS} of {len(panels):,} arms; the dashboard draws any of them."
    grid = panel_grid(panels[:_MOST_PANELS], caption)
    every_seed = details(f"Every {kind}, arm by arm", tag("p", legend(*entries)), grid)
    return section(
        "curves", "Learning curves", _keys(curves, validated=validated), _figure(outcome, curves), every_seed
    )


def _keys(curves: tuple[ArmCurve, ...], *, validated: bool) -> Markup:
    """The legend, above the figure: the colour and the mark of each arm, then what lines and marks mean."""
    arms = [tag("span", _glyph(curve), tag("b", curve.arm)) for curve in curves]
    lines = [("dotted", "fit accuracy"), ("solid", "validation accuracy")] if validated else [("solid", "fit accuracy")]
    meanings = [tag("span", tag("i", class_=f"line {kind}"), words) for kind, words in lines]
    marks = tag("span", "● at the right: test accuracy at the end")
    return tag("div", tag("div", arms, class_="keys"), tag("div", meanings, marks, class_="keys"), class_="legend")


def _glyph(curve: ArmCurve) -> Markup:
    return tag("i", _GLYPHS[curve.shape], style=f"color:var(--{curve.colour})", aria_hidden="true")


def _figure(outcome: Outcome, curves: tuple[ArmCurve, ...]) -> Markup:
    values = json.dumps([_values(curve) for curve in curves], ensure_ascii=False, separators=(",", ":"))
    plots = [
        tag(
            "div",
            svg(plot, kind),
            class_=f"plot {kind}",
            data_left=f"{_place(1, outcome, width):.5f}",
            data_right=f"{_place(outcome.document.protocol.epochs, outcome, width):.5f}",
        )
        for kind, width in (("wide", WIDE), ("narrow", NARROW))
        if (plot := figures.draw_overlay(outcome, width)) is not None
    ]
    longest = max(len(curve.fit.mean) for curve in curves)
    return tag(
        "figure",
        plots,
        tag("figcaption", _caption(outcome, curves)),
        class_="curves",
        data_curves=values,
        data_epochs=outcome.document.protocol.epochs,
        data_longest=longest,
    )


def _caption(outcome: Outcome, curves: tuple[ArmCurve, ...]) -> Child:
    kind = name_run_kind(outcome)
    parts = [f"Means over the {kind}s"]
    if len(curves) <= figures.FEW:
        parts[0] += f", shaded from the lowest {kind} to the highest"
    parts[0] += "; the scale is that of errors, stretched towards 100 %."
    parts.append(
        "Fit accuracy is measured during the epoch, while weights change and dropout, if any, is on: it may lie below "
        "test accuracy."
    )
    lengths = {len(run.curve.fit_accuracy) for arm in outcome.arms for run in arm.runs if run.curve.fit_accuracy}
    if len(lengths) > 1:
        parts.append("Runs ended after different numbers of epochs: a mean is over those that trained in that epoch.")
    others = [metric.label for metric in list_metrics(outcome) if metric.name not in _MEASURED_BY_EPOCH]
    if others:
        parts.append(f"By epoch there is accuracy alone, not {' or '.join(others)}.")
    return " ".join(parts)


def _place(epoch: int, outcome: Outcome, width: float) -> float:
    """Where an epoch is drawn, as a share of the figure's width."""
    low, high = figures.epoch_limits(outcome.document.protocol.epochs)
    inside = width - figures.LEFT - figures.RIGHT
    return (figures.LEFT + inside * (epoch - low) / (high - low)) / width


def _values(curve: ArmCurve) -> dict[str, Any]:
    """What the script of the page shows of an arm: per cent by epoch, null where there is nothing."""
    spreads = {"fit": curve.fit} | ({} if curve.val is None else {"validation": curve.val})
    return {
        "arm": curve.arm,
        "colour": curve.colour,
        "glyph": _GLYPHS[curve.shape],
        "lines": {name: _rounded(spread) for name, spread in spreads.items()},
        "test": None if curve.test is None else _per_cent(curve.test),
    }


def _rounded(spread: Spread) -> list[list[float | None]]:
    return [[_per_cent(value) for value in values] for values in (spread.mean, spread.low, spread.high)]


def _per_cent(value: float) -> float | None:
    return round(100 * value, 2) if math.isfinite(value) else None
