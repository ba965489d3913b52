"""``paribus predict``: what the stored networks say to pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli import options, output

Images = Annotated[
    list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files, or .npy arrays.", show_default=False)
]
OfStudy = Annotated[str, typer.Option("--study", metavar="STUDY", help=options.STUDY_HELP, show_default=False)]
Invert = Annotated[
    bool | None,
    typer.Option(
        "--invert/--no-invert",
        help="Whether black and white change places.",
        show_default="where the border says so",
    ),
]


def predict(
    images: Images,
    study: OfStudy,
    arm: options.Arms = None,
    invert: Invert = None,
    store: options.Store = options.DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """Ask the stored networks of a study about pictures: class probabilities, their mean and spread over the seeds."""
    from paribus.engine import environment

    # Before anything imports Keras, as a study in Python does.
    environment.prepare()
    from paribus.cli import predictions
    from paribus.predict.arms import predict_arms
    from paribus.predict.inputs import read_inputs
    from paribus.results.selection import select_runs
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    with SqliteStore.open(store, mode="read") as opened:
        chosen = select_runs(open_results(study, opened), arm or ())
        inputs = read_inputs(images, chosen.results.document.data.spec(), invert)
        answers = list(predict_arms(chosen, inputs))
    name, names = chosen.results.document.name, inputs.data.class_names
    if json:
        output.print_json(predictions.document(name, names, inputs, answers))
    else:
        output.print_renderable(predictions.renderable(name, names, inputs, answers))
    output.tell_left_out(chosen, networks_only=True)
