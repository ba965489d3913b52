"""The results that ``pb.compare`` and ``Study.run`` return: the outcome as text, tables, JSON and reports."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from paribus.api.contrast import Contrast, make_contrast
from paribus.errors import UnknownNameError, UsageError, unknown_name
from paribus.errors.control_characters import show_control_characters
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.results.predictions import PredictionCache
from paribus.runner.session import reopen_for_reading
from paribus.store.base import Store

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

WIDTH = 110
"""Columns of the text; notebooks and logs are at least as wide."""

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".csv": "csv", ".json": "json"}
"""Suffix of a report's file -> its format."""


def render_text(renderable: RenderableType) -> str:
    """Render the text of a terminal with ``WIDTH`` columns, without colours."""
    from rich.console import Console

    from paribus.display.control import Visible

    text = io.StringIO()
    # In a notebook Rich would show the text as an output of its own and leave the file empty.
    console = Console(file=text, width=WIDTH, color_system=None, highlight=False, force_jupyter=False)
    console.print(Visible(renderable))
    return text.getvalue().rstrip()


class Results:
    """The answer of a study: a table and a figure in Jupyter, text elsewhere.

    Args:
        outcome: the outcome that everything is made from.
        resources: objects that the results need as long as they live (an open store, a temporary folder).

    Example:
        >>> results = study.run(seeds=3, progress=False)
        >>> contrast = results.contrast("large", "small")
        >>> contrast.verdict, contrast.low > 0
        ('better', True)
        >>> results.contrast("small", "large").verdict
        'worse'
        >>> results.arms["large"].estimates["test_accuracy"].n
        3
        >>> results.to_pandas().groupby("arm").test_accuracy.max().round().tolist()
        [1.0, 0.0]
        >>> results.report(folder / "large.html").name
        'large.html'
    """

    def __init__(self, outcome: Outcome, *resources: object) -> None:
        self.outcome = outcome
        self._held = resources

    @classmethod
    def of(cls, outcome: Outcome, store: Store, *resources: object) -> Self:
        """Results that read from a store whose session has ended.

        Args:
            outcome: the outcome; its predictions are read from the store, which is opened again.
            store: the store that the session wrote.
            *resources: other objects that the results need as long as they live.
        """
        reading = reopen_for_reading(store)
        return cls(replace(outcome, predictions=PredictionCache(reading)), reading, *resources)

    @property
    def arms(self) -> dict[str, ArmOutcome]:
        """The arms by name, with their runs and the estimates of their metrics, in the study's order."""
        return {arm.name: arm for arm in self.outcome.arms}

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The declared contrasts, in their order, judged as one family."""
        return tuple(make_contrast(contrast, contrast.a) for contrast in self.outcome.contrasts)

    def contrast(self, a: str, b: str, metric: str = "test_accuracy") -> Contrast:
        """Arm ``a`` against arm ``b``: difference, interval, verdict, sentence.

        Args:
            a: the first arm.
            b: the second arm; the difference is a - b, whichever way round it was declared.
            metric: the metric that is compared.

        Raises:
            UnknownNameError: there is no such arm, or this contrast was not declared; the message lists those that are.
        """
        for name in (a, b):
            if name not in self.arms:
                raise unknown_name("arm", name, self.arms)
        for judged in self.outcome.contrasts:
            if {judged.a, judged.b} == {a, b} and judged.metric.name == metric:
                return make_contrast(judged, a)
        declared = "; ".join(f"{c.a} - {c.b} on {c.metric.name}" for c in self.outcome.contrasts) or "none"
        raise UnknownNameError(
            f"'{a}' against '{b}' on {metric} was not declared, and contrasts are declared before looking; "
            f"declared: {declared}"
        )

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values, the same as ``paribus run --json`` prints."""
        from paribus.report.json import outcome_fields

        return outcome_fields(self.outcome)

    def to_pandas(self) -> pd.DataFrame:
        """One row a run: ``arm``, ``seed``, and the fields that the JSON has for a run.

        Raises:
            UsageError: pandas is not installed.
        """
        from paribus.report.json import known_run_fields

        try:
            import pandas
        except ImportError as error:
            raise UsageError("to_pandas needs pandas: pip install 'paribus[tables]'") from error
        rows = [{"arm": arm.name, **known_run_fields(arm, run)} for arm in self.outcome.arms for run in arm.runs]
        return pandas.DataFrame(rows)

    def report(self, path: str | Path, format: str | None = None) -> Path:
        """Write the report to a file.

        Args:
            path: the file to write.
            format: html, md, latex, csv or json; by default that of the file's suffix.

        Returns:
            The path.

        Raises:
            UsageError: a format or suffix that is not known, or the file cannot be written.
        """
        from paribus import report

        path = Path(path).expanduser()
        report_format = SUFFIXES.get(path.suffix.lower(), path.suffix) if format is None else format
        if report_format not in report.FORMATS:
            raise UsageError(
                f"{path}: format {report_format!r} is not known; choose one of {', '.join(report.FORMATS)}"
            )
        report.write_report(self.outcome, report_format, path)
        return path

    def __repr__(self) -> str:
        from paribus.report.terminal import render

        return render_text(render(self.outcome))

    def _repr_html_(self) -> str:
        """The display in Jupyter: verdicts, the arms drawn with their intervals, and the table."""
        from paribus.report.html import outcome_fragment

        return show_control_characters(outcome_fragment(self.outcome))
