"""``paribus run`` and ``paribus noise``: compute what is missing, then print the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paribus.cli import options, output
from paribus.errors import InterruptedRunError, ParibusError

if TYPE_CHECKING:
    from paribus.backends.base import Backend
    from paribus.outcome.outcome import Outcome
    from paribus.store.base import Store
    from paribus.study.document import StudyDocument

UntilDecided = Annotated[
    bool, typer.Option("--until-decided", help="Add seeds, at a few planned looks, until every contrast is decided.")
]
MaxSeeds = Annotated[int, typer.Option("--max-seeds", metavar="N", help="With --until-decided: at most so many seeds.")]


def run(
    study: options.Study,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    arm: options.Arms = None,
    data: options.Data = None,
    store: options.Store = options.DEFAULT_STORE,
    workers: options.Workers = None,
    lanes: options.Lanes = None,
    until_decided: UntilDecided = False,
    max_seeds: MaxSeeds = 30,
    json: options.Json = False,
) -> None:
    """Train every arm of a study on many seeds and print the answer. Runs that are stored are not computed again."""
    from paribus.study.load import load_study
    from paribus.study.overrides import override

    document = override(load_study(study), seeds=seeds, epochs=epochs, data=data)
    if until_decided:
        from paribus.runner.sequential import with_looks

        document = with_looks(document, max_seeds)
    chosen = override(document, arms=arm or ())

    with _computing(document, store, workers, lanes) as (opened, backend):
        if until_decided:
            outcome = _until_decided(chosen, document, opened, backend, max_seeds)
        else:
            outcome = _all_seeds(chosen, document, opened, backend)
    output.print_outcome(outcome, json=json)
    if any(entry.scores is None for of_arm in outcome.arms for entry in of_arm.runs):
        # Said beside the answer, not instead of it: with --json there is one document on stdout.
        typer.echo("paribus: some runs failed; the notes say which and why. Run again to try them once more", err=True)
        raise typer.Exit(ParibusError.exit_code)


def noise(
    study: options.Study,
    arm: Annotated[str, typer.Option("--arm", metavar="NAME", help="Whose noise.", show_default=False)],
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="Runs in which each stream varies.")] = 5,
    epochs: options.Epochs = None,
    data: options.Data = None,
    store: options.Store = options.DEFAULT_STORE,
    workers: options.Workers = None,
    lanes: options.Lanes = None,
    json: options.Json = False,
) -> None:
    """Share of an arm's variance that comes from init, order, dropout and the test sample. Trains what it needs."""
    from paribus.display.choose import suitable
    from paribus.report.noise import shares_document, shares_table
    from paribus.runner.noise import measure_noise
    from paribus.study.load import load_study
    from paribus.study.overrides import override

    document = override(load_study(study), epochs=epochs, data=data)
    override(document, arms=[arm])
    with _computing(document, store, workers, lanes) as (opened, backend):
        shares = measure_noise(document, arm, seeds, opened, backend, suitable())
    if json:
        output.print_json(shares_document(document.name, arm, shares))
    else:
        output.print_renderable(shares_table(document.name, arm, shares))


def _until_decided(
    chosen: StudyDocument, whole: StudyDocument, store: Store, backend: Backend, max_seeds: int
) -> Outcome:
    from paribus.display.choose import suitable
    from paribus.runner.run import warm_up
    from paribus.runner.sequential import run_until_decided

    warm_up(chosen, store, backend)
    return run_until_decided(chosen, whole, store, backend, suitable(), max_seeds)


def _all_seeds(chosen: StudyDocument, whole: StudyDocument, store: Store, backend: Backend) -> Outcome:
    from paribus.runner.run import run_study, warm_up

    warm_up(chosen, store, backend)
    # The rest is imported while workers start.
    from paribus.data import summarize
    from paribus.display.choose import suitable
    from paribus.results.assemble import assemble_outcome
    from paribus.runner.jobs import stored_arms

    planned = run_study(chosen, store, backend, suitable(), whole=whole)
    return assemble_outcome(chosen, summarize(chosen.data.spec()), stored_arms(planned), store)


@contextmanager
def _computing(
    document: StudyDocument, folder: Path, workers: int | None, lanes: int | None
) -> Iterator[tuple[Store, Backend]]:
    """A store to write to and workers to compute with; an interruption becomes our error, which says what is kept."""
    from paribus.backends.interruption import terminable
    from paribus.backends.local import LocalBackend
    from paribus.keras_config.custom_objects import imports_for
    from paribus.store.sqlite import SqliteStore

    imports = imports_for(arm.model for arm in document.arms.values() if arm.model is not None)
    workplace = LocalBackend(workers, imports, lanes=lanes)
    with terminable(), SqliteStore.open(folder, mode="write") as store, workplace as backend:
        try:
            yield store, backend
        except KeyboardInterrupt:
            raise InterruptedRunError(
                f"interrupted: every run that ended is kept in {folder}; the same command goes on from there"
            ) from None
