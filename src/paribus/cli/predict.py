"""``paribus predict``: predictions of stored networks for pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE, complete_study

Images = Annotated[
    list[Path],
    typer.Argument(
        metavar="IMAGE...",
        help="PNG, JPEG, WebP or BMP files, or .npy arrays.",
        show_default=False,
        callback=options.expand_homes,
    ),
]
OfStudy = Annotated[
    str,
    typer.Option(
        "--study", metavar="STUDY", help=options.STUDY_HELP, show_default=False, autocompletion=complete_study
    ),
]
Invert = Annotated[
    bool | None,
    typer.Option(
        "--invert/--no-invert",
        help="Whether black and white are exchanged.",
        show_default="where the border says so",
    ),
]

Repeat = Annotated[
    int | None,
    typer.Option(
        "--repeat", metavar="N", help="With folds: only the networks of this repetition.", show_default="all of them"
    ),
]
Fold = Annotated[
    int | None,
    typer.Option(
        "--fold",
        metavar="N",
        help="With folds: only the networks that were tested on this fold.",
        show_default="all of them",
    ),
]


def predict(
    images: Images,
    study: OfStudy,
    arm: options.Arms = None,
    invert: Invert = None,
    repeat: Repeat = None,
    fold: Fold = None,
    store: options.Store = DEFAULT_STORE,
    json: options.Json = False,
) -> None:
    """Classify pictures with the networks of a study: class probabilities, with mean and spread over the seeds."""
    from paribus.engine import environment

    # A study in Python may import Keras, which must not happen before this.
    environment.prepare()
    from paribus.cli import predictions
    from paribus.predict.arms import predict_arms
    from paribus.predict.inputs import read_inputs
    from paribus.results.selection import select_runs
    from paribus.results.stored_study import open_results
    from paribus.store.sqlite import SqliteStore

    with SqliteStore.open(store, mode="read") as opened:
        selection = select_runs(open_results(study, opened), arm or (), repeat=repeat, fold=fold)
        inputs = read_inputs(images, selection.results.document.data.spec(), invert)
        answers = list(predict_arms(selection, inputs))
    name, names = selection.results.document.name, inputs.data.class_names
    if json:
        output.print_json(predictions.predictions_fields(name, names, inputs, answers))
    else:
        output.print_renderable(predictions.render_predictions(name, names, inputs, answers))
    output.report_left_out(selection, networks_only=True)
