"""Reliability diagrams: an arm's accuracy against its stated confidence."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter

from paribus.analysis import Calibration
from paribus.report.figures.palette import Palette
from paribus.report.figures.plot import Plot, add_axes

_FEW = 20
"""Bins with fewer test examples than this are drawn faintly: their accuracy is mostly chance."""


def draw_reliability(arm: str, calibration: Calibration, seeds: int, name: str, width: float) -> Plot:
    """Accuracy against confidence, bin by bin, above a strip that shows how many answers each bin holds.

    The answers of several runs to one example are much alike, so that a bin counts for a run's share of them.

    Args:
        arm: the name of the arm.
        calibration: its bins.
        seeds: the number of its runs.
        name: the name of the figure.
        width: in pixels.
    """
    size = (width, 300.0)
    filled = calibration.count > 0

    def draw(figure: Any, palette: Palette) -> None:
        ax = add_axes(figure, size, 56, 12, 30, 92)
        ax.text(0, 1 + 11 / 178, arm, transform=ax.transAxes, color=palette.ink, fontsize=12, fontweight="bold")
        ax.text(0.03, 0.9, "accuracy", transform=ax.transAxes, color=palette.muted, fontsize=11.5)
        ax.plot([0, 1], [0, 1], color=palette.muted, linewidth=1, dashes=(4, 3))
        confidence, accuracy = calibration.confidence[filled], calibration.accuracy[filled]
        many = calibration.count[filled] >= _FEW * max(seeds - calibration.undefined_runs, 1)
        for bins, alpha in ((many, 1.0), (~many, 0.3)):
            ax.vlines(
                confidence[bins],
                confidence[bins],
                accuracy[bins],
                colors=palette.worse,
                linewidth=1.6,
                alpha=0.7 * alpha,
            )
            ax.plot(
                confidence[bins],
                accuracy[bins],
                "o",
                color=palette.test,
                markersize=6,
                markeredgewidth=0,
                alpha=alpha,
            )
        below = add_axes(figure, size, 56, 12, 218, 42)
        middle = (calibration.edges[:-1] + calibration.edges[1:]) / 2
        heights = np.log10(calibration.count[filled] + 1.0)
        for bins, alpha in ((many, 0.5), (~many, 0.2)):
            below.bar(
                middle[filled][bins],
                heights[bins],
                width=0.8 / len(middle),
                color=palette.test,
                alpha=alpha,
                linewidth=0,
            )
        below.set_xlabel("confidence (bars: answers, log scale)", color=palette.muted, fontsize=11.5, labelpad=3)
        for part in (ax, below):
            part.set_xlim(-0.02, 1.02)
            part.tick_params(length=0, labelsize=11.5, labelcolor=palette.muted)
            part.set_axisbelow(True)
        ax.set_ylim(-0.02, 1.02)
        ax.grid(color=palette.grid, linewidth=1)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}".replace("%", " %")))
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}".replace("%", " %")))
        ax.set_xticklabels([])
        below.set_yticks([])

    bins = zip(calibration.confidence[filled], calibration.accuracy[filled], calibration.count[filled], strict=True)
    values = "; ".join(f"confidence {c:.0%}: accuracy {a:.0%} of {n:,} answers" for c, a, n in bins)
    return Plot(name, f"{arm}. {values}.", *size, draw)
