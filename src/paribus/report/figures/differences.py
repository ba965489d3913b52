"""Figures of the contrasts and effects: differences with intervals and seeds, and one contrast seed by seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.ticker import FuncFormatter, MaxNLocator

from paribus.analysis import Comparison, JudgedContrast, Metric, Unit, Verdict
from paribus.analysis.possible import print_limits
from paribus.analysis.wording import with_unit_name
from paribus.outcome.outcome import Outcome
from paribus.report import numbers
from paribus.report.figures import tracks
from paribus.report.figures.palette import Palette
from paribus.report.figures.plot import Plot, add_axes
from paribus.report.figures.tracks import Frame, Mark, Track, tick
from paribus.report.numbers import pairing_seed
from paribus.report.splits import name_compared_kind
from paribus.report.statements import JudgedStatement, count_factors, is_declared, primary_first
from paribus.report.tables import name_statement
from paribus.study.design import Design

DIGIT: Final = 8.0
"""Pixels of a digit at the size of the axes' labels, in the widest fonts that browsers use."""


def draw_forest(name: str, statements: Sequence[JudgedStatement], width: float, document: Design) -> Plot | None:
    """A row for each contrast or effect: difference, interval, every seed; the margin as a band. None without any.

    What the study declares and what is decided is never off the scale; another undecided row may be, with its number.

    Args:
        name: the name of the figure.
        statements: contrasts or effects, all on one metric.
        width: in pixels.
        document: the study, which says what is declared.
    """
    known = [(item, item.comparison) for item in primary_first(statements) if item.comparison is not None]
    if not known:
        return None
    metric, first = known[0][0].metric, known[0][1]
    rows = [_track(item, comparison, width, is_declared(document, item)) for item, comparison in known]
    margins = {comparison.margin for _, comparison in known}
    margin = margins.pop() if len(margins) == 1 else None
    band = None if margin is None else margin * _factor(metric)
    kinds = dict.fromkeys(str(comparison.verdict) for _, comparison in known)
    key = [(kind, kind) for kind in kinds]
    key += [("band", "margin")] * (band is not None) + [("seed", f"one {name_compared_kind(first)}")] * (
        first.seeds > 1
    )
    axis = with_unit_name(f"difference in {metric.label}", metric.unit)
    frame = Frame(axis, tuple(key), signed=True, zero=True, band=band)
    alt = f"Differences in {metric.label}, with intervals. " + "; ".join(
        f"{row.label}: {row.note}, {comparison.verdict}" for row, (_, comparison) in zip(rows, known, strict=True)
    )
    tall = tracks.height(len(rows), frame, width)
    return Plot(name, f"{alt}.", width, tall, lambda figure, palette: tracks.draw(figure, palette, width, rows, frame))


