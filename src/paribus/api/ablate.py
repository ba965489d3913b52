"""``pb.ablate``: the contribution of each part of a model, by comparing the model with variants without that part."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, Unpack

from paribus.ablation import AS_IT_IS, Variant, variants
from paribus.api.options import StudyOptions, show_options
from paribus.api.progress import choose_display
from paribus.api.results import Results
from paribus.api.study import Study
from paribus.api.text import render_text
from paribus.backends.base import Backend
from paribus.errors import Mistake, ModelError, UsageError, unknown_name
from paribus.errors.control_characters import show_control_characters
from paribus.records import StudyKind, canonical_json
from paribus.report import ablation as report
from paribus.report.ablation import AblationOutcome, Part
from paribus.results.stored_study import StoredResults
from paribus.runner.jobs import try_arms
from paribus.runner.run import carry_out, resolve_request
from paribus.runner.session import choose_backend, open_session
from paribus.store.base import Store
from paribus.study.document import Arm, DeclaredContrast, StudyDocument
from paribus.study.overrides import override
from paribus.study.request import StudyRequest

_COMPARISON_OPTIONS = ("grid", "tuning", "baseline", "contrasts", "levels", "primary", "primary_share")
"""Options of studies whose arms and contrasts the user names."""


class Ablation(Results):
    """What each part of a model contributes, the largest contribution first.

    ``repr`` and Jupyter show the table; everything else is as in :class:`Results`.

    Example:
        >>> ablation = pb.ablate(network(8), "digits", parts=["one-block-fewer", "half-width"], seeds=2, progress=False)
        >>> sorted((part.arm, part.change) for part in ablation.parts)
        [('half-width', 'half the units: 8 to 4'), ('one-block-fewer', 'without hidden layer 1 of 1, Dense(8)')]
        >>> ablation.contrast("as-it-is", "half-width").metric
        'test_accuracy'
    """

    def __init__(self, ablated: AblationOutcome, *resources: object, source: StoredResults | None = None) -> None:
        super().__init__(ablated.outcome, *resources, source=source)
        self.ablated = ablated

    @classmethod
    def of_parts(cls, ablated: AblationOutcome, store: Store, *resources: object) -> Self:
        """An ablation that reads from a store whose session has ended.

        Args:
            ablated: the outcome with its parts.
            store: the store that the session wrote; it is opened again to be read.
            *resources: other objects that the ablation needs as long as it lives.
        """
        results = Results.of(ablated.outcome, store, *resources)
        return cls(replace(ablated, outcome=results.outcome), results, source=results._require_stored("ablate"))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts in the order of their contributions; ``contrast(base, part.arm)`` says how much."""
        return tuple(part for part, _ in self.ablated.ranked())

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values, the same as ``paribus ablate --json`` prints."""
        return report.ablation_fields(self.ablated)

    def __repr__(self) -> str:
        return render_text(report.render_ablation(self.ablated))

    def _repr_html_(self) -> str:
        """What Jupyter shows: the table."""
        return show_control_characters(report.ablation_fragment(self.ablated))


@show_options(without=_COMPARISON_OPTIONS)
def ablate(
    model: Any,
    data: Any,
    *,
    parts: Sequence[str] = (),
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    lanes: int | None = None,
    backend: Backend | str | None = None,
    address: str | None = None,
    progress: bool = True,
    verbose: int | str = "auto",
    **options: Unpack[StudyOptions],
) -> Ablation:
    """Measure what each part of a Keras model contributes.

    The variants are, as far as the model has these parts: no dropout, no noise, no augmentation, no penalty of each
    kind, no constraints, no normalization of each kind, another activation, one block fewer, half and double the width,
    no weight decay, another optimizer. Each is an arm that is compared with the model as it is, on equal seeds.
    :class:`Study` describes the arguments that both have in more detail.

    Args:
        model: a Keras model, compiled or not; of a subclass with its own ``call`` only the optimizer is changed.
        data: a name, a path or arrays.
        parts: only these variants, by name, such as ``no-dropout``; all by default.
        seeds: the number of seeds.
        epochs: the number of passes through the training data.
        batch_size: examples in a batch.
        optimizer: for a model that is not compiled.
        loss: for a model that is not compiled.
        validation_split: the share at the end of the training data that is validated on.
        class_weight: weights of classes while training.
        early_stopping: the patience with which to stop on the validation loss.
        precision: of matrix products while training, "float32" or "bf16".
        margin: contributions smaller than this count as none.
        scale: pixels are divided by this.
        standardize: whether features are standardized.
        name: the name under which the study is stored.
        store: the folder for runs; by default they are in memory.
        workers: worker processes; one per GPU by default, or per core where there is none (a few more where that ends
            few runs sooner).
        lanes: how many seeds a worker trains side by side; by default 8 on a GPU, 1 on a core.
        backend: what computes the runs: "local" (the default), worker processes of this machine; "ray", the nodes
            of a Ray cluster; or a backend, which is closed at the end.
        address: with "ray" the cluster's address, "auto" for the one that this machine is part of; by default the
            one that ``RAY_ADDRESS`` names, else one of this machine alone.
        progress: whether to show progress.
        verbose: as in Keras's ``fit``: 0 shows nothing, 1 or "auto" progress in place, 2 a line for each run.

    Raises:
        UnknownNameError: the model has no such part; the message lists those that it has.
        UsageError, ModelError, StudyError, DataError: as :class:`Study` and :meth:`Study.run`.

    Example:
        >>> import keras, paribus as pb
        >>> layers = [keras.layers.Dropout(0.9), keras.layers.Dense(10, activation="softmax")]
        >>> model = keras.Sequential([keras.Input((64,)), *layers])
        >>> ablation = pb.ablate(model, "digits", parts=["no-dropout"], seeds=3, epochs=5, progress=False)
        >>> ablation.contrast("as-it-is", "no-dropout").verdict
        'worse'
    """
    for name in options:
        if name in _COMPARISON_OPTIONS:
            raise UsageError(f"{name}: ablate has one model and compares it with its variants; leave it out")
    named: StudyOptions = {"name": "ablation", **options}
    study = Study({AS_IT_IS: model}, data, **named)
    return ablate_arm(
        study,
        AS_IT_IS,
        parts=parts,
        store=store,
        workers=workers,
        lanes=lanes,
        backend=backend,
        address=address,
        progress=progress,
        verbose=verbose,
    )


def ablate_arm(
    study: Study,
    arm: str,
    *,
    parts: Sequence[str] = (),
    seeds: int | None = None,
    epochs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    lanes: int | None = None,
    backend: Backend | str | None = None,
    address: str | None = None,
    progress: bool = True,
    verbose: int | str = "auto",
) -> Ablation:
    """Ablate one arm of a study, under its protocol and on its data.

    Args:
        study: the study.
        arm: which of its arms.
        parts: only these variants; all by default.
        seeds: the number of seeds, if not the study's.
        epochs: the number of epochs, if not the study's.
        store: the folder for runs; by default they are in memory.
        workers: worker processes; one per GPU by default, or per core where there is none (a few more where that ends
            few runs sooner).
        lanes: how many seeds a worker trains side by side; by default 8 on a GPU, 1 on a core.
        backend: what computes the runs: "local" (the default), worker processes of this machine; "ray", the nodes
            of a Ray cluster; or a backend, which is closed at the end.
        address: with "ray" the cluster's address, "auto" for the one that this machine is part of; by default the
            one that ``RAY_ADDRESS`` names, else one of this machine alone.
        progress: whether to show progress.
        verbose: as :func:`ablate`.

    Raises:
        UsageError: as :func:`ablate`.
    """
    folder = None if store is None else Path(store).expanduser()
    base = _isolate_arm(override(study.document_in(folder), seeds=seeds, epochs=epochs), arm)
    computing = choose_backend(base, backend, workers=workers, lanes=lanes, address=address)
    display = choose_display(verbose, folder, progress=progress)
    with open_session(folder, computing) as opened:
        as_it_is = resolve_request(base, opened, computing, display, parameters=study.parameters)
        recipe = as_it_is.recipes[arm]
        selected = _select_variants(variants(json.loads(recipe.model), base.arms[arm].optimizer), parts)
        document, compared, left_out = _describe_variants(as_it_is, arm, selected, opened, computing)
        request = resolve_request(document, opened, computing, display)
        outcome = carry_out(replace(request, kind=StudyKind.ABLATION), opened, computing, display)
    return Ablation.of_parts(AblationOutcome(outcome, arm, compared, left_out), opened, study)


def _isolate_arm(document: StudyDocument, arm: str) -> StudyDocument:
    """The study of this arm alone."""
    if arm not in document.arms:
        raise unknown_name("arm", arm, document.arms, f"study '{document.name}'")
    if document.arms[arm].grid:
        raise UsageError(
            f"arm '{arm}' of study '{document.name}' is tuned, and its variants would not be: write the selected "
            "values into an arm without a grid, and ablate that one"
        )
    comparison = document.comparison.model_copy(update={"all_pairs": False, "factorial": False, "looks": ()})
    if document.arms[arm].estimator is not None:
        name = next(iter(document.arms[arm].estimator or ()))
        raise UsageError(
            f"arm '{arm}' is scikit-learn's {name}: networks are ablated layer by layer, and an estimator has no "
            "layers; write its variants as arms of a study, such as { RandomForestClassifier = { max_depth = 10 } }"
        )
    if document.arms[arm].initial_weights is not None:
        raise UsageError(
            f"arm '{arm}' starts from initial weights, which its variants cannot have: they would be worse for that "
            "alone. Ablate an arm without initial_weights"
        )
    base_arm = document.arms[arm].model_copy(update={"levels": {}})
    changes = {
        "name": document.name if arm == AS_IT_IS else f"ablate-{document.name}-{arm}"[:100].rstrip("-._"),
        "question": f"What does each part of {'the model' if arm == AS_IT_IS else arm} contribute?",
        "arms": {arm: base_arm},
        "contrasts": (),
        "comparison": comparison,
    }
    return document.model_copy(update=changes)


def _select_variants(available: tuple[Variant, ...], parts: Sequence[str]) -> tuple[Variant, ...]:
    known = [variant.name for variant in available]
    for part in parts:
        if part not in known:
            raise unknown_name("part", part, known, "this model")
    return tuple(variant for variant in available if not parts or variant.name in parts)


def _describe_variants(
    request: StudyRequest, arm: str, selected: tuple[Variant, ...], store: Store, backend: Backend
) -> tuple[StudyDocument, tuple[Part, ...], tuple[Part, ...]]:
    """The study of the variants that Keras can build and that differ from each other, and the variants left out."""
    base, data, recipe = request.study, request.data, request.recipes[arm]
    own = {"precision": base.arms[arm].precision, "learning_rates": base.arms[arm].learning_rates}
    arms = {
        variant.name: Arm(model=canonical_json(variant.model), optimizer=variant.optimizer, **own)
        for variant in selected
        if variant.name != arm
    }
    recipes, refused = try_arms(base.model_copy(update={"arms": arms}), data, store, backend)
    arm_of_network = {(recipe.model, recipe.optimizer): arm}
    compared: list[Part] = []
    left_out: list[Part] = []
    for variant in selected:
        part = Part(variant.name, variant.part, variant.change)
        if variant.name in refused:
            left_out.append(Part(part.arm, part.part, part.change, _shorten_reason(refused[variant.name])))
            continue
        network = recipes[variant.name].model, recipes[variant.name].optimizer
        if network in arm_of_network:
            left_out.append(
                Part(part.arm, part.part, part.change, f"it is the same network as {arm_of_network[network]}")
            )
            continue
        arm_of_network[network] = variant.name
        compared.append(part)
    if not compared:
        raise ModelError(f"study '{base.name}'", [Mistake(f"arm '{arm}'", "no part of it can be left out or changed")])
    compared_arms = {arm: base.arms[arm], **{part.arm: arms[part.arm] for part in compared}}
    contrasts = tuple(DeclaredContrast(a=arm, b=part.arm) for part in compared)
    return base.model_copy(update={"arms": compared_arms, "contrasts": contrasts}), tuple(compared), tuple(left_out)


def _shorten_reason(mistakes: Sequence[Mistake]) -> str:
    text = mistakes[0].message.rstrip(".")
    return text if len(text) <= 200 else f"{text[:197]}..."
