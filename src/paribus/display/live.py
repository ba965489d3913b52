"""The live display of a terminal: a bar for the study, a line for each run in progress, accuracies by arm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from paribus.display import wording
from paribus.display.base import Display
from paribus.display.control import Visible
from paribus.display.tally import Tally
from paribus.records import DataSummary, Ended, Event, Interrupted, RunResult, Started, StudyKind, TrainJob
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan


class Terminal(Display):
    """Draws on ``console`` (stderr), redrawn four times a second and gone when the study is done.

    Rich redraws from a thread of its own, so counting and drawing take turns.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._turn = threading.Lock()
        self._tally: Tally | None = None
        self._live: Live | None = None
        self._started = 0.0

    def reading(self, source: str, size: int) -> None:
        """Say that it takes a while."""
        self._print(Text(wording.describe_reading(source, size), style="dim"))

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Summaries of the arms that are about to be trained, and what is stored already."""
        self._tally = Tally(plan, self._clock)
        counts = f"{wording.count_runs(plan.run_count)}, {plan.stored_count} stored, {len(plan.missing)} to do"
        sizes = wording.describe_folds(document, data) or f"{data.train:,} train, {data.test:,} test"
        self._print(
            f"[bold]{document.name}[/bold]  {counts}  [dim]{escape(data.name)}: {sizes}[/dim]",
            highlight=False,
        )
        summarized: set[str] = set()
        for job in plan.missing:
            if job.arm not in summarized:
                summarized.add(job.arm)
                self._print(_estimator(job) if job.recipe.is_estimator else _summary(job))

    def show(self, event: Event) -> None:
        """Redraw with what happened; a run that did not simply finish leaves a line."""
        if self._tally is None:
            return
        with self._turn:
            self._tally.count(event)
        if isinstance(event, Ended) and event.result.reason is not None:
            line = f"{wording.name_run(event.job)}: {wording.describe_result(event.job, event.result)}"
            self._print(Text(line, style="yellow"))
        elif isinstance(event, Started) and event.attempt > 1:
            self._print(Text(wording.describe_retry(event), style="yellow"))
        elif isinstance(event, Interrupted):
            self._print(Text(wording.describe_interruption(event), style="yellow"))

    def __enter__(self) -> Self:
        if self._tally is not None:
            self._started = self._clock()
            self._live = Live(
                console=self._console,
                get_renderable=lambda: Visible(self._draw()),
                refresh_per_second=4,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None and self._tally is not None:
            self._live.stop()
            seconds = wording.format_duration(self._clock() - self._started)
            self._print(f"[dim]{wording.count_runs(len(self._tally.ended))} in {seconds}[/dim]", highlight=False)
            if kind is KeyboardInterrupt:
                self._print(Text(wording.describe_unfinished(self._tally), style="yellow"))

    def _print(self, renderable: RenderableType, *, highlight: bool | None = None) -> None:
        visible = Text.from_markup(renderable) if isinstance(renderable, str) else renderable
        self._console.print(Visible(visible), highlight=highlight)

    def _draw(self) -> RenderableType:
        if self._tally is None:
            return Text("")
        with self._turn:
            return progress(self._tally, self._clock() - self._started)


def progress(tally: Tally, seconds: float) -> RenderableType:
    """The progress of a study: a bar, the runs being computed, and accuracies so far.

    Args:
        tally: what was counted.
        seconds: the time since the study was started.
    """
    head = Table.grid(padding=(0, 1))
    fraction = tally.fraction()
    head.add_row(
        ProgressBar(total=1.0, completed=fraction, width=32),
        f"{100 * fraction:3.0f} %",
        f"{len(tally.ended)} of {wording.count_runs(tally.total)}",
        f"[dim]{wording.format_duration(seconds)}[/dim]",
        wording.format_time_left(tally.seconds_left()),
    )
    now = Table.grid(padding=(0, 2))
    for run in sorted(tally.running.values(), key=lambda r: (r.job.arm, r.job.seeds)):
        now.add_row(f"  [cyan]{wording.name_run(run.job)}[/cyan]", wording.describe_progress(run))
    return Group(head, now, _so_far(tally.plan, tally.ended))


def _estimator(job: TrainJob) -> RenderableType:
    """The class of an estimator, which has no layers to list."""
    return Text.assemble((job.arm, "bold"), (f"  scikit-learn's {job.recipe.kind}", "dim"))


def _summary(job: TrainJob) -> Table:
    """An arm's layers, like Keras's model summary."""
    table = Table(
        title=f"{job.arm}  [dim]{job.recipe.parameters:,} parameters[/dim]",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 2),
        header_style="dim",
    )
    table.add_column("layer (type)")
    table.add_column("output shape")
    table.add_column("param #", justify="right")
    for layer in job.recipe.layers:
        table.add_row(Text(f"{layer.name} ({layer.kind})"), layer.output_shape, f"{layer.parameters:,}")
    return table


def _so_far(plan: RunPlan, ended: dict[str, RunResult]) -> RenderableType:
    """Mean test accuracy of each arm over the runs of this command that ended."""
    table = Table.grid(padding=(0, 2))
    for arm in dict.fromkeys(job.arm for job in plan.missing):
        jobs = [job for job in plan.missing if job.arm == arm]
        results = [ended[j.fingerprint] for j in jobs if j.fingerprint in ended]
        accuracies = [result.scores.test_accuracy for result in results if result.scores is not None]
        # Candidates of tuning appear while they run, and in the report; not with their test accuracy.
        has_mean = bool(accuracies) and jobs[0].kind is not StudyKind.TUNING
        mean = f"test accuracy {sum(accuracies) / len(accuracies):.4f} so far" if has_mean else ""
        table.add_row(f"  [dim]{arm}[/dim]", f"[dim]{len(accuracies)}/{len(jobs)}[/dim]", f"[dim]{mean}[/dim]")
    return table
