"""``paribus run``: compute what is missing of a study, then print its answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from paribus.cli import options, output
from paribus.errors import InterruptedRunError, ParibusError

if TYPE_CHECKING:
    from paribus.display.base import Display
    from paribus.outcome import Outcome


def run(
    study: options.Study,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    arm: options.Arms = None,
    data: options.Data = None,
    store: options.Store = options.DEFAULT_STORE,
    workers: options.Workers = None,
    json: options.Json = False,
) -> None:
    """Train every arm of a study on many seeds and print the answer. Runs that are stored are not computed again."""
    from paribus import study_files

    document = study_files.overridden(study_files.load(study), seeds=seeds, epochs=epochs, data=data)
    chosen = study_files.overridden(document, arms=arm or ())
    outcome = _outcome(document, chosen, store, workers)
    output.print_outcome(outcome, json=json)
    if any(run.scores is None for entry in outcome.arms for run in entry.runs):
        raise ParibusError("some runs failed; the table says which and why. Run again to try them once more")


def _outcome(document: object, chosen: object, folder: Path, workers: int | None) -> Outcome:
    from paribus.backends.local import LocalBackend
    from paribus.collect import collect
    from paribus.data import summarize
    from paribus.run import run_study, stored_arms
    from paribus.store.sqlite import SqliteStore
    from paribus.study import StudyDocument

    assert isinstance(document, StudyDocument)
    assert isinstance(chosen, StudyDocument)
    with SqliteStore.open(folder, mode="write") as store, LocalBackend(workers) as backend:
        try:
            planned = run_study(chosen, store, backend, _display(), whole=document)
        except KeyboardInterrupt:
            raise InterruptedRunError(
                f"interrupted: every run that ended is kept in {folder}; the same command goes on where this one stopped"
            ) from None
        return collect(chosen, summarize(chosen.data.spec()), stored_arms(planned), store)


def _display() -> Display:
    if sys.stderr.isatty():
        from rich.console import Console

        from paribus.display.live import Terminal

        return Terminal(Console(stderr=True))
    from paribus.display.plain import Plain

    return Plain(sys.stderr)
