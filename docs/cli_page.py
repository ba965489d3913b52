"""Writes docs/cli.md, the help text of every command. Run by ``make docs``; a test checks that the page is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from paribus.cli.app import app

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 100

HEAD = """\
# The command line

Data goes to stdout, progress and log to stderr. Where stderr is not a terminal, progress is one plain line a run.
`NO_COLOR` turns colours off. `--json` prints one JSON document on stdout, also for an error.

A flag beats its variable in the environment (`PARIBUS_STORE`, `PARIBUS_SEEDS`, ...), which beats the study file.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed: data, store or workers; or some runs ended without a score |
| 2 | the request cannot be carried out as it is: an option, a name, a study |
| 3 | a check does not hold |
| 4 | a check is undecided |
| 5 | another process holds the store |
| 6 | the store was written by a newer version of paribus |
| 130 | interrupted; what was finished is stored |

This page is written by `make docs` from the commands' own help texts.
"""


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    context = typer.Context(
        root, info_name="paribus", terminal_width=WIDTH, max_content_width=WIDTH, **root.context_settings
    )
    return HEAD + "".join(_sections(root, context))


def _sections(command: Any, context: typer.Context) -> Iterator[str]:
    # Rich draws boxes as wide as the terminal; the page shows plain text.
    command.rich_markup_mode = None
    text = "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
    yield f"\n## {context.command_path}\n\n```text\n{text}\n```\n"
    for name, subcommand in getattr(command, "commands", {}).items():
        if not subcommand.hidden:
            yield from _sections(subcommand, typer.Context(subcommand, info_name=name, parent=context))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
