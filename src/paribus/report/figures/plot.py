"""A figure before it is drawn, and how it becomes a file or a part of a page. No global state of Matplotlib is used."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from paribus.report.figures.palette import LIGHT, MARKED, Palette
from paribus.report.figures.svg import inline_svg

DPI = 72
"""One pixel of a page is one point of a figure."""

LEGEND_LETTER = 7.0
"""Pixels for a letter of a legend (11.5 points): as wide as a monospaced font's, which some machines draw pages in."""

_LOCK = threading.Lock()
_SETTINGS = {
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    # A name with dollar signs is a name, not a formula.
    "text.parse_math": False,
}


@dataclass(frozen=True, slots=True)
class Plot:
    """What to draw, and what it shows in words.

    Attributes:
        name: its file name, without a suffix.
        alt: what a reader who cannot see it must know.
        width: in pixels, which are points on paper.
        height: likewise.
        draw: puts it on a figure (or a part of one) in the colours of a palette.
    """

    name: str
    alt: str
    width: float
    height: float
    draw: Callable[[Any, Palette], None]


def to_svg(plot: Plot) -> str:
    """An ``<svg>`` element for a page: colours are the page's, text is text."""
    with _drawn(plot, MARKED) as figure:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return inline_svg(buffer.getvalue(), plot.name, plot.alt)


def to_bytes(plot: Plot, kind: str) -> bytes:
    """A file for a paper, always on white and without a date.

    Args:
        plot: the figure.
        kind: ``pdf``, ``png`` (216 dots per inch) or ``svg``.
    """
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}[kind]
    with _drawn(plot, LIGHT) as figure:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=3 * DPI, facecolor=LIGHT.surface, metadata=metadata)
    return buffer.getvalue()


def join_plots(name: str, alt: str, plots: Sequence[Plot], columns: int) -> Plot:
    """Several plots of one size on one figure, row by row.

    Args:
        name: the name of the figure.
        alt: its text alternative.
        plots: the plots.
        columns: how many are in a row.
    """
    rows = math.ceil(len(plots) / columns)
    width, height = plots[0].width, plots[0].height

    def draw(figure: Any, palette: Palette) -> None:
        cells = figure.subfigures(rows, columns, squeeze=False, wspace=0, hspace=0).ravel()
        for cell in cells:
            cell.set_facecolor("none")
        for cell, plot in zip(cells, plots, strict=False):
            plot.draw(cell, palette)

    return Plot(name, alt, width * columns, height * rows, draw)


def add_axes(figure: Any, plot: tuple[float, float], left: float, right: float, top: float, bottom: float) -> Any:
    """Axes without a box, with margins.

    Args:
        figure: Matplotlib's figure.
        plot: its width and height in pixels.
        left: the margin in pixels; so are the others.
        right: likewise.
        top: likewise.
        bottom: likewise.
    """
    width, height = plot
    made = figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height))
    made.patch.set_alpha(0)
    for spine in made.spines.values():
        spine.set_visible(False)
    return made


@contextmanager
def _drawn(plot: Plot, palette: Palette) -> Iterator[Figure]:
    """Matplotlib reads some settings when it writes; they are put back, and no other thread draws in between."""
    with _LOCK, mpl.rc_context():
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update(_SETTINGS | {"svg.hashsalt": plot.name})
        figure = Figure(figsize=(plot.width / DPI, plot.height / DPI), dpi=DPI)
        plot.draw(figure, palette)
        yield figure
