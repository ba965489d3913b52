"""Two arms side by side, of the runs up to the last look, made of the parts of the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from paribus.analysis import JudgedContrast
from paribus.dashboard.settings import arm_differences
from paribus.dashboard.studies import Answer
from paribus.dashboard.unstyled import without_styles
from paribus.outcome.outcome import Outcome
from paribus.report.answers import MissingAnswers, StudyAnswers, read_answers
from paribus.report.html.build import Child, Markup, join, tag
from paribus.report.html.classes import calibration_section, classes_section
from paribus.report.html.contrasts import answer_figures, contrasts_section
from paribus.report.html.examples import explain_features, flips_between
from paribus.report.html.parts import badge, section, sentence_paragraph, table, verdict_of
from paribus.report.statements import state

MOST_SETTINGS = 200
"""The largest number of settings that are listed."""


def comparison_sections(answer: Answer, a: str, b: str) -> Markup:
    """The parts of the page.

    Args:
        answer: the study's answer up to the last look: nothing else is read.
        a: an arm of the study.
        b: another one.

    Raises:
        StoreError: a run's answers are damaged.
    """
    outcome = _of_pair(answer.outcome, a, b)
    declared = next(((statement.a, statement.b) for statement in outcome.contrasts), (a, b))
    turned = (
        tag("p", f"The study compares {b} with {a}: differences are {b} minus {a}.") if declared == (b, a) else None
    )
    a, b = declared
    waiting = _waiting(answer, a, b)
    parts: list[Child] = [
        section("verdicts", "Verdicts", turned, _verdicts(outcome, waiting, a, b)),
        section("settings", "What differs in their configuration", _settings(outcome, a, b)),
    ]
    unseen = [name for name in (a, b) if not answer.moments.seeds.get(name)]
    if unseen:
        text = (
            f"Before its first look nothing that was measured on the test split is displayed of {' and '.join(unseen)}."
        )
        return join([*parts, section("examples", "Examples that decide", tag("p", text))])
    answers = read_answers(outcome)
    # Examples that tell the arms apart are their paired difference: it waits for the same look as the verdict.
    return without_styles(
        join(
            [
                *parts,
                contrasts_section(outcome) if outcome.contrasts else None,
                _examples(answers, waiting, a, b),
                classes_section(answers),
                calibration_section(answers),
            ]
        )
    )


def first_pair(written: Iterable[tuple[str, str]], arms: Sequence[str]) -> tuple[str, str]:
    """The pair of arms to begin with: of the first contrast that the study writes out, else its first two arms.

    Args:
        written: the two arms of each contrast that the study writes out.
        arms: the names of the arms that can be compared, at least two.

    Returns:
        The names of the two arms.
    """
    pairs = ((a, b) for a, b in written if {a, b} <= {*arms})
    return next(pairs, (arms[0], arms[1]))


def _of_pair(outcome: Outcome, a: str, b: str) -> Outcome:
    """The outcome without other arms and statements; verdicts stay as they are, of the whole study's family."""
    arms = tuple(arm for arm in outcome.arms if arm.name in (a, b))
    contrasts = tuple(contrast for contrast in outcome.contrasts if {contrast.a, contrast.b} == {a, b})
    return replace(outcome, arms=arms, contrasts=contrasts, effects=())


def _waiting(answer: Answer, a: str, b: str) -> list[str]:
    """What the statements about these two arms wait for that were never judged."""
    return [
        answer.moments.waiting[statement.key][1]
        for statement in answer.outcome.statements
        if statement.contrast is not None and set(statement.arms) == {a, b} and statement.key in answer.moments.unjudged
    ]


def _verdicts(outcome: Outcome, waiting: list[str], a: str, b: str) -> list[Child]:
    parts: list[Child] = [_card(contrast) for contrast in outcome.contrasts]
    parts += [tag("p", f"No verdict yet: {reason}.") for reason in dict.fromkeys(waiting)]
    if not parts:
        command = f"paribus compare {outcome.design.name} {a} {b}"
        text = "The study declares no contrast between these arms, so there is no verdict. To ask nevertheless: "
        return [tag("p", text, tag("code", command))]
    return [*parts, *map(without_styles, filter(None, answer_figures(outcome)))]


def _card(contrast: JudgedContrast) -> Markup:
    verdict = verdict_of(contrast.comparison)
    sentence = sentence_paragraph(state(contrast), (contrast.a, contrast.b))
    return tag("div", tag("div", badge(verdict)), sentence, class_=f"card {verdict}")


def _settings(outcome: Outcome, a: str, b: str) -> list[Child]:
    differences = arm_differences(outcome.document.arms[a], outcome.document.arms[b])
    if not differences:
        return [tag("p", "Nothing: both arms are configured alike.")]
    rows: list[list[Child]] = [list(row) for row in differences[:MOST_SETTINGS]]
    caption = "Everything else is equal: data, protocol, and all settings that are not listed."
    more = len(differences) - len(rows)
    rest = tag("p", f"and {more:,} more", class_="more") if more else None
    return [table(caption, ["Setting", a, b], rows, numbers=9), rest]


def _examples(answers: StudyAnswers | MissingAnswers, waiting: list[str], a: str, b: str) -> Markup:
    title = "Examples that decide"
    if isinstance(answers, MissingAnswers):
        return section("examples", title, tag("p", f"No examples: {answers.reason}."))
    if waiting:
        return section("examples", title, tag("p", f"Not yet: {waiting[0]}."))
    parts = flips_between(answers, a, b)
    none = tag("p", "Up to the last look these arms have no seed in common.")
    return section("examples", title, explain_features(answers), parts or none)
