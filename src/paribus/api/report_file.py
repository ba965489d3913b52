"""A report as a file, in the format that is asked for or that its ending says."""

from __future__ import annotations

from pathlib import Path

from paribus import report
from paribus.outcome.outcome import Outcome


def write_report_file(outcome: Outcome, path: Path, format: str | None) -> Path:
    """Write the report of an outcome to a file.

    Args:
        outcome: the outcome.
        path: the file.
        format: html, md, latex, csv or json; by default that of the file's ending, and html where it has none.

    Returns:
        The path.

    Raises:
        UsageError: a format or an ending that no report has, two that contradict each other, or the file cannot be
            written.
    """
    report.write_report(outcome, report.choose_format(path, format), path)
    return path
