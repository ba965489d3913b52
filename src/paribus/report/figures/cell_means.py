"""Cell means of a study with two factors: where lines are not parallel, the factors interact."""

from __future__ import annotations

from typing import Any

from matplotlib.ticker import FuncFormatter, MaxNLocator

from paribus.outcome.outcome import Outcome
from paribus.report.figures.palette import Palette
from paribus.report.figures.plot import LEGEND_LETTER, Plot, add_axes

_COLOURS = ("test", "fit", "train", "val")
_SHAPES = ("o", "D", "s", "^")


def draw_cells(outcome: Outcome, width: float) -> Plot | None:
    """Test accuracy of every cell with its seeds; None unless there are two factors, the second of few levels.

    Args:
        outcome: the outcome.
        width: in pixels.
    """
    factors = list(dict.fromkeys(factor for arm in outcome.arms for factor in arm.levels))
    if len(factors) != 2 or not outcome.effects:
        return None
    across, lines = (list(dict.fromkeys(arm.levels[factor] for arm in outcome.arms)) for factor in factors)
    if len(lines) > len(_COLOURS):
        return None
    size = (width, 320.0)

    def draw(figure: Any, palette: Palette) -> None:
        ax = add_axes(figure, size, 60, 12, 34, 42)
        shift = 0.06
        x = 0.0
        for number, level in enumerate(lines):
            colour, shape = getattr(palette, _COLOURS[number]), _SHAPES[number]
            means: list[tuple[float, float]] = []
            for place, other in enumerate(across):
                arm = next((a for a in outcome.arms if a.levels == {factors[0]: other, factors[1]: level}), None)
                estimate = None if arm is None else arm.estimates.get("test_accuracy")
                if arm is None or estimate is None:
                    continue
                at = place + shift * (number - (len(lines) - 1) / 2)
                means.append((at, estimate.mean * 100))
                seeds = [run.scores.test_accuracy * 100 for run in arm.runs if run.scores is not None]
                ax.plot([at] * len(seeds), seeds, "o", color=colour, markersize=3.4, markeredgewidth=0, alpha=0.5)
            if means:
                ax.plot(
                    *zip(*means, strict=True), f"-{shape}", color=colour, linewidth=2, markersize=8, markeredgewidth=0
                )
            glyph = {"o": "●", "s": "■", "D": "◆", "^": "▲"}[shape]
            figure.text((14 + x) / width, 1 - 14 / 320, glyph, color=colour, fontsize=10, va="center")
            words = f"{factors[1]} {level}"
            figure.text((28 + x) / width, 1 - 14 / 320, words, color=palette.muted, fontsize=11.5, va="center")
            x += 14 + len(words) * LEGEND_LETTER + 16
        ax.set_xlim(-0.5, len(across) - 0.5)
        ax.set_xticks(range(len(across)), across)
        ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g} %"))
        ax.set_xlabel(factors[0], color=palette.muted, fontsize=11.5, labelpad=3)
        ax.tick_params(length=0, labelsize=11.5, labelcolor=palette.muted)
        ax.grid(axis="y", color=palette.grid, linewidth=1)
        ax.set_axisbelow(True)

    values = "; ".join(
        f"{arm.name} {estimate.mean:.2%}" for arm in outcome.arms if (estimate := arm.estimates.get("test_accuracy"))
    )
    return Plot("cells", f"Mean test accuracy by {factors[0]} and {factors[1]}: {values}.", *size, draw)
