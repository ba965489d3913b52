"""The answer at the end of ``paribus run``, for a terminal of any width, with or without colour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from paribus.analysis import Effect, JudgedContrast, Verdict
from paribus.analysis.metrics import METRICS
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import numbers, tuning
from paribus.report.splits import name_run_kind
from paribus.report.statements import JudgedStatement, is_primary, list_misreadings, list_statements, state
from paribus.report.strip import Scale, draw_strip
from paribus.report.tables import (
    Cell,
    describe_intervals,
    explain_no_statement,
    format_seeds,
    list_measures,
    metric_table,
)

MEASURES = (
    ("test_accuracy", "test accuracy"),
    ("train_accuracy", "train accuracy"),
    ("generalization_gap", "gap"),
    ("fit_accuracy", "fit accuracy"),
)
"""The measures of the table of arms, and its headings."""

NARROW = 100
"""Below this width the parameters go under the arm's name."""

ONE_LINE = 132
"""From this width on an interval is printed beside its number; in narrower tables it is printed below."""

DRAWN = 150
"""From this width on the intervals are drawn too."""

STYLES = {
    Verdict.BETTER: "bold green",
    Verdict.WORSE: "bold red",
    Verdict.EQUIVALENT: "bold cyan",
    Verdict.UNDECIDED: "bold yellow",
}


def render(outcome: Outcome) -> RenderableType:
    """Tables and sentences that fit the console they are printed on."""
    return _Answer(outcome)


@dataclass(frozen=True, slots=True)
class _Answer:
    outcome: Outcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Group(*self._parts(options.max_width, ascii_only=options.ascii_only))

    def _parts(self, width: int, *, ascii_only: bool) -> Iterator[RenderableType]:
        document = self.outcome.design
        yield Text(document.name, style="bold")
        if document.question:
            yield Text(document.question, style="italic")
        yield Text()
        yield _arms(self.outcome, width, ascii_only=ascii_only)
        yield Text(_caption(self.outcome), style="dim")
        yield from _own_metrics(self.outcome)
        yield from _tuned(self.outcome)
        statements = list_statements(self.outcome)
        yield from _statements("Primary", [item for item in statements if is_primary(item)])
        others = [item for item in statements if not is_primary(item)]
        yield from _statements("Effects", [item for item in others if isinstance(item, Effect)])
        yield from _statements("Contrasts", [item for item in others if isinstance(item, JudgedContrast)])
        if not self.outcome.contrasts and not self.outcome.effects:
            yield Text(f"\n{explain_no_statement(self.outcome)}")
        yield from _remarks("Notes", [Text(note) for note in self.outcome.notes])
        misreadings = [Text.assemble((f"{item.title}. ", "bold"), item.text) for item in list_misreadings(self.outcome)]
        yield from _remarks("Where a quick reading goes wrong", misreadings)


def _arms(outcome: Outcome, width: int, *, ascii_only: bool) -> Table:
    """One row an arm. A narrow table has its parameters under the arm's name."""
    trained, measures = outcome.predictions_request is None, _measures(outcome)
    narrow, beside, drawn = width < NARROW, width >= ONE_LINE, width >= DRAWN
    table = Table(box=None, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0), header_style="bold")
    table.add_column("arm\nparameters" if narrow and trained else "arm", overflow="fold", min_width=10)
    for _, heading in measures:
        table.add_column(
            heading.replace(" ", "\n") if narrow else heading, justify="right", no_wrap=not narrow, overflow="fold"
        )
    if trained and not narrow:
        table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column(f"{name_run_kind(outcome)}s", justify="right", no_wrap=not narrow)
    if drawn:
        table.add_column("test accuracy, drawn", no_wrap=True)
    scale = Scale.spanning([arm.estimates.get("test_accuracy") for arm in outcome.arms])
    for arm in outcome.arms:
        name = Text(arm.name, style="bold")
        parameters = None if arm.recipe is None else numbers.format_parameters(arm.recipe)
        if narrow and parameters is not None:
            name.append(f"\n{parameters}", style="not bold dim")
        cells: list[RenderableType] = [name, *(_measure(arm, metric, beside=beside) for metric, _ in measures)]
        cells += [] if narrow or parameters is None else [Text(parameters)]
        cells.append(Text(format_seeds(arm)))
        if drawn:
            cells.append(Text(draw_strip(arm.estimates.get("test_accuracy"), scale, 28, ascii_only=ascii_only)))
        table.add_row(*cells)
    return table


