"""Rows that each carry a name, its numbers in print, and marks on one common scale: the form of most figures here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from matplotlib.ticker import FuncFormatter, MaxNLocator

from paribus.report.figures.palette import Palette
from paribus.report.figures.plot import LEGEND_LETTER, add_axes

ROW = 46.0
TOP = 32.0
BOTTOM = 44.0
FOOT = 6.0
SIDE = 14.0
_EDGE = 14.0
"""Ticks closer than this to an end of the scale would have their labels cut off."""

_KEY_ROW = 19.0
_LETTER = 7.2
"""About how wide a letter of 12 points is."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark on a row: where, and what it is (a colour of the palette, with a shape of its own)."""

    value: float
    kind: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """One row.

    Attributes:
        label: its name.
        note: its numbers in print.
        marks: the main one first.
        line: from where to where a line is drawn, and its colour; an interval or a distance.
        capped: whether the line is an interval, with ends.
        dots: small dots, one a seed.
        on_scale: whether the scale reaches over all of it, however far the other rows are.
    """

    label: str
    note: str
    marks: tuple[Mark, ...]
    line: tuple[float, float] | None = None
    capped: bool = True
    dots: tuple[float, ...] = ()
    on_scale: bool = False

    @property
    def extent(self) -> tuple[float, float]:
        """From the leftmost to the rightmost thing on it."""
        values = [mark.value for mark in self.marks] + list(self.line or ()) + list(self.dots)
        return min(values), max(values)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all rows share.

    Attributes:
        axis: what the scale measures.
        key: pairs of a kind of mark and its meaning.
        unit: what is printed after each tick.
        signed: whether ticks carry a sign.
        zero: whether zero is the middle that everything is seen from.
        band: half the width of a shaded band around zero; None for no band.
    """

    axis: str
    key: tuple[tuple[str, str], ...]
    unit: str = ""
    signed: bool = False
    zero: bool = False
    band: float | None = None


SHAPES = {
    "test": "o",
    "train": "s",
    "fit": "D",
    "val": "^",
    "undecided": "o",
    "equivalent": "s",
    "better": "^",
    "worse": "v",
}


def height(rows: int, frame: Frame, width: float) -> float:
    """The height of a figure with so many rows, in pixels."""
    return _top(frame, width) + ROW * rows + FOOT + BOTTOM


def _top(frame: Frame, width: float) -> float:
    return TOP + _KEY_ROW * (len(_key_lines(frame.key, width)) - 1)


def draw(figure: Any, palette: Palette, width: float, tracks: Sequence[Track], frame: Frame) -> None:
    """Draw the rows. A row that reaches far from all others would squeeze them: an arrow marks what is cut off.

    Args:
        figure: Matplotlib's figure, or a part of one.
        palette: the colours.
        width: in pixels.
        tracks: the rows, from the top down.
        frame: what they share.
    """
    low, high = _limits(tracks, frame)
    tall = ROW * len(tracks) + FOOT
    total = height(len(tracks), frame, width)
    ax = add_axes(figure, (width, total), SIDE, SIDE, _top(frame, width), BOTTOM)
    ax.set_xlim(low, high)
    ax.set_ylim(tall, 0)
    _scale(ax, palette, frame, width)
    per_pixel = (high - low) / (width - 2 * SIDE)
    for index, track in enumerate(tracks):
        _row(ax, palette, track, index * ROW, (low, high), per_pixel, signed=frame.signed)
    _key(figure, palette, frame.key, width, total)


def _limits(tracks: Sequence[Track], frame: Frame) -> tuple[float, float]:
    extents = [track.extent for track in tracks]
    middle = 0.0 if frame.zero else median((low + high) / 2 for low, high in extents)
    reach = [max(abs(low - middle), abs(high - middle)) for low, high in extents]
    usual = sorted(reach)[(len(reach) - 1) // 2]
    near = [
        extent
        for track, extent, far in zip(tracks, extents, reach, strict=True)
        if track.on_scale or far <= 4 * usual or usual == 0
    ]
    low, high = min(start for start, _ in near), max(end for _, end in near)
    if frame.zero:
        low, high = min(low, -(frame.band or 0)), max(high, frame.band or 0)
    margin = (high - low) * 0.05 or max(abs(high) * 0.01, 0.01)
    return low - margin, high + margin


def _scale(ax: Any, palette: Palette, frame: Frame, width: float) -> None:
    ax.set_yticks([])
    low, high = ax.get_xlim()
    edge = _EDGE * (high - low) / width
    places = MaxNLocator(nbins=4 if width < 500 else 7, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    ax.set_xticks([place for place in places if low + edge <= place <= high - edge])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, signed=frame.signed) + frame.unit))
    ax.tick_params(axis="x", length=0, labelsize=11.5, labelcolor=palette.muted, pad=5)
    ax.grid(axis="x", color=palette.grid, linewidth=1)
    ax.set_axisbelow(True)
    ax.set_xlabel(frame.axis, color=palette.muted, fontsize=11.5, labelpad=4)
    if frame.band is not None:
        ax.axvspan(-frame.band, frame.band, color=palette.equivalent, alpha=0.13, linewidth=0)
    if frame.zero:
        ax.axvline(0, color=palette.muted, linewidth=1.2)


def _row(
    ax: Any, palette: Palette, track: Track, top: float, limits: tuple[float, float], per_pixel: float, *, signed: bool
) -> None:
    low, high = limits
    y = top + 31
    width = (high - low) / per_pixel
    letters = max(8, int(width / _LETTER) - len(track.note) - 3)
    label = track.label if len(track.label) <= letters else track.label[: letters - 1] + "…"
    backing = {"facecolor": palette.surface, "edgecolor": "none", "pad": 1.5}
    ax.text(low, top + 18, label, color=palette.ink, fontsize=12, fontweight="bold", bbox=backing)
    ax.text(high, top + 18, track.note, color=palette.muted, fontsize=11.5, ha="right", bbox=backing)
    start, end = track.extent
    if end < low or start > high:
        side, shape = (low + 5 * per_pixel, "<") if end < low else (high - 5 * per_pixel, ">")
        ax.plot([side], [y], shape, color=getattr(palette, track.marks[0].kind), markersize=7)
        words = f"at {tick(round(track.marks[0].value, 2), signed=signed)}, off the scale"
        align = "left" if end < low else "right"
        ax.text(
            side + (10 if end < low else -10) * per_pixel, y + 3.5, words, color=palette.muted, fontsize=11, ha=align
        )
        return
    if track.line is not None:
        colour = getattr(palette, track.marks[0].kind)
        ax.plot(track.line, [y, y], color=colour, linewidth=2.2 if track.capped else 5, solid_capstyle="butt")
        if track.capped:
            ax.plot(track.line, [y, y], "|", color=colour, markersize=9, markeredgewidth=2)
    if track.dots:
        ax.plot(
            track.dots,
            [y + 8.5] * len(track.dots),
            "o",
            color=palette.muted,
            markersize=3.4,
            markeredgewidth=0,
            alpha=0.75,
        )
    for mark in reversed(track.marks):
        colour = getattr(palette, mark.kind)
        ax.plot(
            [mark.value], [y], SHAPES[mark.kind], color=colour, markersize=5.5 if mark.small else 7.5, markeredgewidth=0
        )
    if start < low:
        _cut_off(ax, palette, track, y, low, start, per_pixel)
    if end > high:
        _cut_off(ax, palette, track, y, high, end, -per_pixel)


def _cut_off(ax: Any, palette: Palette, track: Track, y: float, edge: float, to: float, inwards: float) -> None:
    """An arrow at an end of the scale, with the value that the row reaches beyond it."""
    shape, align = ("<", "left") if inwards > 0 else (">", "right")
    ax.plot([edge + 5 * inwards], [y], shape, color=getattr(palette, track.marks[0].kind), markersize=7)
    words = f"to {tick(round(to, 2))}"
    ax.text(edge + 12 * inwards, y + 11, words, color=palette.muted, fontsize=11, ha=align, va="center")


def _key(figure: Any, palette: Palette, key: Sequence[tuple[str, str]], width: float, tall: float) -> None:
    entries = [(12 + _KEY_ROW * row, *entry) for row, line in enumerate(_key_lines(key, width)) for entry in line]
    for down, x, kind, words in entries:
        y = 1 - down / tall
        if kind == "band":
            figure.text(x / width, y, "▒", color=palette.equivalent, fontsize=11, va="center")
        elif kind == "seed":
            figure.text(x / width, y, "•", color=palette.muted, fontsize=11, va="center")
        else:
            glyph = {"o": "●", "s": "■", "D": "◆", "^": "▲", "v": "▼"}[SHAPES[kind]]
            figure.text(x / width, y, glyph, color=getattr(palette, kind), fontsize=10, va="center")
        figure.text((x + 14) / width, y, words, color=palette.muted, fontsize=11.5, va="center")


def _key_lines(key: Sequence[tuple[str, str]], width: float) -> list[list[tuple[float, str, str]]]:
    """The entries of the legend, each with the pixel where it begins, as many on a line as fit."""
    lines: list[list[tuple[float, str, str]]] = [[]]
    x = SIDE
    for kind, words in key:
        length = 14 + len(words) * LEGEND_LETTER
        if lines[-1] and x + length > width:
            lines.append([])
            x = SIDE
        lines[-1].append((x, kind, words))
        x += length + 16
    return lines


def tick(value: float, *, signed: bool = False) -> str:
    """As short as the number allows, with a true minus sign."""
    text = f"{abs(value):.4f}".rstrip("0").rstrip(".") or "0"
    if text == "0" or math.isclose(value, 0, abs_tol=1e-9):
        return "0"
    return ("\N{MINUS SIGN}" if value < 0 else "+" if signed else "") + text
