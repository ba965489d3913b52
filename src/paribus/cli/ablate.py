"""``paribus ablate``: what does each part of a model contribute?"""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli import options, output
from paribus.cli.completion import DEFAULT_STORE

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A .keras file, module:function that returns a Keras model, or an arm of a study: mnist-mlps/big-dropout.",
        show_default=False,
    ),
]
Parts = Annotated[
    list[str] | None,
    typer.Option("--part", metavar="NAME", help="Only this variant, like no-dropout; repeat it for several."),
]


def ablate(
    model: Model,
    data: options.Data = None,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    part: Parts = None,
    store: options.Store = DEFAULT_STORE,
    workers: options.Workers = None,
    lanes: options.Lanes = None,
    backend: options.BackendName = "local",
    address: options.Address = None,
    json: options.Json = False,
) -> None:
    """Compare a model with its variants: without dropout, without penalties, without normalization ..."""
    from paribus.api.ablate import ablate_arm
    from paribus.api.model_argument import read_model_argument
    from paribus.report import ablation as report

    study, arm = read_model_argument(model, data)
    ablation = ablate_arm(
        study,
        arm,
        parts=part or (),
        seeds=seeds,
        epochs=epochs,
        store=store,
        workers=workers,
        lanes=lanes,
        backend=backend,
        address=address,
    )
    if json:
        output.print_json(report.ablation_fields(ablation.ablated))
    else:
        output.print_renderable(report.render_ablation(ablation.ablated))
