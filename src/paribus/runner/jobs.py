"""Jobs for a backend: arms to describe and runs to compute. Their results are stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import Mistake, ModelError
from paribus.keras_config.names import is_binary_loss
from paribus.records import DataSummary, Described, DescribeJob, Ended, Recipe, Refused, is_loss
from paribus.runner.recorder import Recorder
from paribus.store.base import Store, StoredArm, StoredRun
from paribus.study.document import StudyDocument
from paribus.study.fingerprint import recipe_key
from paribus.study.plan import RunPlan, with_class_indices


def compute_missing(planned: RunPlan, store: Store, backend: Backend, display: Display) -> None:
    """Compute the missing runs of a plan; a run is stored before it is displayed.

    Runs that end at the same time are stored with one commit: ``docs/decisions/0126-commits-in-groups.md``.

    Args:
        planned: the plan of the runs.
        store: where runs are recorded as soon as they have ended.
        backend: computes the runs.
        display: shows every event.

    Raises:
        StoreError, BackendError, DataError: as their names say; runs that have ended stay stored.
    """
    with display, closing(Recorder(store, display)) as recorder, closing(backend.run(planned.missing)) as events:
        for event in events:
            if isinstance(event, Ended):
                recorder.add(event)
            else:
                display.show(event)
            if not recorder.is_empty and (recorder.is_due or not backend.has_more):
                recorder.commit()


def describe_arms(document: StudyDocument, data: DataSummary, store: Store, backend: Backend) -> Mapping[str, Recipe]:
    """Get the canonical form of every arm, from the store where it is known, else from a worker with Keras.

    Why workers describe arms: ``docs/decisions/0003-workers-describe-arms.md``.

    Args:
        document: the study, its arms untuned or with the selected values.
        data: the summary of its data.
        store: has the canonical forms that are known; new ones are added to it.
        backend: describes the others.

    Returns:
        The canonical form of each arm by its name.

    Raises:
        ModelError: Keras refuses some arms; the error lists every mistake in all of them.
        StudyError: a weight is for a class that the data does not have.
    """
    recipes, refused = try_arms(document, data, store, backend)
    mistakes = [mistake for arm_mistakes in refused.values() for mistake in arm_mistakes]
    if mistakes:
        raise ModelError(f"study '{document.name}'", mistakes)
    return recipes


def try_arms(
    document: StudyDocument, data: DataSummary, store: Store, backend: Backend
) -> tuple[dict[str, Recipe], dict[str, list[Mistake]]]:
    """Describe the arms that can be built, and list the mistakes of those that cannot.

    Args:
        document: as for :func:`describe_arms`; so are the others.
        data: the summary of its data.
        store: has the canonical forms that are known; new ones are added to it.
        backend: describes the others.

    Returns:
        The canonical forms and the lists of mistakes, both by the name of the arm; every arm is in one of them.

    Raises:
        StudyError: a weight is for a class that the data does not have.
        ModelError: a contrast is on a loss that one of its arms does not have.
    """
    training, spec = document.protocol.training(), document.data.sample_spec()
    with_class_indices(training, data, document.name)  # raises for weights of classes that the data does not have
    if mistakes := _find_undefined_losses(document, data):
        raise ModelError(f"study '{document.name}'", mistakes)
    keys = {name: recipe_key(arm, training, data) for name, arm in document.arms.items()}
    recipes = {name: recipe for name, key in keys.items() if (recipe := store.recipe(key)) is not None}
    jobs = [
        DescribeJob(
            name,
            arm.spec(),
            spec,
            document.protocol.training(arm),
            None if arm.initial_weights is None else arm.initial_weights.as_record(),
        )
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


def _find_undefined_losses(document: StudyDocument, data: DataSummary) -> list[Mistake]:
    """Contrasts on a loss of an estimator under a binary loss of more than two classes, which estimators do not have.

    ``study/rules.py`` refuses the same under other losses; it does not know the number of classes.
    """
    if not is_binary_loss(document.protocol.loss) or data.classes <= 2:
        return []
    return [
        Mistake(
            f"contrast {number}",
            f"{contrast.metric} of '{name}': binary cross-entropy over {data.classes} classes, and a scikit-learn "
            'estimator is measured by its log loss alone; let the loss be "categorical_crossentropy"',
        )
        for number, contrast in enumerate(document.contrasts, 1)
        for name in (contrast.a, contrast.b)
        if is_loss(contrast.metric) and name in document.arms and document.arms[name].estimator is not None
    ]


def check_parameters(
    document: StudyDocument, data: DataSummary, store: Store, backend: Backend, parameters: Mapping[str, int]
) -> None:
    """Refuse a network that is rebuilt with another number of weights than the caller's: its config hides arguments.

    Args:
        document: the study, its arms untuned.
        data: its data.
        store: holds the canonical forms that are known.
        backend: describes the others.
        parameters: the number of weights of an arm's network, where it is known.

    Raises:
        ModelError: the numbers differ.
    """
    if not parameters:
        return
    recipes = describe_arms(document, data, store, backend)
    mistakes = [
        Mistake(
            f"arm '{name}'",
            f"rebuilt from its config the network has {recipe.parameters:,} parameters, yours has "
            f"{parameters[name]:,}: get_config of a class in it does not return every argument of __init__",
        )
        for name, recipe in recipes.items()
        if parameters.get(name, recipe.parameters) != recipe.parameters
    ]
    if mistakes:
        raise ModelError(f"study '{document.name}'", mistakes)


def list_arms(planned: RunPlan) -> tuple[StoredArm, ...]:
    """List the arms of a plan as the store records them: each with its seeds and fingerprints."""
    recipes = {job.arm: job.recipe for job in planned.jobs}
    return tuple(
        StoredArm(name, recipe, tuple(StoredRun(job.seeds, job.fingerprint) for job in planned.of_arm(name)))
        for name, recipe in recipes.items()
    )
