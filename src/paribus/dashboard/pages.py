"""The pages as HTML. Every text goes through ``report.html.build``, which escapes it; no page has an inline script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from paribus.dashboard.answers import NOT_YET, answer_section
from paribus.dashboard.later import Reply
from paribus.dashboard.studies import Answer, StudyProgress
from paribus.records import Status
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import section, table

STUDIES, LIVE, RUNS, COMPARE, PLAY = "Studies", "Live", "Runs", "Compare", "Playground"
_PATHS = {STUDIES: "/", LIVE: "/live", RUNS: "/runs", COMPARE: "/compare", PLAY: "/play"}
_SCRIPTS = {LIVE: ("feed.js", "live.js"), RUNS: ("feed.js", "runs.js"), PLAY: ("play.js",)}


def studies_page(studies: Sequence[StudyProgress], running: str | None) -> str:
    """The page of all studies with their progress.

    Args:
        studies: the studies.
        running: the name of the study that is computed now; None where there is none.
    """
    if not studies:
        body: Child = tag(
            "p", "Nothing is stored here yet. ", tag("code", "paribus run digits"), " takes a minute and appears here."
        )
    else:
        rows: list[list[Child]] = [
            [
                tag("a", study.label, href=_address("/study", study=study.label)),
                study.question or "",
                study.data,
                tag("progress", value=study.ended, max=max(1, study.requested), aria_label=f"{study.label}: runs"),
                f"{study.ended:,} of {study.requested:,}",
                str(study.statuses[Status.FAILED] + study.statuses[Status.DIVERGED]),
                "running" if study.label == running else "",
            ]
            for study in studies
        ]
        head = ["Study", "Question", "Data", "Progress", "Runs", "Failed or diverged", "Now"]
        number = f"{len(studies)} {'study' if len(studies) == 1 else 'studies'}"
        search = tag("input", type="search", id="filter", autocomplete="off")
        body = [
            tag("p", _labelled("Only with", search), class_="controls"),
            tag("div", table(f"{number} in this store", head, rows, numbers=9), class_="sortable"),
        ]
    return _page("Studies", tag("h1", "Studies"), body, current=STUDIES)


def study_page(progress: StudyProgress, reply: Reply[Answer], problem: str, *, is_running: bool) -> str:
    """The page of one study: question, progress, answers up to the last moment, and what waits.

    Args:
        progress: how far it is.
        reply: its answer; None for candidates and noise runs.
        problem: why there is no answer, a sentence; empty where there is one.
        is_running: whether it is computed now.
    """
    rows: list[list[Child]] = [
        [name, tag("progress", value=ended, max=max(1, asked), aria_label=f"{name}: runs"), f"{ended} of {asked}"]
        for name, (ended, asked) in progress.arms.items()
    ]
    facts = [
        ("Runs", f"{progress.ended:,} of {progress.requested:,}" + (", running now" if is_running else "")),
        ("Data", progress.data or "unknown"),
        ("Failed", str(progress.statuses[Status.FAILED])),
        ("Diverged", str(progress.statuses[Status.DIVERGED])),
    ]
    answer = reply.value
    links: list[Child] = [
        tag("a", "Learning curves", href=_address("/live", study=progress.label)),
        " · ",
        tag("a", "Runs", href=_address("/runs", study=progress.label)),
    ]
    if answer is not None and len(progress.arms) > 1:
        links += [" · ", tag("a", "Compare two arms", href=_address("/compare", study=progress.label))]
    if answer is not None and any(answer.moments.seeds.values()):
        links += [" · ", tag("a", "Save as one HTML file", href=_address("/report", study=progress.label))]
    header = tag(
        "header",
        tag("p", "Study ", tag("b", progress.label), class_="kicker"),
        tag("h1", progress.question or progress.label),
        tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts], class_="facts"),
    )
    return _page(
        progress.label,
        header,
        _later(
            reply,
            lambda: [tag("p", links, class_="screen-only"), answer_section(answer, problem)],
            [tag("p", links, class_="screen-only"), section("answer", "Answer so far", NOT_YET)],
        ),
        section(
            "progress", "Progress by arm", table("Runs that have ended, by arm", ["Arm", "Progress", "Runs"], rows)
        ),
        _failures(progress),
        current=STUDIES,
    )


def live_page(labels: Sequence[str]) -> str:
    """The page of the learning curves; its script draws them.

    Args:
        labels: the names of the studies.
    """
    choice = tag("select", [tag("option", label, value=label) for label in labels], id="study")
    controls = tag(
        "div",
        _labelled("Study", choice),
        _labelled("Group by", tag("select", tag("option", "arm", value=""), id="group")),
        _labelled("Smoothing", tag("input", type="range", id="smooth", min=0, max=9, step=1, value=0)),
        tag("label", tag("input", type="checkbox", id="seeds"), " a line for each seed"),
        tag("label", tag("input", type="checkbox", id="log"), " losses on a log scale"),
        class_="controls",
    )
    return _page(
        "Live",
        tag("h1", "Learning curves"),
        tag(
            "p",
            "Mean over the seeds; the band is from the lowest to the highest seed. All curves are measured while "
            "training: fit values are running means in training mode, val values are of the validation split. Nothing "
            "here is measured on the test split.",
        ),
        controls,
        tag("fieldset", tag("legend", "Arms"), tag("div", id="arms"), id="toggles"),
        tag("p", "", id="state", role="status"),
        tag("div", id="charts"),
        section("workers", "Workers", tag("div", id="worker-list")),
        section("problems", "Failed, diverged and repeated", tag("ul", id="problem-list")),
        tag("noscript", tag("p", "This page draws with a script.")),
        current=LIVE,
    )


def runs_page(labels: Sequence[str]) -> str:
    """The page of the runs of a study; its script fills the table.

    Args:
        labels: the names of the studies.
    """
    choice = tag("select", [tag("option", label, value=label) for label in labels], id="study")
    return _page(
        "Runs",
        tag("h1", "Runs"),
        tag(
            "p",
            "Every run that has ended or trains now, with what its last epoch measured while training. Nothing here is "
            "measured on the test split. Headings sort; several words keep the runs that have all of them.",
        ),
        tag(
            "div",
            _labelled("Study", choice),
            _labelled("Only with", tag("input", type="search", id="only", autocomplete="off")),
            tag("span", _labelled("Sort by", tag("select", id="sort")), class_="narrow"),
            class_="controls",
        ),
        tag("p", "", id="count", role="status"),
        tag("div", id="rows", class_="scroll sorts", role="region", tabindex=0, aria_label="Runs"),
        tag("p", tag("button", "Show 1,000 more", type="button", id="more", hidden=True), class_="controls"),
        tag("noscript", tag("p", "This page is filled by a script.")),
        current=RUNS,
    )


def compare_page(
    labels: Sequence[str], label: str | None, arms: Sequence[str], pair: tuple[str, str] | None, content: Reply[Any]
) -> str:
    """Two arms of a study side by side.

    Args:
        labels: the studies to choose from.
        label: the one that is looked at; None where there is none.
        arms: its arms.
        pair: the two that are compared; None where there are no two.
        content: the comparison, or why there is none.
    """
    forms = [tag("form", _labelled("Study", _choice("study", labels, label)), _SHOW, class_="controls")]
    if pair is not None and label is not None:
        of_study = tag("input", type="hidden", name="study", value=label)
        choices = [_labelled(text, _choice(name, arms, arm)) for text, name, arm in zip(_ARMS, "ab", pair, strict=True)]
        forms.append(tag("form", of_study, choices, _SHOW, class_="controls"))
    part = _later(content, lambda: content.value)
    return _page("Compare", tag("h1", "Two arms side by side"), forms, part, current=COMPARE)


def play_page(labels: Sequence[str], label: str | None, rows: Reply[Any]) -> str:
    """Where the networks of a study are asked; the script fills it in.

    Args:
        labels: the studies to choose from.
        label: the one that is asked; None where there is none.
        rows: for a table, the rows that arms disagree on.
    """
    title = tag("h1", "Ask the networks")
    if label is None:
        return _page("Playground", title, tag("p", "No study with networks is stored here yet."), current=PLAY)
    file = tag("input", type="file", id="file", accept=".png,.jpg,.jpeg,.webp,.bmp")
    canvas = tag("canvas", id="paper", width=280, height=280, tabindex=0, role="img", aria_label=_PAPER)
    drawing = tag(
        "div",
        tag(
            "div",
            tag("div", canvas, tag("i", "", id="pen", hidden=True), class_="paper"),
            tag("p", tag("small", "With the keyboard: arrow keys move the pen, the space bar lowers and lifts it.")),
            tag("p", tag("button", "Clear", type="button", id="clear"), class_="controls"),
            tag("p", _labelled("or a file:", file)),
        ),
        tag(
            "div",
            tag("h2", "What the networks see"),
            tag("div", id="seen"),
            tag("ul", id="prepared", class_="more"),
            tag("h2", "Nearest training examples"),
            tag("ul", id="nearest", class_="gallery"),
        ),
        id="drawing",
        hidden=True,
    )
    return _page(
        "Playground",
        title,
        tag("form", _labelled("Study", _choice("study", labels, label)), _SHOW, class_="controls"),
        tag("p", "Reading the networks: the first answer takes some seconds.", id="status", role="status"),
        drawing,
        tag("form", id="row", hidden=True),
        section(
            "replies", "What every arm answers", tag("p", _BARS), tag("div", id="answers"), tag("div", id="left-out")
        ),
        _later(rows, lambda: rows.value),
        tag("noscript", tag("p", "This page asks with a script.")),
        current=PLAY,
    )


def error_page(message: str) -> str:
    """The page for a request that cannot be answered.

    Args:
        message: why, a sentence.
    """
    return _page("Not possible", tag("h1", "Not possible"), tag("p", message), current=None)


def opened_page() -> str:
    """The page that goes on to the dashboard. A redirect would belong to another site's request, without the cookie."""
    icon = tag("link", rel="icon", href="data:,")  # or browsers ask for one
    head = tag("head", tag("meta", charset="utf-8"), icon, tag("meta", http_equiv="refresh", content="0;url=/"))
    body = tag("body", tag("p", tag("a", "To the dashboard", href="/")))
    return f"<!doctype html>\n{tag('html', head, body, lang='en').text}\n"


