"""Commands that answer from stored runs: ``report``, ``compare``, ``check``, ``plan``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE, complete_arm

METRIC_HELP = (
    "test_accuracy, test_loss, train_accuracy, train_loss, generalization_gap, fit_accuracy, fit_loss, or a metric "
    "that the study adds, such as test_auc."
)

Format = Annotated[
    Literal["html", "md", "latex", "csv", "json"] | None,
    typer.Option("--format", help="The format of the document.", show_default="what the ending of -o says; html"),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The file to write: .html, .md, .tex, .csv or .json; - is stdout.",
        show_default="STUDY.html; others: stdout",
        callback=options.expand_home,
    ),
]
Figures = Annotated[
    Path | None,
    typer.Option(
        "--figures",
        metavar="DIR",
        help="Also write every figure as a file into this folder.",
        callback=options.expand_home,
    ),
]
FigureFormat = Annotated[
    Literal["pdf", "png", "svg"], typer.Option("--figure-format", help="The format of the figures.")
]
MetricName = Annotated[str, typer.Option("--metric", metavar="M", help=METRIC_HELP)]


def report(
    study: options.Study,
    format: Format = None,
    out: Output = None,
    figures: Figures = None,
    figure_format: FigureFormat = "pdf",
    store: options.Store = DEFAULT_STORE,
) -> None:
    """Write the report of a study that was run: one HTML file, or Markdown, LaTeX, CSV or JSON."""
    from paribus import report as reports
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    output.refuse_file("--figures", figures, "figures are files of a folder", (".pdf", ".png", ".svg", ".html"))
    printed = out is None or out == output.STDOUT
    form: str = (format or "html") if out is None or printed else reports.choose_format(out, format)
    with SqliteStore.open(store, mode="read") as opened:
        outcome = open_results(study, opened).outcome()
        if figures is not None:
            for file in reports.write_figures(outcome, figures, figure_format):
                output.tell(str(file))
        if out == output.STDOUT or (out is None and form != "html"):
            if form == "json":
                output.print_outcome(outcome, json=True)
            else:
                output.print_text(reports.render_report(outcome, form))
            return
        path = out or Path(f"{outcome.document.name}.html")
        reports.write_report(outcome, form, path)
    output.tell(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")


def compare(
    study: options.Study,
    arm_a: Annotated[str, typer.Argument(metavar="ARM_A", show_default=False, autocompletion=complete_arm)],
    arm_b: Annotated[str, typer.Argument(metavar="ARM_B", show_default=False, autocompletion=complete_arm)],
    metric: MetricName = "test_accuracy",
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin", metavar="X", help="Differences below X count as equivalent.", show_default="the study's"
        ),
    ] = None,
    store: options.Store = DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """Compare two arms of a study that was run: difference, interval, verdict."""
    from paribus.api import questions
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    with SqliteStore.open(store, mode="read") as opened:
        answer = questions.compare(open_results(study, opened), arm_a, arm_b, metric, margin)
    if json:
        output.print_json(answer.json)
    else:
        output.print_renderable(answer.text)


def check(
    study: options.Study,
    new: Annotated[
        str,
        typer.Option(
            "--new",
            metavar="ARM",
            help="The arm that must not be worse.",
            show_default=False,
            autocompletion=complete_arm,
        ),
    ],
    old: Annotated[
        str,
        typer.Option(
            "--old",
            metavar="ARM",
            help="The arm that it is compared with.",
            show_default=False,
            autocompletion=complete_arm,
        ),
    ],
    margin: Annotated[
        float, typer.Option("--margin", metavar="X", help="The loss that would be too much.", show_default=False)
    ],
    metric: MetricName = "test_accuracy",
    store: options.Store = DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """Is the new arm not worse than the old one by the margin or more? Exit code 0 holds, 3 does not, 4 undecided."""
    from paribus.api import questions
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    with SqliteStore.open(store, mode="read") as opened:
        answer = questions.check(open_results(study, opened), new, old, metric, margin)
    if json:
        output.print_json(answer.json)
    else:
        output.print_renderable(answer.text)
    raise typer.Exit(answer.exit_code)


def plan(
    study: options.Study,
    detect: Annotated[
        float, typer.Option("--detect", metavar="X", help="The difference to detect, like 0.002.", show_default=False)
    ],
    power: Annotated[float, typer.Option("--power", metavar="P", help="The chance of detecting it.")] = 0.8,
    store: options.Store = DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """How many seeds would detect a difference? The answer may be that more seeds cannot."""
    from paribus.api import questions
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    with SqliteStore.open(store, mode="read") as opened:
        answer = questions.plan(open_results(study, opened), detect, power)
    if json:
        output.print_json(answer.json)
    else:
        output.print_renderable(answer.text)
