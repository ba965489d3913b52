"""Printing results on stdout."""

from __future__ import annotations

import json as json_library
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.cli import streams
from paribus.errors import UsageError
from paribus.errors.control_characters import CONTROL

if TYPE_CHECKING:
    from paribus.outcome.outcome import Outcome
    from paribus.results.selection import RunSelection

STDOUT = Path("-")
"""Means stdout in the place of a file name, as in other programs; a file of that name is ``"$PWD/-"``."""


def refuse_file(option: str, path: Path | None, what: str, endings: Sequence[str]) -> None:
    """Refuse ``-``, and a name that is meant for a file, where a folder of files is written, before any of them is.

    Args:
        option: the option, for the error.
        path: its value.
        what: what is written, a part of a sentence.
        endings: those of the files that are written; a folder that is there may have one.

    Raises:
        UsageError: the path is ``-``, or has one of the endings.
    """
    if path == STDOUT:
        raise UsageError(f"{option} -: {what}, which stdout cannot hold; name a folder")
    if path is not None and path.suffix.lower() in endings and not path.is_dir():
        raise UsageError(f"{option} {path}: {what}, and {path.suffix} is the ending of a file; name a folder")


def print_outcome(outcome: Outcome, *, json: bool) -> None:
    """Print an outcome: tables and sentences, or its JSON document."""
    if json:
        from paribus.report.json import outcome_fields

        print_json(outcome_fields(outcome))
        return
    from paribus.report.terminal import render

    print_renderable(render(outcome))


def print_json(value: Any) -> None:
    """Print one JSON document and a newline; nan and infinity, which JSON does not have, are errors."""
    # What UTF-8 can say is not spelled out, but for control characters that JSON lets through.
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json_library.dumps(value, indent=1, allow_nan=False, ensure_ascii=not unicode)
    text = CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    streams.write_stdout(f"{text}\n")


def print_renderable(renderable: Any) -> None:
    """Print a Rich table or group; plain and at least 100 columns wide where stdout is not a terminal."""
    from rich.console import Console

    from paribus.display.control import Visible

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    with console.capture() as printed:
        console.print(Visible(renderable))
    streams.write_stdout(printed.get())


def print_text(text: str) -> None:
    """A text as it is; on a terminal with its control characters spelled out."""
    if sys.stdout.isatty():
        from paribus.errors.control_characters import show_control_characters

        text = show_control_characters(text)
    streams.write_stdout(text)


def print_line(text: str) -> None:
    """A line on stdout, with its control characters spelled out."""
    from paribus.errors.control_characters import show_control_characters

    streams.write_stdout(f"{show_control_characters(text)}\n")


def tell(text: str) -> None:
    """A line on stderr, with its control characters spelled out."""
    from paribus.errors.control_characters import show_control_characters

    print(show_control_characters(text), file=sys.stderr)


def report_left_out(selection: RunSelection, *, networks_only: bool = False) -> None:
    """Report on stderr the requested runs that did not finish, are not stored, or are no networks."""
    for arm, kind in selection.estimators.items() if networks_only else ():
        tell(f"paribus: {arm} is scikit-learn's {kind}, no network: left out")
    for selected in selection.unfinished:
        tell(f"paribus: {selected.name} {selected.run.status}: {selected.run.reason}")
    for arm, seed in selection.missing:
        tell(f"paribus: {arm}, seed {seed} is not stored: `paribus run` trains it")
