"""``paribus run`` and ``paribus noise``: compute the missing runs, then print the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paribus.cli import dashboard as dashboards
from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE, complete_arm
from paribus.cli.shards import print_shard
from paribus.errors import ParibusError, UsageError

if TYPE_CHECKING:
    from paribus.backends.base import Backend
    from paribus.backends.choose import BackendChoice
    from paribus.outcome.outcome import Outcome
    from paribus.runner.shard import ShardOutcome
    from paribus.store.base import Store
    from paribus.study.document import StudyDocument
    from paribus.study.shard import Shard

UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Add seeds, at a few planned looks, until every primary contrast is decided (all, where none is primary).",
    ),
]
MaxSeeds = Annotated[
    int | None,
    typer.Option(
        "--max-seeds",
        metavar="N",
        help="With --until-decided: at most so many seeds.",
        show_default="30, or the study's last planned look",
    ),
]

ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Train every N-th seed from the I-th on (with folds: every N-th fold), as one of N machines; `paribus "
        "merge` unites their stores.",
        show_default="the whole study",
    ),
]

Dashboard = Annotated[
    bool,
    typer.Option(
        "--dashboard",
        help="Open `paribus dashboard` beside it, which stays until its pages are closed.",
    ),
]


def run(
    study: options.Study,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    arm: options.Arms = None,
    data: options.Data = None,
    store: options.Store = DEFAULT_STORE,
    workers: options.Workers = None,
    lanes: options.Lanes = None,
    backend: options.BackendName = "local",
    address: options.Address = None,
    until_decided: UntilDecided = False,
    max_seeds: MaxSeeds = None,
    shard: ShardOption = None,
    dashboard: Dashboard = False,
    json: options.Json = False,
) -> None:
    """Train every arm of a study on many seeds and print the answer. Runs that are stored are not computed again."""
    from paribus.backends.choose import BackendChoice
    from paribus.study.identity import stored_name
    from paribus.study.load import load_study
    from paribus.study.overrides import check_arms, override
    from paribus.study.shard import parse_shard

    if dashboard:
        dashboards.check_packages()
    part = None if shard is None else parse_shard(shard)
    if part is not None and until_decided:
        raise UsageError(
            f"--shard {part} with --until-decided: a shard is not judged, so that nothing is decided by it; run all "
            "shards with as many --seeds as a look needs, merge them, and give --until-decided the merged store"
        )
    declared = load_study(study)
    document = override(declared, seeds=seeds, epochs=epochs, data=data)
    name = stored_name(declared, document)
    if until_decided:
        from paribus.runner.sequential import with_looks

        document = with_looks(document, max_seeds)
    arms = check_arms(document, arm or ())
    choice = BackendChoice(backend, workers, lanes, address)
    if part is not None:
        computed = _compute_shard(document, store, choice, part, name, arms, dashboard=dashboard)
        changes = {"--seeds": seeds, "--epochs": epochs, "--data": data}
        words = [str(word) for item in changes.items() if item[1] is not None for word in item]
        print_shard(computed, [study, *words], store, json=json)
        if any(entry.result is None or entry.result.scores is None for entry in computed.runs):
            output.tell("paribus: some runs of this shard failed. Run it again to try them once more")
            raise typer.Exit(ParibusError.exit_code)
        return
    with _open_session(document, store, choice) as (opened, computing):
        outcome = _compute_outcome(
            document,
            opened,
            store,
            computing,
            name,
            arms,
            until_decided=until_decided,
            max_seeds=max_seeds,
            dashboard=dashboard,
        )
    output.print_outcome(outcome, json=json)
    if not json:
        output.tell(f"The runs are stored in {store}; --store names another folder")
    if any(entry.scores is None for arm_outcome in outcome.arms for entry in arm_outcome.runs):
        # Beside the answer on stdout, not instead of it: with --json there is one document.
        output.tell("paribus: some runs failed; the notes say which and why. Run again to try them once more")
        raise typer.Exit(ParibusError.exit_code)


def noise(
    study: options.Study,
    arm: Annotated[
        str,
        typer.Option("--arm", metavar="NAME", help="The arm.", show_default=False, autocompletion=complete_arm),
    ],
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="Runs in which each stream varies.")] = 5,
    epochs: options.Epochs = None,
    data: options.Data = None,
    store: options.Store = DEFAULT_STORE,
    workers: options.Workers = None,
    lanes: options.Lanes = None,
    backend: options.BackendName = "local",
    address: options.Address = None,
    json: options.Json = False,
) -> None:
    """Share of an arm's variance that comes from init, order, dropout and the test sample. Trains what it needs."""
    from paribus.backends.choose import BackendChoice
    from paribus.display.choose import suitable
    from paribus.report.noise import shares_document, shares_table
    from paribus.runner.noise import measure_noise
    from paribus.study.identity import stored_name
    from paribus.study.load import load_study
    from paribus.study.overrides import check_arms, override

    declared = load_study(study)
    document = override(declared, epochs=epochs, data=data)
    check_arms(document, [arm])
    name = stored_name(declared, document)
    choice = BackendChoice(backend, workers, lanes, address)
    with _open_session(document, store, choice) as (opened, computing):
        shares = measure_noise(document, arm, seeds, opened, computing, suitable(store), stored_as=name)
    if json:
        output.print_json(shares_document(document.name, arm, shares))
    else:
        output.print_renderable(shares_table(document.name, arm, shares))


def _compute_outcome(
    study: StudyDocument,
    store: Store,
    folder: Path,
    backend: Backend,
    stored_as: str,
    arms: Sequence[str],
    *,
    until_decided: bool,
    max_seeds: int | None,
    dashboard: bool,
) -> Outcome:
    from paribus.runner.start import start_workers

    companion = dashboards.start_companion(folder) if dashboard else None
    start_workers(study, store, backend, stored_as=stored_as, arms=arms)
    # The other modules are imported while workers start.
    from paribus.display.choose import suitable
    from paribus.runner.run import run_study
    from paribus.runner.sequential import run_until_decided

    if companion is not None:
        companion.report(output.tell)
    if not until_decided:
        return run_study(study, store, backend, suitable(folder), stored_as=stored_as, arms=arms)
    return run_until_decided(study, store, backend, suitable(folder), max_seeds, stored_as=stored_as, arms=arms)


def _compute_shard(
    study: StudyDocument,
    store: Path,
    choice: BackendChoice,
    shard: Shard,
    stored_as: str,
    arms: Sequence[str],
    *,
    dashboard: bool,
) -> ShardOutcome:
    from paribus.runner.start import start_workers

    shard.check(study)
    with _open_session(study, store, choice) as (opened, backend):
        companion = dashboards.start_companion(store) if dashboard else None
        start_workers(study, opened, backend, stored_as=stored_as, arms=arms, shards=shard.count)
        from paribus.display.choose import suitable
        from paribus.runner.shard import run_shard

        if companion is not None:
            companion.report(output.tell)
        return run_shard(study, opened, backend, suitable(store), shard, stored_as=stored_as, arms=arms)


@contextmanager
def _open_session(study: StudyDocument, folder: Path, choice: BackendChoice) -> Iterator[tuple[Store, Backend]]:
    from paribus.backends.interruption import terminable
    from paribus.runner.session import backend_for, open_session

    backend = backend_for(study, choice)
    with terminable(), open_session(folder, backend, repeat="the same command") as store:
        yield store, backend
