"""The answer of a study as a part of its page, up to the last look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from paribus.analysis import JudgedContrast
from paribus.dashboard.studies import Answer
from paribus.outcome.outcome import Outcome
from paribus.report import tables
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import badge, details, section, sentence_paragraph, table, verdict_of
from paribus.report.numbers import PrintedInterval
from paribus.report.statements import JudgedStatement, primary_first, state

MOST_CARDS: Final = 3
"""Statements beside the primary ones that are not folded."""

NOT_YET: Final = tag(
    "p",
    "This is computed from the stored runs, and appears here as soon as it is ready.",
    tag("noscript", " Load the page again in some seconds."),
    role="status",
    data_again="yes",
)
"""In the place of what is still computed; the page asks again."""


def answer_section(answer: Answer | None, problem: str) -> Markup | None:
    """The verdicts of a study with their sentences, what waits for a look, and the table of arms.

    Args:
        answer: its answer; None for candidates and noise runs, which have no such part.
        problem: why there is no answer, a sentence; empty where there is one.
    """
    if problem:
        return section("answer", "Answer so far", tag("p", problem))
    if answer is None:
        return None
    outcome = answer.outcome
    parts = _cards(primary_first((*outcome.contrasts, *outcome.effects)))
    if answer.moments.waiting:
        parts.append(_waiting(answer))
    if any(answer.moments.seeds.values()):
        parts += [tag("h3", "Arms, over the seeds up to the last look"), _arms(outcome)]
        if outcome.notes:
            parts.append(tag("aside", tag("h3", "Notes"), tag("ul", [tag("li", note) for note in outcome.notes])))
    title = "Answer so far" if answer.moments.waiting else "Answer"
    return section("answer", title, parts or tag("p", "This study declares nothing to be judged."))


def _cards(statements: Sequence[JudgedStatement]) -> list[Child]:
    """The primary statements; the others folded, where they are many."""
    primary = [one for one in statements if one.comparison is not None and one.comparison.primary]
    others = [one for one in statements if one not in primary]
    if not primary or len(others) <= MOST_CARDS:
        return [_card(statement) for statement in statements]
    return [
        *(_card(statement) for statement in primary),
        details(f"{len(others)} other statements", [_card(statement) for statement in others]),
    ]


def _waiting(answer: Answer) -> Markup:
    items = [tag("li", tag("b", name), f": {reason}") for name, reason in answer.moments.waiting.values()]
    return tag(
        "aside",
        tag("h3", "Waiting for a look"),
        tag(
            "p",
            "Between looks this page shows no test measure of a later run, and no verdict on it: whoever watches an "
            "answer change and stops at the one they like errs more often than the study promises.",
        ),
        tag("ul", items),
    )


def _card(statement: JudgedStatement) -> Markup:
    verdict = verdict_of(statement.comparison)
    names = (statement.a, statement.b) if isinstance(statement, JudgedContrast) else ()
    return tag("div", tag("div", badge(verdict)), sentence_paragraph(state(statement), names), class_=f"card {verdict}")


def _arms(outcome: Outcome) -> Markup:
    arms = tables.arm_table(outcome)
    return table(arms.caption, arms.head, [[_cell(cell) for cell in row] for row in arms.rows])


def _cell(cell: tables.Cell) -> Child:
    if not isinstance(cell, PrintedInterval):
        return cell
    return [cell.value, [tag("br"), tag("small", cell.limits)] if cell.limits else None]
