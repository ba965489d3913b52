"""The page: one HTML file without any outside part, for light and dark, desk and phone, screen and paper."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files

from paribus.outcome.outcome import Outcome
from paribus.report.answers import StudyAnswers, read_answers
from paribus.report.figures.palette import DARK, LIGHT, declarations
from paribus.report.html import arms, classes, closing, contrasts, curves, examples, opening
from paribus.report.html.build import Markup, tag
from paribus.report.html.spaces import keep_together
from paribus.report.runs_block import render_runs_block
from paribus.version import __version__

_TITLE = re.compile(r'<(?:section|aside) [^>]*?id="([a-z]+)"[^>]*>(?:<details><summary>)?<h[23][^>]*>(.*?)</h[23]>')


def render_page(outcome: Outcome) -> str:
    """The whole report as one HTML file.

    Args:
        outcome: the outcome.

    Raises:
        StoreError: a run's answers are damaged.
    """
    main = [Markup(keep_together(part.text)) for part in _sections(outcome) if part is not None]
    header = Markup(keep_together(opening.page_header(outcome).text))
    body = tag(
        "body",
        tag("a", "To the answer", href="#answer", class_="skip"),
        tag(
            "div",
            tag("nav", tag("button", "Light / dark", type="button", id="theme", hidden=True), _contents(main, "aside")),
            tag("main", header, _folded_contents(main), main, _footer()),
            class_="page",
        ),
        Markup(render_runs_block(outcome) if outcome.predictions_request is None else ""),
        tag("script", Markup(_asset("page.js"))),
    )
    return f"<!doctype html>\n{tag('html', _head(outcome), body, lang='en').text}\n"


def _sections(outcome: Outcome) -> Iterator[Markup | None]:
    yield opening.answer_section(outcome)
    yield opening.notes_box(outcome)
    yield contrasts.effects_section(outcome)
    yield arms.arms_section(outcome)
    yield arms.tuning_section(outcome)
    yield opening.misreadings_section(outcome)
    yield contrasts.contrasts_section(outcome)
    yield curves.curves_section(outcome)
    yield arms.gap_section(outcome)
    yield closing.noise_section(outcome.noise)
    test_answers = read_answers(outcome)
    yield examples.examples_section(outcome, test_answers)
    yield classes.classes_section(test_answers)
    yield classes.calibration_section(test_answers)
    yield closing.methods_section(outcome, calibration=isinstance(test_answers, StudyAnswers))
    yield closing.runs_section(outcome)
    yield closing.networks_section(outcome)
    yield closing.repeat_section(outcome)


def _head(outcome: Outcome) -> Markup:
    script = base64.b64encode(hashlib.sha256(_asset("page.js").encode()).digest()).decode()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"paribus {__version__}"),
        tag("title", f"{outcome.design.name}: {outcome.design.question or 'report'}"),
        tag("style", Markup(_style())),
    )


def _style() -> str:
    """The palette first, so that the page and its figures have the same colours."""
    dark = f"color-scheme:dark;{declarations(DARK)}"
    return (
        f":root{{color-scheme:light;{declarations(LIGHT)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}"
        f"{_asset('page.css')}"
    )


def _contents(main: list[Markup], kind: str) -> Markup:
    headings = [match for part in main for match in _TITLE.findall(part.text)]
    links = [tag("li", tag("a", Markup(title), href=f"#{anchor}")) for anchor, title in headings]
    return tag("ol", links, aria_label="Contents", class_=f"contents {kind}")


def _folded_contents(main: list[Markup]) -> Markup:
    """The contents for narrow pages: folded, below the question."""
    return tag("details", tag("summary", "Contents"), _contents(main, "inside"), class_="folded")


def _footer() -> Markup:
    return tag("footer", tag("p", f"Written by paribus {__version__}. This file holds everything it shows."))


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
