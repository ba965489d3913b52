"""The top of the page: the question, its answer, what it rests on, and what a reader must not miss."""

from __future__ import annotations

from collections.abc import Iterator

from paribus.analysis import Effect, JudgedContrast
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.analysis.wording import counted, percent
from paribus.outcome.outcome import Outcome
from paribus.report.html.build import Markup, tag
from paribus.report.html.parts import badge, section, sentence_paragraph, verdict_of
from paribus.report.numbers import format_duration
from paribus.report.statements import list_misreadings
from paribus.report.tables import explain_no_statement

_MOST = 8
"""ArmTestAnswers at the top; all of them stand in their section."""

_FEW = 3
"""More answers than this are set small, so that they can be seen at one glance."""


def page_header(outcome: Outcome) -> Markup:
    """Question and facts."""
    document = outcome.document
    title = document.question or f"What the runs of {document.name} say"
    return tag(
        "header",
        tag("p", "Study ", tag("b", document.name), class_="kicker"),
        tag("h1", title),
        tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in _facts(outcome)], class_="facts"),
    )


def answer_section(outcome: Outcome) -> Markup:
    """The verdicts of what was declared, each with its sentence."""
    rest = count_without_card(outcome)
    more = tag("p", tag("a", f"{counted(rest, 'further comparison')} below", href="#contrasts"), class_="more")
    return tag("section", tag("h2", "The answer"), statement_cards(outcome), more if rest else None, id="answer")


def statement_cards(outcome: Outcome) -> Markup:
    """The first answers, a card each; or why there is none."""
    found = [_card(item) for item in headline_statements(outcome)]
    if not found:
        found = [tag("div", tag("p", explain_no_statement(outcome)), class_="card undecided")]
    return tag("div", found, class_="many" if len(found) > _FEW else None)


def count_without_card(outcome: Outcome) -> int:
    """How many answers have no card."""
    return len(outcome.contrasts) + len(outcome.effects) - len(headline_statements(outcome))


def notes_box(outcome: Outcome) -> Markup | None:
    """What bounds the results: runs that diverged, failed or are missing, environments that differ."""
    if not outcome.notes:
        return None
    return tag("aside", tag("h3", "Notes on the runs"), tag("ul", [tag("li", note) for note in outcome.notes]))


def misreadings_section(outcome: Outcome) -> Markup | None:
    """Where a usual reading and the test_answers differ."""
    found = list_misreadings(outcome)
    if not found:
        return None
    parts = [tag("div", tag("h3", reading.title), tag("p", reading.text)) for reading in found]
    return section("readings", "Where a quick reading goes wrong", tag("div", parts, class_="readings"))


def headline_statements(outcome: Outcome) -> tuple[JudgedContrast | Effect, ...]:
    """A factorial study's effects, else the contrasts written out in the study, else the first of all pairs."""
    written = outcome.contrasts[: len(outcome.document.contrasts)]
    return outcome.effects[:_MOST] or written[:_MOST] or outcome.contrasts[:_MOST]


def _card(item: JudgedContrast | Effect) -> Markup:
    verdict = verdict_of(item.comparison)
    if isinstance(item, JudgedContrast):
        sentence = sentence_paragraph(contrast_sentence(item), (item.a, item.b))
    else:
        sentence = sentence_paragraph(effect_sentence(item), _levels(item))
    return tag("div", badge(verdict), sentence, class_=f"card {verdict}")


def _levels(effect: Effect) -> list[str]:
    """The factors, and each with its levels, as the sentence writes them."""
    pairs = zip(effect.factors, effect.levels, strict=True)
    return [*effect.factors, *(f"{factor} {level}" for factor, levels in pairs for level in levels)]


def _facts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    data, comparison = outcome.data, outcome.document.comparison
    runs = [run for arm in outcome.arms for run in arm.runs]
    seeds = sorted({len(arm.scored) for arm in outcome.arms}) or [0]
    each = counted(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    yield "Runs", f"{counted(len(outcome.arms), 'arm')} × {each}"
    yield "Data", f"{data.name}, {data.train:,} training and {data.test:,} test examples"
    yield (
        "Training",
        f"{counted(outcome.document.protocol.epochs, 'epoch')}, {format_duration(sum(r.seconds for r in runs))} in all",
    )
    if seeds[-1] > 1:
        yield "Claims", f"on {comparison.scope}, {percent(comparison.level)} intervals"
    else:
        yield "Claims", "none: one seed tells nothing apart"
