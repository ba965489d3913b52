"""Printing results on stdout."""

from __future__ import annotations

import json as json_library
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.errors import UsageError

if TYPE_CHECKING:
    from paribus.outcome.outcome import Outcome
    from paribus.results.selection import RunSelection

STDOUT = Path("-")
"""Stands for stdout in the place of a file, as in other programs; a file of that name is ``"$PWD/-"``."""


def refuse_stdout(option: str, path: Path | None, what: str) -> None:
    """Refuse ``-`` where several files are written, before any of them is.

    Raises:
        UsageError: the path is ``-``.
    """
    if path == STDOUT:
        raise UsageError(f"{option} -: {what}, which stdout cannot hold; name a folder")


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
    json_library.dump(value, sys.stdout, indent=1, allow_nan=False, ensure_ascii=False)
    sys.stdout.write("\n")


def print_renderable(renderable: Any) -> None:
    """Print a Rich table or group; plain and at least 100 columns wide where stdout is not a terminal."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(renderable)


def report_left_out(selection: RunSelection, *, networks_only: bool = False) -> None:
    """Report on stderr the requested runs that did not finish, are not stored, or are no networks."""
    for arm, kind in selection.estimators.items() if networks_only else ():
        print(f"paribus: {arm} is scikit-learn's {kind}, no network: left out", file=sys.stderr)
    for selected in selection.unfinished:
        print(f"paribus: {selected.name} {selected.run.status}: {selected.run.reason}", file=sys.stderr)
    for arm, seed in selection.missing:
        print(f"paribus: {arm}, seed {seed} is not stored: `paribus run` trains it", file=sys.stderr)
