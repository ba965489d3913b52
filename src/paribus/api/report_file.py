"""The report of an outcome as a file, whose suffix says its format."""

from __future__ import annotations

from pathlib import Path

from paribus.errors import UsageError
from paribus.outcome.outcome import Outcome

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".csv": "csv", ".json": "json"}
"""Suffix of a report's file -> its format."""


def write_report_file(outcome: Outcome, path: Path, format: str | None) -> Path:
    """Write the report to a file.

    Args:
        outcome: the outcome.
        path: the file.
        format: one of ``paribus.report.FORMATS``; by default that of the file's suffix.

    Returns:
        The path.

    Raises:
        UsageError: a format or suffix that is not known, or the file cannot be written.
    """
    from paribus import report

    known = SUFFIXES.get(path.suffix.lower(), path.suffix) if format is None else format
    if known not in report.FORMATS:
        raise UsageError(f"{path}: format {known!r} is not known; choose one of {', '.join(report.FORMATS)}")
    report.write_report(outcome, known, path)
    return path
