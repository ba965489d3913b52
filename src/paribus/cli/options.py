"""Arguments and options that several commands share. A flag beats ``PARIBUS_*`` in the environment beats the study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli.completion import complete_arm, complete_study
from paribus.errors import UsageError

STUDY_HELP = "A built-in study (see `paribus studies`), a .toml file, or module:object."

Study = Annotated[
    str, typer.Argument(metavar="STUDY", help=STUDY_HELP, show_default=False, autocompletion=complete_study)
]


def expand_home(path: Path | None) -> Path | None:
    """A path with ``~`` spelled out, which a shell leaves in ``--store=~/runs`` and in the environment.

    Raises:
        UsageError: it names a user who has no home here.
    """
    try:
        return None if path is None else path.expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: {error}; write the whole path") from error


def expand_homes(paths: list[Path] | None) -> list[Path] | None:
    """Several paths with ``~`` spelled out.

    Raises:
        UsageError: one of them names a user who has no home here.
    """
    return None if paths is None else [whole for path in paths if (whole := expand_home(path)) is not None]


Store = Annotated[
    Path,
    typer.Option(
        "--store", metavar="DIR", envvar="PARIBUS_STORE", help="The folder where runs are stored.", callback=expand_home
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Seeds = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        metavar="N",
        envvar="PARIBUS_SEEDS",
        help="Train every arm with seeds 0 to N-1.",
        show_default="the study's",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs", metavar="N", envvar="PARIBUS_EPOCHS", help="Epochs of every run.", show_default="the study's"
    ),
]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arm",
        metavar="NAME",
        help="Only this arm; repeat it for several.",
        show_default="all arms",
        autocompletion=complete_arm,
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SOURCE",
        envvar="PARIBUS_DATA",
        help="Other data: a name or a path.",
        show_default="the study's",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        envvar="PARIBUS_WORKERS",
        help="Worker processes.",
        show_default="one per core or GPU; a few more where few runs end sooner so",
    ),
]
Lanes = Annotated[
    int | None,
    typer.Option(
        "--lanes",
        metavar="N",
        envvar="PARIBUS_LANES",
        help="Seeds that a worker trains side by side; more than 1 gains nothing on a CPU.",
        show_default="8 on a GPU, else 1",
    ),
]
BackendName = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="NAME",
        envvar="PARIBUS_BACKEND",
        help="What computes: `local`, processes of this machine, or `ray`, the nodes of a Ray cluster.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="With --backend ray: the cluster's HOST:PORT, or `auto` for the one that this machine is part of.",
        show_default="RAY_ADDRESS, else a cluster of this machine alone",
    ),
]
