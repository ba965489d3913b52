"""Learning curves of all arms in one figure: the mean of each arm's seeds, and how far the seeds lie apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report.figures.learning_curves import accuracy_to_error, epoch_limits, error_limits, scale_axes
from paribus.report.figures.palette import ARM_COLOURS, Palette
from paribus.report.figures.plot import LEGEND_LETTER, Plot, add_axes

__all__ = ["ArmCurve", "Spread", "draw_overlay", "epoch_limits", "list_arm_curves"]

LEFT, RIGHT, TOP, BOTTOM = 58.0, 10.0, 10.0, 42.0
"""Margins around the plot, in pixels."""

FEW = 4
"""With more arms than this the bands between the lowest and the highest seed would cover one another."""

_SHAPES = ("o", "s", "^", "D", "v")
_LEGEND_ROW = 20.0


@dataclass(frozen=True, slots=True)
class Spread:
    """A measure by epoch: over the runs that trained in that epoch, fractions of 1; nan where none is finite."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ArmCurve:
    """What is drawn of one arm.

    Attributes:
        arm: its name.
        place: its place among the arms that are drawn, which determines colour and shape.
        fit: fit accuracy.
        val: validation accuracy; None without a validation split.
        test: mean test accuracy at the end; None without a score.
    """

    arm: str
    place: int
    fit: Spread
    val: Spread | None
    test: float | None

    @property
    def colour(self) -> str:
        """The name of its colour in the palette."""
        return ARM_COLOURS[self.place % len(ARM_COLOURS)]

    @property
    def shape(self) -> str:
        """Matplotlib's name of the mark of its test accuracy: arms of one colour differ in it."""
        return _SHAPES[self.place // len(ARM_COLOURS) % len(_SHAPES)]


def list_arm_curves(outcome: Outcome) -> tuple[ArmCurve, ...]:
    """The arms that have a learning curve, in the study's order."""
    arms = [arm for arm in outcome.arms if any(run.curve.fit_accuracy for run in arm.runs)]
    return tuple(_arm_curve(arm, place) for place, arm in enumerate(arms))


def draw_overlay(outcome: Outcome, width: float, *, legend: bool = False) -> Plot | None:
    """Every arm's curve on one scale; None where no arm has one.

    Args:
        outcome: what the study's runs say.
        width: in pixels.
        legend: whether the names of the arms are in the figure; a page writes them above it.

    Returns:
        The figure, or None.
    """
    curves = list_arm_curves(outcome)
    if not curves:
        return None
    named = [arm for arm in outcome.arms if arm.name in {curve.arm for curve in curves}]
    limits = error_limits(named, floor=0.5 / outcome.data.train)
    epochs = outcome.document.protocol.epochs
    rows = _legend_rows(curves, width) if legend else []
    top = TOP + _LEGEND_ROW * len(rows)
    size = (width, (330.0 if width >= 500 else 290.0) + _LEGEND_ROW * len(rows))

    def draw(figure: Any, palette: Palette) -> None:
        ax = add_axes(figure, size, LEFT, RIGHT, top, BOTTOM)
        scale_axes(ax, palette, limits, epochs, size[1] - top - BOTTOM)
        for curve in curves:
            # Side by side, as arms of one accuracy would cover one another.
            share = (curve.place + 0.5) / len(curves)
            _draw_curve(ax, getattr(palette, curve.colour), curve, limits, epochs, share, band=len(curves) <= FEW)
        for number, row in enumerate(rows):
            _draw_legend_row(figure, palette, row, 1 - (14 + _LEGEND_ROW * number) / size[1], width)

    ends = "; ".join(_describe_end(curve) for curve in curves)
    return Plot("learning-curves", f"Accuracy by epoch, mean over the seeds. Last epoch: {ends}.", *size, draw)


def _arm_curve(arm: ArmOutcome, place: int) -> ArmCurve:
    runs = [run for run in arm.runs if run.curve.fit_accuracy]
    fit = [run.curve.fit_accuracy for run in runs]
    val = [run.curve.val_accuracy for run in runs if run.curve.val_accuracy]
    estimate = arm.estimates.get("test_accuracy")
    return ArmCurve(
        arm.name, place, _spread(fit), _spread(val) if val else None, None if estimate is None else estimate.mean
    )


def _spread(curves: Sequence[Sequence[float]]) -> Spread:
    mean, low, high = [], [], []
    for epoch in range(max(map(len, curves))):
        values = [curve[epoch] for curve in curves if len(curve) > epoch and math.isfinite(curve[epoch])]
        mean.append(math.fsum(values) / len(values) if values else math.nan)
        low.append(min(values, default=math.nan))
        high.append(max(values, default=math.nan))
    return Spread(tuple(mean), tuple(low), tuple(high))


def _draw_curve(
    ax: Any, colour: str, curve: ArmCurve, limits: tuple[float, float], epochs: int, share: float, *, band: bool
) -> None:
    lines = [(curve.fit, "-")] if curve.val is None else [(curve.fit, (0, (1.5, 1.5))), (curve.val, "-")]
    for spread, style in lines:
        places = range(1, len(spread.mean) + 1)
        mean, low, high = (
            [accuracy_to_error(value, limits) for value in values] for values in (spread.mean, spread.low, spread.high)
        )
        if band and style == "-":
            ax.fill_between(places, low, high, color=colour, alpha=0.14, linewidth=0)
        ax.plot(places, mean, linestyle=style, color=colour, linewidth=1.9 if style == "-" else 1.4)
    if curve.test is not None:
        end, value = epochs * (1.03 + 0.08 * share), accuracy_to_error(curve.test, limits)
        ax.plot([end], [value], curve.shape, color=colour, markersize=7.5, markeredgewidth=0)


def _describe_end(curve: ArmCurve) -> str:
    text = f"{curve.arm} fit {curve.fit.mean[-1]:.2%}"
    if curve.val is not None:
        text += f", validation {curve.val.mean[-1]:.2%}"
    return text if curve.test is None else f"{text}, test {curve.test:.2%}"


def _legend_rows(curves: Sequence[ArmCurve], width: float) -> list[list[tuple[float, ArmCurve]]]:
    """The arms with the pixel where each one's entry begins, as many in a row as fit."""
    rows: list[list[tuple[float, ArmCurve]]] = [[]]
    x = LEFT
    for curve in curves:
        length = 34 + LEGEND_LETTER * len(curve.arm)
        if rows[-1] and x + length > width:
            rows.append([])
            x = LEFT
        rows[-1].append((x, curve))
        x += length
    return rows


def _draw_legend_row(
    figure: Any, palette: Palette, row: Sequence[tuple[float, ArmCurve]], y: float, width: float
) -> None:
    glyphs = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼"}
    for x, curve in row:
        colour = getattr(palette, curve.colour)
        figure.text(x / width, y, glyphs[curve.shape], color=colour, fontsize=10, va="center")
        figure.text((x + 14) / width, y, curve.arm, color=palette.muted, fontsize=11.5, va="center")
