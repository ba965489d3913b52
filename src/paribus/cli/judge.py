"""``paribus judge``: the answer to predictions that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from paribus.cli import options, output
from paribus.errors import UsageError

if TYPE_CHECKING:
    from paribus.api.questions import Answer
    from paribus.results.judged_predictions import JudgedPredictions

UNDECIDED = 4
"""The exit code of a question that cannot be decided, as that of ``paribus check``."""

Predictions = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A .csv, .parquet or .npz file: columns arm, seed, example, label, and prediction or p_<class>.",
        show_default=False,
    ),
]
Pairs = Annotated[
    list[str] | None,
    typer.Option(
        "--contrast",
        metavar="A:B",
        help="Compare only these two arms; repeat it for several.",
        show_default="all pairs",
    ),
]
Primary = Annotated[
    list[str] | None,
    typer.Option("--primary", metavar="A:B", help="A contrast that was asked beforehand; repeat it for several."),
]
Baseline = Annotated[
    str | None, typer.Option("--baseline", metavar="ARM", help="Compare every other arm with this one only.")
]
MetricName = Annotated[
    Literal["test_accuracy", "test_loss"],
    typer.Option("--metric", help="What is compared; test_loss needs probabilities."),
]
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin",
        metavar="X",
        help="Differences below X count as equivalent; with --new, the loss that would be too much.",
        show_default="0.001 of accuracy",
    ),
]
Level = Annotated[float, typer.Option("--level", metavar="P", help="The level at which all intervals hold at once.")]
Scope = Annotated[
    Literal["new data", "this test set", "new data, new training sets", "these training sets"],
    typer.Option("--scope", help="What the verdicts are about."),
]
New = Annotated[str | None, typer.Option("--new", metavar="ARM", help="Check that this arm is not worse than --old.")]
Old = Annotated[str | None, typer.Option("--old", metavar="ARM", help="The arm that --new is compared with.")]
Detect = Annotated[
    float | None, typer.Option("--detect", metavar="X", help="Plan: how many seeds would detect a difference of X?")
]
Power = Annotated[float, typer.Option("--power", metavar="P", help="With --detect: the chance of detecting it.")]
Name = Annotated[str | None, typer.Option("--name", help="The name of the answer.", show_default="the file's")]
Question = Annotated[str, typer.Option("--question", help="The question that is answered, in words.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Also write a report: .html, .md, .tex, .csv or .json.",
        callback=options.expand_home,
    ),
]


def judge(
    predictions: Predictions,
    contrast: Pairs = None,
    primary: Primary = None,
    baseline: Baseline = None,
    metric: MetricName = "test_accuracy",
    margin: Margin = None,
    level: Level = 0.95,
    scope: Scope = "new data",
    new: New = None,
    old: Old = None,
    detect: Detect = None,
    power: Power = 0.8,
    name: Name = None,
    question: Question = "",
    out: Output = None,
    json: options.Json = False,
) -> None:
    """Judge predictions of classifiers that were trained elsewhere, in any framework.

    Exit code 0. With --new and --old that of a check: 0 holds, 3 does not, 4 undecided. One seed an arm gives no
    verdict on the recipes: 4 where one is asked for (--contrast, --primary, --baseline, --new).
    """
    if out is not None:
        _check_output(out)
    if (new is None) != (old is None):
        raise UsageError("--new and --old belong together: the arm that must not be worse, and the one it replaces")
    if new is not None and margin is None:
        raise UsageError("--new: --margin says which loss would be too much, like --margin 0.01 for one point")
    from paribus.api.judge import judge_table

    judged = judge_table(
        predictions,
        baseline=baseline,
        contrasts=[_split_pair(pair, "--contrast") for pair in contrast] if contrast else None,
        primary=[_split_pair(pair, "--primary") for pair in primary] if primary else None,
        comparison={"margin": None if new else margin, "level": level, "scope": scope},
        name=name,
        question=question,
        metric=metric,
    )
    if out is not None:
        _write_report(judged, out)
    if new is not None and old is not None and margin is not None:
        from paribus.api import questions

        _answer(questions.check(judged, new, old, metric, margin), json=json)
    if detect is not None:
        from paribus.api import questions

        _answer(questions.plan(judged, detect, power), json=json)
    asked = bool(contrast or primary or baseline)
    output.print_outcome(judged.outcome(), json=json)
    if asked and judged.request.seeds == 1:
        raise typer.Exit(UNDECIDED)


def _split_pair(text: str, option: str) -> dict[str, Any]:
    """``new:old`` as the two arms of a contrast."""
    names = text.split(":")
    if len(names) != 2 or not all(names):
        raise UsageError(
            f"{option} {text}: two arms with a colon between them are expected, like {option} new:old; arms whose "
            "names hold a colon are compared in Python, by paribus.judge"
        )
    return {"a": names[0], "b": names[1]}


def _answer(answer: Answer, *, json: bool) -> None:
    if json:
        output.print_json(answer.json)
    else:
        output.print_renderable(answer.text)
    raise typer.Exit(answer.exit_code)


def _check_output(path: Path) -> None:
    """Refuse a report that cannot be written, before anything is judged.

    Raises:
        UsageError: the path is ``-``, or no report has its ending.
    """
    if path == output.STDOUT:
        raise UsageError("--output -: stdout has the answer; name a file, such as answer.html")
    from paribus.report import choose_format

    choose_format(path)


def _write_report(judged: JudgedPredictions, path: Path) -> None:
    from paribus.report import choose_format, write_report

    write_report(judged.outcome(), choose_format(path), path)
    output.tell(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")
