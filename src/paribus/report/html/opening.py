"""The top of the page: the question, its answer, what it rests on, and what a reader must not miss."""

from __future__ import annotations

from collections.abc import Iterator

from paribus.analysis import Effect, JudgedContrast
from paribus.analysis.phrases import scope_text
from paribus.analysis.wording import counted, percent
from paribus.outcome.outcome import Outcome
from paribus.report.html.build import Markup, tag
from paribus.report.html.parts import badge, section, sentence_paragraph, verdict_of
from paribus.report.numbers import format_duration
from paribus.report.splits import describe_split
from paribus.report.statements import (
    JudgedStatement,
    is_primary,
    list_misreadings,
    list_statements,
    state,
    written_contrasts,
)
from paribus.report.tables import explain_no_statement

_MOST = 8
"""ArmTestAnswers at the top; all of them are in their section."""

_FEW = 3
"""More answers than this are set small, so that they can be seen at one glance."""


def page_header(outcome: Outcome) -> Markup:
    """Question and facts."""
    document = outcome.design
    title = document.question or f"What the runs of {document.name} say"
    return tag(
        "header",
        tag(
            "p",
            "Study " if outcome.predictions_request is None else "Predictions ",
            tag("b", document.name),
            class_="kicker",
        ),
        tag("h1", title),
        tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in _facts(outcome)], class_="facts"),
    )


def answer_section(outcome: Outcome) -> Markup:
    """The first statements, each with its verdict and its sentence."""
    rest = count_without_card(outcome)
    more = tag("p", tag("a", f"{counted(rest, 'further comparison')} below", href="#contrasts"), class_="more")
    return tag("section", tag("h2", "The answer"), statement_cards(outcome), more if rest else None, id="answer")


def statement_cards(outcome: Outcome) -> Markup:
    """A card for each of the first statements; or the reason why there is none."""
    made = [_card(statement) for statement in headline_statements(outcome)]
    if not made:
        made = [tag("div", tag("p", explain_no_statement(outcome)), class_="card undecided")]
    return tag("div", made, class_="many" if len(made) > _FEW else None)


def count_without_card(outcome: Outcome) -> int:
    """The number of statements that have no card."""
    return len(outcome.contrasts) + len(outcome.effects) - len(headline_statements(outcome))


def notes_box(outcome: Outcome) -> Markup | None:
    """What bounds the results: runs that diverged, failed or are missing, environments that differ."""
    if not outcome.notes:
        return None
    return tag("aside", tag("h3", "Notes on the runs"), tag("ul", [tag("li", note) for note in outcome.notes]))


def misreadings_section(outcome: Outcome) -> Markup | None:
    """Where a quick reading and the evidence differ."""
    misreadings = list_misreadings(outcome)
    if not misreadings:
        return None
    parts = [tag("div", tag("h3", misreading.title), tag("p", misreading.text)) for misreading in misreadings]
    return section("readings", "Where a quick reading goes wrong", tag("div", parts, class_="readings"))


def headline_statements(outcome: Outcome) -> tuple[JudgedStatement, ...]:
    """The primary statements, then a factorial study's effects, else its written contrasts, else the first pairs."""
    primary = [statement for statement in list_statements(outcome) if is_primary(statement)]
    others = [statement for statement in outcome.effects or written_contrasts(outcome) if not is_primary(statement)]
    return (*primary, *others)[:_MOST]


def _card(statement: JudgedStatement) -> Markup:
    verdict = verdict_of(statement.comparison)
    names = (statement.a, statement.b) if isinstance(statement, JudgedContrast) else _levels(statement)
    first = tag("span", "primary", class_="primary") if is_primary(statement) else None
    verdict_line = tag("div", badge(verdict), " " if first else None, first)
    return tag("div", verdict_line, sentence_paragraph(state(statement), names), class_=f"card {verdict}")


def _levels(effect: Effect) -> list[str]:
    """The factors, and each with its levels, as the sentence writes them."""
    pairs = zip(effect.factors, effect.levels, strict=True)
    return [*effect.factors, *(f"{factor} {level}" for factor, levels in pairs for level in levels)]


def _facts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    runs = [run for arm in outcome.arms for run in arm.runs]
    seeds = sorted({len(arm.scored) for arm in outcome.arms}) or [0]
    per_arm = counted(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    yield "Runs", f"{counted(len(outcome.arms), 'arm')} × {per_arm}"
    if (request := outcome.predictions_request) is not None:
        groups = "" if request.groups is None else f" in {request.groups:,} groups"
        yield "Data", f"{request.source}, {request.examples:,} test examples{groups}"
    else:
        data, epochs = outcome.data, counted(outcome.document.protocol.epochs, "epoch")
        yield "Data", f"{data.name}, {describe_split(outcome)}"
        yield "Training", f"{epochs}, {format_duration(sum(run.seconds for run in runs))} in all"
    known = [(item.comparison, item.metric) for item in list_statements(outcome) if item.comparison is not None]
    if known and any(comparison.low is not None for comparison, _ in known):
        scopes = dict.fromkeys(scope_text(comparison.scope, metric) for comparison, metric in known)
        yield "Claims", f"{', '.join(scopes)}, {percent(known[0][0].level)} for all at once"
    elif seeds[-1] > 1:
        yield "Claims", "none: no contrast is judged"
    else:
        yield "Claims", "none: one seed tells nothing apart"
