"""The recurring parts of a page: sections, figures, tables, verdicts, sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from paribus.analysis import Comparison, Verdict
from paribus.report.figures.plot import Plot, to_svg
from paribus.report.html.build import Child, Markup, join, tag

WIDE, NARROW = 760.0, 350.0
"""Widths of figures in pixels: for a desk and for a phone."""

_LETTERS = 94
"""About so many letters fit beside each other in a table on a desk."""

_NARROWEST = 11
"""A column is as wide as so many letters at least: ``98.31 ±0.42``."""

_SCOPES = "on new data(?: and new training sets| with these training sets)?|on this (?:test|training) set"
"""Words of a sentence in which an arm of the name ``new`` or ``test`` is not meant."""

SIGNS = {Verdict.BETTER: "▲", Verdict.WORSE: "▼", Verdict.EQUIVALENT: "=", Verdict.UNDECIDED: "?"}


def section(anchor: str, title: str, *children: Child) -> Markup:
    """A part of the page with its heading.

    Args:
        anchor: its identifier, to which links lead.
        title: the heading.
        *children: what it holds.
    """
    return tag(
        "section", tag("h2", title, id=f"{anchor}-title"), children, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def wide_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Child]], *, names: int = 1) -> list[Markup]:
    """A table with a column for each arm or metric: as many tables as it takes for all columns to fit a page.

    Args:
        caption: of the first table; the others say that they go on.
        head: the headings.
        rows: the cells.
        names: so many first columns are in every table.

    Returns:
        The tables, one after the other.
    """
    made = []
    for number, columns in enumerate(_columns_that_fit(head, names)):
        places = [*range(names), *columns]
        title = caption if number == 0 else f"{caption} (continued)"
        made.append(table(title, [head[place] for place in places], [[row[place] for place in places] for row in rows]))
    return made


def _columns_that_fit(head: Sequence[str], names: int) -> list[list[int]]:
    widths = [max([_NARROWEST, *map(len, heading.split())]) + 2 for heading in head]
    tables: list[list[int]] = [[]]
    used = start = sum(widths[:names])
    for place in range(names, len(head)):
        if tables[-1] and used + widths[place] > _LETTERS:
            tables.append([])
            used = start
        tables[-1].append(place)
        used += widths[place]
    return tables


def folded_section(anchor: str, title: str, summary: str, *children: Child) -> Markup:
    """A long part of the page, folded: its heading and one line say what unfolds.

    Args:
        anchor: its identifier, to which links lead.
        title: the heading.
        summary: the line.
        *children: what unfolds.
    """
    head = tag("summary", tag("h2", title, id=f"{anchor}-title"), tag("span", summary, class_="teaser"))
    body = tag("details", head, children)
    return tag("section", body, id=anchor, aria_labelledby=f"{anchor}-title", class_="fold")


def code_spans(text: str) -> list[Child]:
    """Text whose parts between backticks are code."""
    return [tag("code", part) if index % 2 else part for index, part in enumerate(text.split("`"))]


def responsive_figure(make: Callable[[float], Plot | None], caption: Child = None) -> Markup | None:
    """A figure drawn for a desk and for a phone; a page shows the one that fits. None where there is nothing to draw.

    Args:
        make: draws the figure for a width in pixels.
        caption: the text below it.
    """
    wide, narrow = make(WIDE), make(NARROW)
    if wide is None or narrow is None:
        return None
    return tag(
        "figure",
        tag("div", svg(wide, "wide"), class_="wide"),
        tag("div", svg(narrow, "narrow"), class_="narrow"),
        tag("figcaption", caption) if caption else None,
    )


def panel_grid(plots: Sequence[Plot], caption: Child) -> Markup | None:
    """Small figures side by side, below each other on a phone; None without any.

    Args:
        plots: the figures.
        caption: the text below them.
    """
    if not plots:
        return None
    return tag("figure", tag("div", [svg(plot) for plot in plots], class_="panels"), tag("figcaption", caption))


def svg(plot: Plot, suffix: str = "") -> Markup:
    """The drawing, with identifiers that no other one on the page has.

    Args:
        plot: the figure.
        suffix: distinguishes drawings of one figure.
    """
    name = f"{plot.name}-{suffix}" if suffix else plot.name
    return Markup(to_svg(Plot(name, plot.alt, plot.width, plot.height, plot.draw)))


def table(caption: Child, head: Sequence[Child], rows: Sequence[Sequence[Child]], *, numbers: int = 1) -> Markup:
    """A table whose first column names the rows.

    It is inside a box that scrolls, as its content may be wider than any page. On a phone a table of more than two
    columns turns each row into a block, in which each cell has its heading beside it (decision record 0077).

    Args:
        caption: the text above it.
        head: the headings.
        rows: the cells, as many in a row as there are headings.
        numbers: the index of the first column of numbers, which are set right.
    """
    labels = [_plain(join(heading).text) for heading in head]
    classes = ["n" if index >= numbers else None for index in range(len(head))]
    header = [tag("th", cell, scope="col", class_=kind) for cell, kind in zip(head, classes, strict=True)]
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            [
                tag("td", tag("span", cell), class_=kind, data_label=label)
                for cell, kind, label in zip(row[1:], classes[1:], labels[1:], strict=True)
            ],
        )
        for row in rows
    ]
    inner = tag(
        "table",
        tag("caption", tag("span", caption)),
        tag("thead", tag("tr", header)),
        tag("tbody", body),
        class_="blocks" if len(head) > 2 else None,
    )
    return tag("div", inner, class_="scroll", role="region", tabindex=0, aria_label=_plain(join(caption).text))


def details(summary: Child, *children: Child, open_: bool = False) -> Markup:
    """A part that the reader unfolds.

    Args:
        summary: what is seen of it.
        *children: what unfolds.
        open_: whether it is unfolded at first.
    """
    return tag("details", tag("summary", summary), children, open=open_)


def verdict_of(comparison: Comparison | None) -> Verdict:
    """The verdict; undecided where there is nothing to compare."""
    return comparison.verdict if comparison else Verdict.UNDECIDED


def badge(verdict: Verdict) -> Markup:
    """The verdict as a word with its sign."""
    return tag("span", tag("span", SIGNS[verdict], aria_hidden="true"), f" {verdict}", class_=f"badge {verdict}")


def sentence_paragraph(sentence: str, names: Sequence[str]) -> Markup:
    """A sentence with its names in bold and true minus signs."""
    return tag("p", emphasized(sentence, names))


def emphasized(sentence: str, names: Sequence[str]) -> Child:
    """Text with names in bold and true minus signs.

    Args:
        sentence: the text.
        names: the names, such as those of arms.
    """
    return list(_emphasized(re.sub(r"(?<=[\s(])-(?=\d)", "\N{MINUS SIGN}", sentence), names))


def legend(*entries: tuple[str, str]) -> Markup:
    """What the marks of a figure mean: pairs of a colour's name and words."""
    return tag(
        "span", [tag("span", tag("i", class_=f"swatch {kind}"), words) for kind, words in entries], class_="keys"
    )


def _emphasized(text: str, names: Sequence[str]) -> Iterator[Child]:
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    end = 0
    for match in re.finditer(rf"(?:{_SCOPES})|(?<![\w.-])(?P<name>{pattern})(?![\w-])", text) if names else ():
        if match["name"] is None:
            continue
        yield text[end : match.start()]
        yield tag("b", match[0])
        end = match.end()
    yield text[end:]


def _plain(markup: str) -> str:
    return re.sub(r"<[^>]*>", "", markup).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
