"""Learning curves of one arm, every seed: what ``fit`` printed and what the validation split scored, if any."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import NullFormatter, NullLocator

from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report.figures.palette import Palette
from paribus.report.figures.plot import Plot, add_axes

_TICKS = (0.9, 0.8, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
"""Error rates that may have a tick, labelled as accuracies."""

_APART = 26.0
"""Pixels between two ticks at least."""


def draw_curves(outcome: Outcome, width: float) -> tuple[Plot, ...]:
    """One panel an arm, all on one scale; arms without a curve have none.

    Args:
        outcome: the outcome.
        width: of a panel, in pixels.
    """
    arms = [arm for arm in outcome.arms if any(run.curve.fit_accuracy for run in arm.runs)]
    if not arms:
        return ()
    limits = error_limits(arms, floor=0.5 / outcome.data.train)
    epochs = outcome.document.protocol.epochs
    return tuple(_panel(arm, f"curves-{number}", limits, epochs, width) for number, arm in enumerate(arms))


def _panel(arm: ArmOutcome, name: str, limits: tuple[float, float], epochs: int, width: float) -> Plot:
    size = (width, 240.0)
    runs = [run for run in arm.runs if run.curve.fit_accuracy]
    validated = any(run.curve.val_accuracy for run in runs)

    def draw(figure: Any, palette: Palette) -> None:
        ax = add_axes(figure, size, 56, 12, 30, 40)
        ax.text(0, 1 + 11 / 170, arm.name, transform=ax.transAxes, color=palette.ink, fontsize=12, fontweight="bold")
        scale_axes(ax, palette, limits, epochs, size[1] - 70)
        alpha = min(0.9, max(0.12, 4 / len(runs)))
        for run in runs:
            lines = ((run.curve.fit_accuracy, palette.fit, "-"), (run.curve.val_accuracy, palette.val, "-"))
            for values, colour, style in lines:
                if values:
                    places = range(1, len(values) + 1)
                    errors = [accuracy_to_error(value, limits) for value in values]
                    ax.plot(places, errors, style, color=colour, linewidth=1.3, alpha=alpha)
            if run.scores is not None:
                end = epochs + 0.08 * epochs
                for value, colour, shape in (
                    (run.scores.train_accuracy, palette.train, "s"),
                    (run.scores.test_accuracy, palette.test, "o"),
                ):
                    ax.plot(
                        [end],
                        [accuracy_to_error(value, limits)],
                        shape,
                        color=colour,
                        markersize=4.5,
                        markeredgewidth=0,
                        alpha=alpha,
                    )

    final = [run.curve.fit_accuracy[-1] for run in runs]
    seeds = "1 seed" if len(runs) == 1 else f"{len(runs)} seeds"
    alt = (
        f"{arm.name}: fit accuracy{' and validation accuracy' if validated else ''} by epoch, {seeds}; the last fit "
        f"accuracy is between {min(final):.2%} and {max(final):.2%}."
    )
    return Plot(name, alt, *size, draw)


def scale_axes(ax: Any, palette: Palette, limits: tuple[float, float], epochs: int, height: float) -> None:
    """Errors from bottom to top on a logarithmic scale, labelled as accuracies; epochs from left to right.

    Args:
        ax: the axes, ``height`` pixels high.
        palette: the colours.
        limits: the smallest and the largest error rate.
        epochs: how many there are.
        height: in pixels.
    """
    low, high = limits
    ax.set_yscale("log")
    ax.set_ylim(high, low)
    ticks = _ticks(limits, height)
    ax.set_yticks(ticks, [f"{100 * (1 - value):.4g} %" for value in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_formatter(NullFormatter())
    step = max(1, math.ceil(epochs / 8))
    ax.set_xlim(*epoch_limits(epochs))
    ax.set_xticks(_epoch_ticks(epochs, step))
    ax.set_xlabel("epoch", color=palette.muted, fontsize=11.5, labelpad=3)
    ax.tick_params(length=0, labelsize=11.5, labelcolor=palette.muted)
    ax.grid(axis="y", color=palette.grid, linewidth=1)
    ax.set_axisbelow(True)


def _epoch_ticks(epochs: int, step: int) -> list[int]:
    """The first epoch, the last one, and every so many between them that stay clear of both."""
    between = [epoch for epoch in range(step, epochs, step) if epoch > 1 and epochs - epoch > step / 2]
    return sorted({1, *between, epochs})


def epoch_limits(epochs: int) -> tuple[float, float]:
    """The ends of the scale of epochs, with space for what is measured after the last one."""
    return 1 - 0.03 * epochs, epochs * 1.12


def error_limits(arms: Sequence[ArmOutcome], floor: float) -> tuple[float, float]:
    """The smallest and the largest error rate of all arms, with a margin.

    Args:
        arms: the arms.
        floor: the smallest error rate that is drawn: half an example.
    """
    errors: list[float] = []
    for arm in arms:
        for run in arm.runs:
            values = [*run.curve.fit_accuracy, *run.curve.val_accuracy]
            if run.scores is not None:
                values += [run.scores.test_accuracy, run.scores.train_accuracy]
            errors += [1 - value for value in values if math.isfinite(value)]
    low, high = max(min(errors, default=0.01), floor), max(max(errors, default=1.0), 2 * floor)
    return max(low / 1.25, floor / 2), min(high * 1.15, 1.0)


def _ticks(limits: tuple[float, float], height: float) -> list[float]:
    """Those that fit, from the smallest error on, where curves end."""
    low, high = limits
    ticks: list[float] = []
    for value in sorted(value for value in _TICKS if low <= value <= high):
        if not ticks or math.log(value / ticks[-1]) * height / math.log(high / low) >= _APART:
            ticks.append(value)
    return ticks


def accuracy_to_error(value: float, limits: tuple[float, float]) -> float:
    """The error rate of an accuracy; nan for one that is not finite.

    Args:
        value: the accuracy, a fraction of 1.
        limits: the smallest and the largest error rate of the scale; smaller ones are drawn at its end.
    """
    return max(1 - value, limits[0]) if math.isfinite(value) else math.nan
