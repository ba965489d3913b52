"""``paribus export``: stored runs as files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE
from paribus.errors import UsageError

To = Annotated[
    Literal["keras", "parquet", "mlflow", "tensorboard"],
    typer.Option(
        "--to",
        help="keras: each network as a .keras file. parquet: tables of runs, epochs and predictions. mlflow: an MLflow "
        "database. tensorboard: event files.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="The folder to write.",
        show_default="STUDY-keras and so on",
        callback=options.expand_home,
    ),
]
OnlySeeds = Annotated[
    list[int] | None,
    typer.Option("--seed", metavar="N", help="Only this seed; repeat it for several.", show_default="all seeds"),
]
_ENDINGS = (".keras", ".h5", ".parquet", ".csv", ".db", ".sqlite", ".zip")
"""Of names that are meant for one file."""

Force = Annotated[bool, typer.Option("--force", help="Replace existing files.")]


def export(
    study: options.Study,
    to: To,
    out: Output = None,
    arm: options.Arms = None,
    seed: OnlySeeds = None,
    force: Force = False,
    store: options.Store = DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """Export a study that was run: networks to Keras, measures to Parquet, MLflow or TensorBoard."""
    output.refuse_file("--output", out, "an export is a folder of files", _ENDINGS)
    if force and to == "mlflow":
        raise UsageError("--force: runs are added to an MLflow database, and none is written twice; leave --force out")
    if to == "keras":
        from paribus.engine import environment

        # Before anything imports Keras, as a study in Python does.
        environment.prepare()
    from paribus.api.trained_models import export_runs
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    with SqliteStore.open(store, mode="read") as opened:
        exported = export_runs(open_results(study, opened), to, out, arms=arm or (), seeds=seed or (), replace=force)
    if exported.added is not None:
        output.tell(f"{exported.added} runs written, {exported.known} were already in it")
    files, selection = exported.files, exported.selection
    for path in files:
        (output.tell if json else output.print_line)(str(path))
    output.report_left_out(selection, networks_only=to == "keras")
    if json:
        output.print_json({"study": selection.results.document.name, "to": to, "files": [str(path) for path in files]})
