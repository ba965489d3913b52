"""Which format a report has: the one that is asked for, else the one that the ending of its file says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from paribus.errors import UsageError
from paribus.report.output import FORMATS

ENDINGS: Final = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".csv": "csv", ".json": "json"}
"""Ending of a report's file -> its format."""

_OTHER_PROGRAMS: Final = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".xlsx", ".xls", ".pptx", ".png", ".jpg", ".svg")
"""Endings of files that are never a report, whatever format is asked for."""


def choose_format(path: Path, format: str | None = None) -> str:
    """The format of a report that is written to a file. Nothing is written, so that a refusal costs nothing.

    A format that contradicts the ending is refused, not noted: a page of HTML called ``report.md`` is opened by the
    wrong program, days later and by somebody who never saw the note. Endings that mean no format of ours, such as
    ``.txt``, take any format that is asked for.

    Args:
        path: the file.
        format: html, md, latex, csv or json; by default that of the ending, and html where there is none.

    Returns:
        One of ``FORMATS``.

    Raises:
        UsageError: there is no such format, no report has such an ending, or the two contradict each other.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"format {format!r} is not known; choose one of {', '.join(FORMATS)}")
    ending = path.suffix.lower()
    meant = ENDINGS.get(ending)
    if format is None:
        if ending and meant is None:
            raise UsageError(f"{path}: {_no_ending(path)}")
        return meant or "html"
    if meant not in (None, format):
        ours = next(known for known, kind in ENDINGS.items() if kind == format)
        raise UsageError(
            f"{path}: the ending {path.suffix} means the format {meant}, and {format} is asked for; name "
            f"{path.with_suffix(ours).name}, or leave the format out"
        )
    if ending in _OTHER_PROGRAMS:
        raise UsageError(f"{path}: {_no_ending(path)}")
    return format


def _no_ending(path: Path) -> str:
    """What is wrong with an ending that no report has, and what to do."""
    *first, last = (known for known in ENDINGS if known != ".htm")
    page = path.with_suffix(".html").name
    remedy = f"name {page}" if path.suffix.lower() != ".pdf" else f"name {page}, which a browser prints as a PDF"
    return f"no report is written as {path.suffix}; a report is {', '.join(first)} or {last}: {remedy}"
