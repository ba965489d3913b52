"""``paribus doctor``: checking and repairing a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE

if TYPE_CHECKING:
    from paribus.store.doctor import Action
    from paribus.store.survey import Finding

Repair = Annotated[
    bool, typer.Option("--repair", help="Repair the problems; broken files are moved to quarantine/, not deleted.")
]


def doctor(
    repair: Repair = False,
    store: options.Store = DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """Check everything in a store: its database, every run, every file of weights and predictions.

    Exits with 0 when all is sound (or was repaired), and with 1 when something is wrong.
    """
    from paribus.store.doctor import examine, is_store
    from paribus.store.doctor import repair as repair_store

    actions = repair_store(store) if repair else []
    findings = examine(store)
    if json:
        output.print_json(_list_fields(store, findings, actions))
    else:
        for line in (
            *_format_entries(actions),
            *_format_entries(findings),
            _summarize(store, findings, actions, there=is_store(store)),
        ):
            output.print_line(line)
    if findings:
        raise typer.Exit(1)


def _format_entries(entries: Sequence[Finding | Action]) -> list[str]:
    return [f"  {entry}" for entry in entries]


def _summarize(store: Path, findings: Sequence[Finding], actions: Sequence[Action], *, there: bool) -> str:
    if findings:
        count = f"{len(findings)} problem{'' if len(findings) == 1 else 's'}"
        return f"{store}: {count}" + ("" if actions else "; `paribus doctor --repair` repairs what it can")
    if actions:
        return f"{store}: {len(actions)} repaired, now sound"
    return f"{store}: sound" if there else f"{store}: there is no store here, so nothing is wrong with it"


def _list_fields(store: Path, findings: Sequence[Finding], actions: Sequence[Action]) -> dict[str, object]:
    return {
        "store": str(store),
        "sound": not findings,
        "findings": [_finding_fields(finding) for finding in findings],
        "mended": [{**_finding_fields(action.finding), "done": action.done} for action in actions],
    }


def _finding_fields(finding: Finding) -> dict[str, str]:
    return {"problem": str(finding.problem), "subject": finding.subject, "message": finding.message}