def draw_seeds(contrast: JudgedContrast, seeds: Sequence[int], width: float, name: str) -> Plot | None:
    """The paired difference of every seed, beside the mean and its interval; None for a single one.

    Args:
        contrast: the contrast.
        seeds: the seeds that were compared, as :func:`common_seeds` lists them.
        width: in pixels.
        name: the name of the figure.
    """
    comparison = contrast.comparison
    if comparison is None or comparison.seeds < 2 or len(seeds) != len(comparison.seed_differences):
        return None
    factor = _factor(contrast.metric)
    values = [value * factor for value in comparison.seed_differences]
    size = (width, 222.0)
    label, measured = name_statement(contrast), with_unit_name(contrast.metric.label, contrast.metric.unit)
    kind, folded = name_compared_kind(comparison), comparison.folded
    # A run is named by its seed, a fold of one pass by its number (decision 0116).
    names = [str(seed if folded is None or kind == "run" else seed % folded.folds) for seed in seeds]

    def draw(figure: Any, palette: Palette) -> None:
        ax = add_axes(figure, size, 48, 10, 44, 40)
        ax.text(0, 1 + 12 / 138, measured, transform=ax.transAxes, color=palette.muted, fontsize=11.5)
        ax.text(0, 1 + 28 / 138, label, transform=ax.transAxes, color=palette.ink, fontsize=12, fontweight="bold")
        places = list(range(len(seeds)))
        colours = [palette.better if (v > 0) == comparison.higher_is_better else palette.worse for v in values]
        if comparison.low is not None and comparison.high is not None:
            limits = print_limits(contrast.metric, comparison.low, comparison.high)
            ax.axhspan(limits.low * factor, limits.high * factor, color=palette.muted, alpha=0.14, linewidth=0)
        ax.axhline(comparison.difference * factor, color=palette.muted, linewidth=1.4, dashes=(4, 3))
        ax.axhline(0, color=palette.ink, linewidth=1)
        thick = 3.0 if len(seeds) <= 40 else 1.0
        ax.vlines(places, 0, values, colors=colours, linewidth=thick)
        for place, value, colour in zip(places, values, colours, strict=True):
            ax.plot([place], [value], "o", color=colour, markersize=6 if thick > 1 else 2.5, markeredgewidth=0)
        ax.set_xlim(-0.7, len(seeds) - 0.3)
        ax.margins(y=0.12)
        _ticks(ax, palette, names, width - 58)
        ax.set_xlabel(kind, color=palette.muted, fontsize=11.5, labelpad=3)

    by_seed = ", ".join(f"{kind} {n} {tick(round(v, 4), signed=True)}" for n, v in zip(names, values, strict=True))
    subject = with_unit_name(f"{label} in {contrast.metric.label}", contrast.metric.unit)
    return Plot(name, f"{subject}: {by_seed}.", *size, draw)


def common_seeds(outcome: Outcome, contrast: JudgedContrast) -> tuple[int, ...]:
    """The seeds that were compared, in increasing order: the order of a comparison's ``seed_differences``.

    They are the first that both arms have scores for, from the study's first seed on: as many as were compared. Over
    folds they are those of the passes whose folds all have scores.

    Args:
        outcome: the outcome.
        contrast: one of its contrasts.
    """
    if contrast.comparison is None:
        return ()
    scored = [{pairing_seed(run.seeds) for run in outcome.arm(name).scored} for name in (contrast.a, contrast.b)]
    folded = contrast.comparison.folded
    if folded is not None:
        of_pass = Counter(seed // folded.folds for seed in set.intersection(*scored))
        return tuple(
            seed for seed in sorted(set.intersection(*scored)) if of_pass[seed // folded.folds] == folded.folds
        )
    common = [seed for seed in sorted(set.intersection(*scored)) if seed >= outcome.design.first_seed]
    return tuple(common[: contrast.comparison.seeds])


def _ticks(ax: Any, palette: Palette, names: Sequence[str], width: float) -> None:
    """Name as many places as fit, at most about ten. ``width``: that of the axis, in pixels."""
    most = max(1, int(width / (DIGIT * (max(map(len, names)) + 1))))
    step = max(1, -(-len(names) // min(10, most)))
    ax.set_xticks(range(0, len(names), step), names[::step])
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, signed=True)))
    ax.tick_params(length=0, labelsize=11.5, labelcolor=palette.muted)
    ax.grid(axis="y", color=palette.grid, linewidth=1)
    ax.set_axisbelow(True)


def _track(item: JudgedStatement, comparison: Comparison, width: float, declared: bool) -> Track:
    factor = _factor(item.metric)
    low, high, factors = comparison.low, comparison.high, count_factors(item)
    label = f"{name_statement(item)}{' (primary)' if comparison.primary else ''}"
    limits = None if low is None or high is None else print_limits(item.metric, low, high, factors)
    printed = numbers.format_difference(item.metric, comparison.difference, low, high, factors)
    return Track(
        label,
        str(printed) if width >= 500 else printed.value,
        (Mark(comparison.difference * factor, str(comparison.verdict)),),
        None if limits is None else (limits.low * factor, limits.high * factor),
        dots=tuple(value * factor for value in comparison.seed_differences) if comparison.seeds > 1 else (),
        on_scale=declared or comparison.verdict is not Verdict.UNDECIDED,
    )


def _factor(metric: Metric) -> float:
    return 100.0 if metric.unit is Unit.FRACTION else 1.0
