"""A report in any format, as text or as a file; and figures as files. A file is written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

from paribus.errors import ParibusError, UsageError
from paribus.files import whole
from paribus.outcome.outcome import Outcome
from paribus.report.json import outcome_fields

FORMATS = ("html", "md", "latex", "csv", "json")
FIGURES = ("pdf", "png", "svg")


def render_report(outcome: Outcome, format: str) -> str:
    """The report in one of ``FORMATS``.

    Args:
        outcome: what the study's runs say.
        format: ``html``, ``md``, ``latex``, ``csv`` or ``json``.

    Raises:
        UsageError: there is no such format.
        StoreError: a run's answers are damaged (HTML only).
    """
    match format:
        case "html":
            from paribus.report.html import render_page

            return render_page(outcome)
        case "md":
            from paribus.report.markdown import to_markdown

            return to_markdown(outcome)
        case "latex":
            from paribus.report.latex import to_latex

            return to_latex(outcome)
        case "csv":
            from paribus.report.csv import to_csv

            return to_csv(outcome)
        case "json":
            return json.dumps(outcome_fields(outcome), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        case _:
            raise UsageError(f"format {format!r}: choose one of {', '.join(FORMATS)}")


def write_report(outcome: Outcome, format: str, path: Path) -> None:
    """Write the report to a file, whole or not at all; a missing folder is made.

    Args:
        outcome: what the study's runs say.
        format: one of ``FORMATS``.
        path: the file.

    Raises:
        UsageError: there is no such format, or the folder cannot be made or written to.
        ParibusError: the file could not be written to its end, such as on a full disk.
        StoreError: as :func:`render_report`.
    """
    check_writable(path)
    write_whole(path, render_report(outcome, format).encode("utf-8"))


def write_figures(outcome: Outcome, folder: Path, kind: str = "pdf") -> tuple[Path, ...]:
    """Write every figure as a file of its own into a folder, which is made if it is missing.

    Args:
        outcome: what the study's runs say.
        folder: the folder.
        kind: ``pdf``, ``png`` or ``svg``.

    Returns:
        The paths of the files.

    Raises:
        UsageError: there is no such kind of file, or the folder cannot be made or written to.
        ParibusError: a file could not be written.
        StoreError: as :func:`render_report`.
    """
    from paribus.report.figures.all_figures import draw_all
    from paribus.report.figures.plot import to_bytes

    if kind not in FIGURES:
        raise UsageError(f"figures as {kind!r}: choose one of {', '.join(FIGURES)}")
    check_writable(folder / f"figure.{kind}")
    written = []
    for plot in draw_all(outcome):
        path = folder / f"{plot.name}.{kind}"
        write_whole(path, to_bytes(plot, kind))
        written.append(path)
    return tuple(written)


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written to, before any work is done for it; a missing folder is made.

    Args:
        path: the file that will be written.

    Raises:
        UsageError: it is a folder, or its folder cannot be made or written to.
    """
    if path.is_dir():
        raise UsageError(f"{path}: this is a folder; name a file in it, such as {path / 'report.html'}")
    folder = path.parent
    if path.exists() and not path.is_file():  # a device or a pipe is written to directly, and is never replaced
        if os.access(path, os.W_OK):
            return
        raise UsageError(f"{path}: it cannot be written to; name a file somewhere else")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # a byte 0 in its name, says Python
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: the folder {folder} cannot be made: {reason}; name a file somewhere else") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{path}: the folder {folder} cannot be written to; name a file somewhere else")


def write_whole(path: Path, content: bytes) -> None:
    """Write a temporary file beside a path, flush and rename it. A pipe or a device is written to directly.

    Args:
        path: the file.
        content: its bytes.

    Raises:
        ParibusError: it could not be written; an older file is untouched.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        with whole.write_whole(target) as draft, draft.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise ParibusError(f"{path}: the file cannot be written: {error.strerror}") from error
