"""A report as a file, in the format that its suffix says."""

from __future__ import annotations

from pathlib import Path

from paribus import report
from paribus.errors import UsageError
from paribus.outcome.outcome import Outcome

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".csv": "csv", ".json": "json"}
"""Suffix of a report's file -> its format."""


def write_report_file(outcome: Outcome, path: Path, format: str | None) -> Path:
    """Write the report of an outcome to a file.

    Args:
        outcome: the outcome.
        path: the file.
        format: html, md, latex, csv or json; by default that of the file's suffix.

    Returns:
        The path.

    Raises:
        UsageError: a format or suffix that is not known, or the file cannot be written.
    """
    report_format = SUFFIXES.get(path.suffix.lower(), path.suffix) if format is None else format
    if report_format not in report.FORMATS:
        raise UsageError(f"{path}: format {report_format!r} is not known; choose one of {', '.join(report.FORMATS)}")
    report.write_report(outcome, report_format, path)
    return path
