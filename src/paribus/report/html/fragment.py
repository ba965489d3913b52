"""The answer as a piece of HTML for a notebook's output: verdicts, one figure, the table of arms.

There is no script in it and no outside part. Its style touches nothing outside it, follows the notebook's own theme
(not the desk's), and leaves plain tables and sentences where a viewer strips styles.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from paribus.analysis import JudgedContrast
from paribus.analysis.sentences import contrast_sentence
from paribus.analysis.wording import counted
from paribus.outcome.outcome import Outcome
from paribus.report import tables
from paribus.report.figures.arm_measures import draw_metric
from paribus.report.figures.palette import DARK, LIGHT, declarations
from paribus.report.html import opening
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import badge, sentence_paragraph, svg, table, verdict_of
from paribus.report.numbers import PrintedInterval
from paribus.report.statements import list_metrics

WIDTH = 720.0

_DARK_THEMES = ('[data-jp-theme-light="false"] .paribus', ".vscode-dark .paribus", '[data-theme="dark"] .paribus')
"""How JupyterLab, VS Code and static pages of notebooks say that they are dark."""

_AS_THE_DESK = '@media(prefers-color-scheme:dark){[data-theme="auto"] .paribus'
"""How static pages say that they follow the desk."""


def outcome_fragment(outcome: Outcome) -> str:
    """Verdicts, figure and table of a study's answer, for the output of a notebook.

    Args:
        outcome: what the study's runs say.
    """
    document, rest = outcome.design, opening.count_without_card(outcome)
    more = tag("p", f"and {counted(rest, 'further comparison')}", class_="more") if rest else None
    body = tag(
        "div",
        tag("style", Markup(style())),
        tag("h3", document.question or document.name),
        opening.statement_cards(outcome),
        more,
        _figure(outcome),
        _arms(outcome),
        tag("ul", [tag("li", note) for note in outcome.notes]) if outcome.notes else None,
        class_="paribus",
    )
    return body.text


def contrast_fragment(contrast: JudgedContrast) -> str:
    """One contrast: its verdict and its sentence."""
    verdict = verdict_of(contrast.comparison)
    sentence = sentence_paragraph(contrast_sentence(contrast), (contrast.a, contrast.b))
    card = tag("div", badge(verdict), sentence, class_=f"card {verdict}")
    return tag("div", tag("style", Markup(style())), card, class_="paribus").text


def _figure(outcome: Outcome) -> Markup | None:
    plot = draw_metric(outcome, list_metrics(outcome)[0], WIDTH)
    if plot is None:
        return None
    runs = ",".join(run.fingerprint for arm in outcome.arms for run in arm.runs)
    # A page may have several outputs: identifiers must differ where drawings do.
    return tag("figure", svg(plot, hashlib.sha256(runs.encode()).hexdigest()[:8]))


def _arms(outcome: Outcome) -> Markup:
    table_of_arms = tables.arm_table(outcome)
    return table(
        table_of_arms.caption, table_of_arms.head, [[_cell(cell) for cell in row] for row in table_of_arms.rows]
    )


def _cell(cell: tables.Cell) -> Child:
    if not isinstance(cell, PrintedInterval):
        return cell
    return [cell.value, [tag("br"), tag("small", cell.limits)] if cell.limits else None]


def style() -> str:
    """The style of a fragment, which begins with an element of class ``paribus``."""
    css = files(__package__).joinpath("fragment.css").read_text(encoding="utf-8")
    dark = ",".join(_DARK_THEMES)
    night = declarations(DARK)
    return f".paribus{{{declarations(LIGHT)}}}{dark}{{{night}}}{_AS_THE_DESK}{{{night}}}}}{css}"
