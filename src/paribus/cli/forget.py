"""``paribus forget``: move a stored study aside."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE, complete_study

Stored = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="The name under which it is stored (see `paribus show`).",
        show_default=False,
        autocompletion=complete_study,
    ),
]


def forget(study: Stored, store: options.Store = DEFAULT_STORE, json: options.Json = False) -> None:
    """Move a study and the runs that no other study uses aside, into a store of its own. Nothing is deleted.

    Its name is free then. Which statements were judged stays remembered, so that a study that is run again still counts
    its earlier looks.
    """
    from paribus.runner.forget import forget_study

    forgotten = forget_study(study, store)
    back = f"paribus merge {shlex.quote(str(forgotten.folder))} --into {shlex.quote(str(store))}"
    if json:
        output.print_json(
            {
                "studies": list(forgotten.studies),
                "folder": str(forgotten.folder),
                "runs": forgotten.runs,
                "shared": forgotten.shared,
                "bytes": forgotten.size,
                "back": back,
            }
        )
        return
    output.print_line(
        f"{', '.join(forgotten.studies)} moved to {forgotten.folder}: {forgotten.runs:,} "
        f"run{'' if forgotten.runs == 1 else 's'}, {forgotten.size / 1e6:.1f} MB"
        + (f"; {forgotten.shared:,} that other studies use stay" if forgotten.shared else "")
    )
    output.print_line(f"Back: `{back}`")
    output.print_line(f"To free the disk, delete that folder: {forgotten.size / 1e6:.1f} MB")