def opening_file(address: str, token: str) -> str:
    """The file that hands a browser its token, in the body of a POST: it is in no address, log or process list.

    Args:
        address: that of the dashboard.
        token: the one-time token.
    """
    form = tag(
        "form",
        tag("input", type="hidden", name="token", value=token),
        tag("button", "Open the dashboard"),
        method="post",
        action=f"{address}/open",
    )
    head = tag("head", tag("meta", charset="utf-8"), tag("title", "paribus dashboard"))
    body = tag("body", form, tag("script", Markup("document.forms[0].submit()")))
    return f"<!doctype html>\n{tag('html', head, body, lang='en').text}\n"


def _failures(progress: StudyProgress) -> Markup | None:
    if not progress.failures:
        return None
    items = [tag("li", tag("b", name), f" {status}: {reason}") for name, status, reason in progress.failures]
    return section("failures", "Failed and diverged runs", tag("ul", items))


_PAPER = "Draw here, with mouse, pen or finger; or with the arrow keys, where the space bar lowers and lifts the pen"
_BARS = "A bar is the mean probability of a class over the seeds; its line goes from the lowest to the highest seed."
_SHOW = tag("button", "Show")
_ARMS = ("Arm", "against")


def _choice(name: str, values: Sequence[str], selected: str | None) -> Markup:
    return tag("select", [tag("option", value, value=value, selected=value == selected) for value in values], name=name)


def _later(reply: Reply[Any], content: Callable[[], Child], meanwhile: Child = NOT_YET) -> Markup:
    """What may not be ready yet, or no longer current: the page's script asks for it again, and replaces it alone."""
    part = content() if reply.is_ready else meanwhile
    return tag("div", part, id="later", data_stale=None if reply.is_current or not reply.is_ready else "yes")


def _labelled(text: str, control: Markup) -> Markup:
    return tag("label", f"{text} ", control)


def _address(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"


def _page(title: str, *children: Child, current: str | None) -> str:
    links = [
        tag("li", tag("a", name, href=path, aria_current="page" if name == current else None))
        for name, path in _PATHS.items()
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} - paribus"),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href="/static/dashboard.css"),
        [
            tag("script", src=f"/static/{name}", defer=True)
            for name in ("dashboard.js", "save.js", *_SCRIPTS.get(current or "", ()))
        ],
    )
    body = tag(
        "body",
        tag("a", "To the content", href="#main", class_="skip"),
        tag("nav", tag("b", "paribus"), tag("ul", links), tag("span", "", id="connection"), aria_label="Pages"),
        tag("main", children, id="main", tabindex=-1),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en').text}\n"
