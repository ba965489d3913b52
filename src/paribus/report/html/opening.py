"""The top of the page: the question, its answer, what it rests on, and what a reader must not miss."""

from __future__ import annotations

from collections.abc import Iterator

from paribus.analysis import Effect, JudgedContrast
from paribus.analysis.phrases import has_own_share, scope_text, share_text
from paribus.analysis.wording import counted, percent
from paribus.outcome.outcome import Outcome
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.contrasts import answer_figures
from paribus.report.html.parts import badge, code_spans, emphasized, section, verdict_of
from paribus.report.html.words import explain_words
from paribus.report.numbers import format_duration
from paribus.report.splits import describe_runs, describe_split
from paribus.report.statements import (
    JudgedStatement,
    count_verdicts,
    headline_statements,
    is_primary,
    list_misreadings,
    list_statements,
    split_statement,
)
from paribus.report.summary import summarize_answer
from paribus.report.tables import explain_no_statement

_FEW = 3
"""More answers than this are set small, so that they can be seen at one glance."""


def page_header(outcome: Outcome) -> Markup:
    """Question and facts."""
    document = outcome.design
    untitled = f"What the runs of {document.name} say"
    title = document.question or (untitled if outcome.predictions_request is None else "What these predictions say")
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
    """The first statements, each with its verdict, its sentence and the next step, and their figure."""
    rest, number = count_without_card(outcome), len(list_statements(outcome))
    verdicts = f"{counted(number, 'comparison')}, read for the first of each pair: {count_verdicts(outcome)}."
    all_of_them = tag("p", verdicts, class_="count")
    more = tag("p", tag("a", f"{counted(rest, 'further comparison')} below", href="#contrasts"), class_="more")
    return tag(
        "section",
        tag("h2", "The answer"),
        [_summary(outcome), all_of_them] if number > 1 else None,
        statement_cards(outcome),
        more if rest else None,
        answer_figures(outcome),
        explain_words(outcome),
        id="answer",
    )


def _summary(outcome: Outcome) -> Markup | None:
    """The answer in one sentence; the only card of a single statement is that sentence already."""
    summary = summarize_answer(outcome)
    return None if summary is None else tag("p", emphasized(*summary), class_="summary")


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
    return tag(
        "aside",
        tag("h3", "Notes on the runs"),
        tag("ul", [tag("li", code_spans(note)) for note in outcome.notes]),
        id="notes",
    )


def misreadings_section(outcome: Outcome) -> Markup | None:
    """Where a quick reading and the evidence differ."""
    misreadings = list_misreadings(outcome)
    if not misreadings:
        return None
    parts = [tag("div", tag("h3", misreading.title), tag("p", misreading.text)) for misreading in misreadings]
    return section("readings", "Where a quick reading goes wrong", tag("div", parts, class_="readings"))


def _card(statement: JudgedStatement) -> Markup:
    verdict = verdict_of(statement.comparison)
    names = (statement.a, statement.b) if isinstance(statement, JudgedContrast) else _levels(statement)
    first = tag("span", "primary", class_="primary") if is_primary(statement) else None
    verdict_line = tag("div", badge(verdict), " " if first else None, first)
    lead, rest, step = split_statement(statement)
    sentence: list[Child] = [
        tag("b", emphasized(lead.removesuffix(":"), names), _colon(lead), class_="lead"),
        [" ", tag("span", emphasized(_without_share(rest, statement), names), class_="evidence")] if rest else None,
        [" ", tag("span", emphasized(step, names), class_="step")] if step else None,
    ]
    return tag("div", verdict_line, tag("p", sentence), class_=f"card {verdict}")


def _without_share(evidence: str, statement: JudgedStatement) -> str:
    """The numbers of a statement without its share of the error, which the methods and the whole sentence say."""
    if statement.comparison is None or not has_own_share(statement.comparison):
        return evidence
    divided = f"p / {statement.comparison.share:.3g}"
    evidence = evidence.replace(f", {share_text(statement.comparison)})", ")", 1)
    return evidence.replace(f" ({divided})", "", 1).replace(f"({divided}, ", "(", 1)


def _colon(lead: str) -> Markup | None:
    """The colon between what holds and its numbers: not drawn, as they are on lines of their own."""
    return tag("span", ":", class_="colon") if lead.endswith(":") else None


def _levels(effect: Effect) -> list[str]:
    """The factors, and each with its levels, as the sentence writes them."""
    pairs = zip(effect.factors, effect.levels, strict=True)
    return [*effect.factors, *(f"{factor} {level}" for factor, levels in pairs for level in levels)]


def _facts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    runs = [run for arm in outcome.arms for run in arm.runs]
    yield "Runs", describe_runs(outcome)
    if (request := outcome.predictions_request) is not None:
        groups = "" if request.groups is None else f" in {request.groups:,} groups"
        yield "Data", f"{request.source}, {request.examples:,} test examples{groups}"
    else:
        data, epochs = outcome.data, counted(outcome.document.protocol.epochs, "epoch")
        yield "Data", f"{data.name}, {describe_split(outcome)}"
        spent = format_duration(sum(run.seconds for run in runs))
        yield "Training", f"{epochs}; {spent}, added up over the runs"
    known = [(item.comparison, item.metric) for item in list_statements(outcome) if item.comparison is not None]
    if known and any(comparison.low is not None for comparison, _ in known):
        scopes = dict.fromkeys(scope_text(comparison.scope, metric) for comparison, metric in known)
        yield "Claims", f"{', '.join(scopes)}, all at once with {percent(known[0][0].level)} confidence"
    elif max((len(arm.scored) for arm in outcome.arms), default=0) > 1:
        yield "Claims", "none: no contrast is judged"
    else:
        yield "Claims", "none: one seed cannot show a difference"
