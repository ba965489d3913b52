"""``paribus show`` and ``paribus studies``: stored and built-in studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE, complete_place
from paribus.errors import UnknownNameError, UsageError, unknown_name

if TYPE_CHECKING:
    from paribus.records import RunResult
    from paribus.store.base import Store, StoredArm, StoredStudy

What = Annotated[
    str | None,
    typer.Argument(
        metavar="[STUDY[/ARM[/SEED]]]",
        help="What to show; everything that is stored by default.",
        autocompletion=complete_place,
    ),
]


def studies(json: options.Json = False) -> None:
    """List the studies that are built in."""
    from paribus.study import builtin as built_in
    from paribus.study.load import load_study

    documents = [load_study(name) for name in built_in.NAMES]
    if json:
        output.print_json(
            {
                "studies": [
                    {
                        "name": d.name,
                        "question": d.question,
                        "data": d.data.source,
                        "arms": list(d.arms),
                        "seeds": d.seeds,
                        "epochs": d.protocol.epochs,
                    }
                    for d in documents
                ]
            }
        )
        return
    from paribus.cli.views import render_studies

    output.print_renderable(render_studies(documents))


def show(what: What = None, store: options.Store = DEFAULT_STORE, json: options.Json = False) -> None:
    """Show what is stored: all studies, one study's arms, one arm's runs, or one run whole."""
    from paribus.cli import views as view
    from paribus.store.sqlite import SqliteStore

    parts = what.split("/") if what else []
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"{what}: expected STUDY, STUDY/ARM or STUDY/ARM/SEED, like mnist-mlps/big/0")
    with SqliteStore.open(store, mode="read") as opened:
        if not parts:
            document = view.view_studies(opened.studies(), _count_runs(opened))
        else:
            study = _find_study(opened, parts[0])
            arms = [_find_arm(study, parts[1])] if len(parts) > 1 else list(study.arms)
            runs = opened.runs([run.fingerprint for arm in arms for run in arm.runs])
            if len(parts) == 3:
                document = view.view_run(study, arms[0], _find_run(arms[0], parts[2], runs))
            else:
                document = view.view_study(study, arms, runs)
    if json:
        output.print_json(document.json)
    else:
        output.print_renderable(document.renderable)


def _count_runs(store: Store) -> dict[str, int]:
    """Count the stored runs of each study."""
    counts = {}
    for study in store.studies():
        fingerprints = [run.fingerprint for arm in study.arms for run in arm.runs]
        stored = store.runs(fingerprints)
        counts[study.label] = sum(fingerprint in stored for fingerprint in fingerprints)
    return counts


def _find_study(store: Store, name: str) -> StoredStudy:
    from paribus.results.stored_study import find_stored

    study = find_stored(name, store)
    if study is None:
        raise unknown_name("study", name, [stored.label for stored in store.studies()], "this store")
    return study


def _find_arm(study: StoredStudy, name: str) -> StoredArm:
    arms = {arm.name: arm for arm in study.arms}
    if name not in arms:
        raise unknown_name("arm", name, arms, f"study '{study.label}'")
    return arms[name]


def _find_run(arm: StoredArm, seed: str, runs: dict[str, RunResult]) -> RunResult:
    by_seed = {str(run.seeds.seed): result for run in arm.runs if (result := run.among(runs)) is not None}
    if seed not in by_seed:
        raise UnknownNameError(
            f"arm '{arm.name}' has no stored run with seed {seed}; stored seeds: {', '.join(by_seed) or 'none'}"
        )
    return by_seed[seed]
