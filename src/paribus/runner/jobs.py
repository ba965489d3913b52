"""What is asked of a backend: arms to be described, runs to be computed. What comes back is kept in the store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import Mistake, ModelError
from paribus.records import DataSummary, Described, DescribeJob, Ended, Recipe, Refused
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument
from paribus.study.fingerprint import recipe_key
from paribus.study.plan import RunPlan, with_class_indices


def compute_missing(planned: RunPlan, store: Store, backend: Backend, display: Display) -> None:
    """Run what is missing; a run is recorded before it is reported."""
    with display, closing(backend.run(planned.missing)) as events:
        for event in events:
            if isinstance(event, Ended):
                store.record(event.result)
            display.show(event)


def describe_arms(document: StudyDocument, data: DataSummary, store: Store, backend: Backend) -> Mapping[str, Recipe]:
    """The canonical form of every arm, from the store where it is known, else from Keras.

    Raises:
        ModelError: Keras refuses some arms; the error lists every mistake in all of them.
        StudyError: a weight is for a class that the data does not have.
    """
    recipes, refused = try_arms(document, data, store, backend)
    mistakes = [mistake for of_arm in refused.values() for mistake in of_arm]
    if mistakes:
        raise ModelError(f"study '{document.name}'", mistakes)
    return recipes


def try_arms(
    document: StudyDocument, data: DataSummary, store: Store, backend: Backend
) -> tuple[dict[str, Recipe], dict[str, list[Mistake]]]:
    """The canonical forms of the arms that can be built, and the mistakes in those that cannot.

    Raises:
        StudyError: a weight is for a class that the data does not have.
    """
    training, spec = document.protocol.training(), document.data.spec()
    with_class_indices(training, data, document.name)  # which refuses weights of classes that the data does not have
    keys = {name: recipe_key(arm, training, data) for name, arm in document.arms.items()}
    recipes = {name: recipe for name, key in keys.items() if (recipe := store.recipe(key)) is not None}
    jobs = [
        DescribeJob(name, arm.spec(), spec, document.protocol.training(arm.precision))
        for name, arm in document.arms.items()
        if name not in recipes
    ]
    refused: dict[str, list[Mistake]] = {}
    if jobs:
        with closing(backend.run(jobs)) as events:
            for event in events:
                if isinstance(event, Described):
                    store.save_recipe(keys[event.arm], event.recipe)
                    recipes[event.arm] = event.recipe
                elif isinstance(event, Refused):
                    refused[event.arm] = [Mistake(place, message) for place, message in event.mistakes]
    return recipes, refused


def stored_document(document: StudyDocument) -> str:
    """The study as it is kept: without its number of seeds, which later runs extend."""
    return document.model_dump_json(exclude={"seeds"})


def stored_arms(planned: RunPlan) -> tuple[StoredArm, ...]:
    """What a plan wants, in the store's terms: for each arm its seeds and fingerprints."""
    recipes = {job.arm: job.recipe for job in planned.wanted}
    return tuple(
        StoredArm(name, recipe, tuple(StoredRun(job.seeds, job.fingerprint) for job in planned.of_arm(name)))
        for name, recipe in recipes.items()
    )
