"""What ``pb.compare`` and ``Study.run`` hand back: the result object with the views that a user asks for."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from paribus.api.contrast import Contrast, public_contrast
from paribus.errors import UnknownNameError, UsageError, unknown_name
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.results.predictions import PredictionCache
from paribus.runner.session import reopen_for_reading
from paribus.store.base import Store

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

WIDTH = 110
"""Columns of the text; notebooks and logs have at least those."""

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".csv": "csv", ".json": "json"}
"""Suffix of a report's file -> its format."""


def as_text(renderable: RenderableType) -> str:
    """What a terminal of ``WIDTH`` columns would show, without colours."""
    from rich.console import Console

    text = io.StringIO()
    # In a notebook Rich would show the text as an output of its own and leave the file empty.
    console = Console(file=text, width=WIDTH, color_system=None, highlight=False, force_jupyter=False)
    console.print(renderable)
    return text.getvalue().rstrip()


class Results:
    """The answer of a study: a table and a figure in Jupyter, text elsewhere.

    Args:
        outcome: the result object that everything is made from.
        held: what must live as long as these results (an open store, a temporary folder).

    Example:
        >>> results = study.run(seeds=3, progress=False)
        >>> found = results.contrast("large", "small")
        >>> found.verdict, found.low > 0
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

    def __init__(self, outcome: Outcome, *held: object) -> None:
        self.outcome = outcome
        self._held = held

    @classmethod
    def of(cls, outcome: Outcome, store: Store, *held: object) -> Self:
        """Results that read from a store whose session has ended.

        Args:
            outcome: the result object; its predictions are read from the store opened anew.
            store: the store that the session wrote.
            held: what else must live as long as the results.
        """
        reading = reopen_for_reading(store)
        return cls(replace(outcome, predictions=PredictionCache(reading)), reading, *held)

    @property
    def arms(self) -> dict[str, ArmOutcome]:
        """Each arm with its runs and the estimates of its metrics, by name, in the study's order."""
        return {arm.name: arm for arm in self.outcome.arms}

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The declared contrasts, in their order, judged as one family."""
        return tuple(public_contrast(contrast, contrast.a) for contrast in self.outcome.contrasts)

    def contrast(self, a: str, b: str, metric: str = "test_accuracy") -> Contrast:
        """Arm ``a`` against arm ``b``: difference, interval, verdict, sentence.

        Args:
            a: the first arm.
            b: the second arm; the difference is a - b, whichever way round it was declared.
            metric: what is compared.

        Raises:
            UnknownNameError: there is no such arm, or this contrast was not declared; the message lists what there is.
        """
        for name in (a, b):
            if name not in self.arms:
                raise unknown_name("arm", name, self.arms)
        for found in self.outcome.contrasts:
            if {found.a, found.b} == {a, b} and found.metric.name == metric:
                return public_contrast(found, a)
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
        from paribus.report.json import run_fields

        try:
            import pandas
        except ImportError as error:
            raise UsageError("to_pandas needs pandas: pip install 'paribus[tables]'") from error
        rows = [{"arm": arm.name, **run_fields(run)} for arm in self.outcome.arms for run in arm.runs]
        return pandas.DataFrame(rows)

    def report(self, path: str | Path, format: str | None = None) -> Path:
        """Write the report to a file.

        Args:
            path: where to.
            format: html, md, latex, csv or json; by default what the file's suffix says.

        Returns:
            The path.

        Raises:
            UsageError: a format or suffix that is not known, or the file cannot be written.
        """
        from paribus import report

        path = Path(path).expanduser()
        chosen = SUFFIXES.get(path.suffix.lower(), path.suffix) if format is None else format
        if chosen not in report.FORMATS:
            raise UsageError(f"{path}: format {chosen!r} is not known; choose one of {', '.join(report.FORMATS)}")
        report.write_report(self.outcome, chosen, path)
        return path

    def __repr__(self) -> str:
        from paribus.report.terminal import render

        return as_text(render(self.outcome))

    def _repr_html_(self) -> str:
        """What Jupyter shows: verdicts, the arms drawn with their intervals, and the table."""
        from paribus.report.html import outcome_fragment

        return outcome_fragment(self.outcome)