def _measures(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """The measures with their headings; of predictions from elsewhere those that are known."""
    if outcome.predictions_request is None:
        return MEASURES
    return tuple((name, METRICS[name].label) for name, _ in list_measures(outcome))


def _own_metrics(outcome: Outcome) -> Iterator[RenderableType]:
    """The metrics that the protocol adds: a row a metric, a column an arm, as names of metrics are long."""
    metrics = metric_table(outcome)
    if metrics is None:
        return
    yield Text()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("metric", overflow="fold")
    for row in metrics.rows:
        table.add_column(str(row[0]), justify="right", overflow="fold")
    for heading, *cells in zip(metrics.head[1:], *(row[1:] for row in metrics.rows), strict=True):
        table.add_row(Text(f"{heading[0].lower()}{heading[1:]}"), *map(_number, cells))
    yield table
    yield Text(metrics.caption, style="dim")


def _number(cell: Cell) -> Text:
    if isinstance(cell, str):
        return Text(cell)
    return Text.assemble(cell.value, (f"\n{cell.limits}", "dim") if cell.limits else "")


def _measure(arm: ArmOutcome, metric: str, *, beside: bool) -> Text:
    """The mean, and its interval beside or below it; nothing where there is no interval."""
    printed = numbers.format_estimate(metric, arm.estimates.get(metric))
    text = Text(printed.value)
    if printed.limits:
        text.append(f"{' ' if beside else chr(10)}{printed.limits}", style="dim")
    return text


def _caption(outcome: Outcome) -> str:
    if not any(arm.estimates.get("test_accuracy") for arm in outcome.arms):
        return "No run has a score yet."
    measures = _measures(outcome)
    intervals = describe_intervals(outcome, [METRICS[name] for name, _ in measures])
    if outcome.predictions_request is not None:
        return f"Accuracy in per cent{', loss in nats' if len(measures) > 1 else ''}; {intervals}."
    if not any(len(arm.scored) > 1 for arm in outcome.arms):
        return "In per cent. One seed an arm: there is no interval, and no difference can be judged. Run more seeds."
    return (
        f"In per cent, gap (train minus test accuracy) in points; {intervals}. "
        "Fit accuracy is what fit prints, and not the train accuracy."
    )


def _tuned(outcome: Outcome) -> Iterator[RenderableType]:
    """The choice of each tuned arm, and its candidates."""
    choices = tuning.tuned_choices(outcome)
    if not choices:
        return
    yield Text("\nTuning", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold", min_width=8)
    table.add_column(overflow="fold")
    for name, choice in choices.items():
        text = Text(f"{tuning.describe_choice(outcome, choice)}. ").append(tuning.list_candidates(choice), style="dim")
        table.add_row(Text(name, style="bold"), text)
    yield table
    yield Text(tuning.describe_tuning(outcome), style="dim")


def _statements(title: str, statements: Sequence[JudgedStatement]) -> Iterator[RenderableType]:
    """The verdict in a column of its own, the sentence beside it."""
    if not statements:
        return
    yield Text(f"\n{title}", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, width=10)
    table.add_column(overflow="fold")
    for statement in statements:
        verdict = statement.comparison.verdict if statement.comparison else Verdict.UNDECIDED
        names = (statement.a, statement.b) if isinstance(statement, JudgedContrast) else statement.factors
        text = Text(state(statement))
        text.highlight_regex("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in names), "bold")
        table.add_row(Text(verdict, style=STYLES[verdict]), text)
    yield table


def _remarks(title: str, remarks: Sequence[Text]) -> Iterator[RenderableType]:
    if not remarks:
        return
    yield Text(f"\n{title}", style="bold")
    for remark in remarks:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
        table.add_column(width=1)
        table.add_column(overflow="fold")
        table.add_row(Text("*"), remark)
        yield Padding(table, 0)
