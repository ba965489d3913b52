"""From Keras models in Python to arms of a study. Models are recipes: their weights count where the caller says so."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType
from typing import Any

from paribus.api import keras_objects
from paribus.api.estimators import is_estimator, write_estimator_arm
from paribus.api.initial_weights import find_lost_settings, rebuild, write_weights
from paribus.api.live_model import find_unwritten_state
from paribus.api.lost_attributes import find_lost_attributes
from paribus.errors import Mistake, ModelError, UsageError
from paribus.keras_config import custom_objects
from paribus.records import canonical_json
from paribus.study.document import Arm

OWN_TRAINING = (
    *("train_step", "compute_loss", "compute_loss_and_updates", "fit", "train_on_batch", "make_train_function"),
    *("test_step", "evaluate", "predict_step"),
)
"""Methods that a class overrides to train, or to be measured, in its own way."""


@dataclass(frozen=True, slots=True)
class ModelArm:
    """A model as an arm of a study.

    Attributes:
        arm: the recipe.
        loss: the loss it was compiled with; None for a model that was not compiled, and for an estimator.
        input_shape: the shape of its examples; None where it is not known.
        parameters: its number of weights; None before it is built.
    """

    arm: Arm
    loss: keras_objects.ObjectTable | None
    input_shape: tuple[int | None, ...] | None
    parameters: int | None


def read_models(
    models: Mapping[str, Any], optimizer: Any, initial_weights: Sequence[str] = (), folder: Path | None = None
) -> dict[str, ModelArm]:
    """Read every model as an arm. Nothing is trained.

    Args:
        models: Keras models, compiled or not, and scikit-learn estimators, by the name of their arm.
        optimizer: for Keras models that are not compiled.
        initial_weights: the arms that start from the weights that their models have.
        folder: where those weights are written; it lasts as long as the study.

    Returns:
        The arms, by name.

    Raises:
        UsageError: an object of another kind, or an optimizer that Keras does not have.
        ModelError: models that cannot be trained elsewhere, with every reason.
    """
    import keras

    default_optimizer = keras_objects.write_optimizer(optimizer)
    arms: dict[str, ModelArm] = {}
    mistakes: list[Mistake] = []
    for name, model in models.items():
        place = f"arm '{name}'"
        if is_estimator(model):
            try:
                arms[name] = ModelArm(write_estimator_arm(model), None, None, None)
            except ValueError as error:
                mistakes.append(Mistake(place, str(error)))
            continue
        if not isinstance(model, keras.Model):
            hint = "; call it, if it returns one" if callable(model) else ""
            raise UsageError(
                f"{place}: a Keras model or a scikit-learn estimator is expected, this is {type(model).__name__}{hint}"
            )
        starts = name in initial_weights
        objections = [Mistake(place, text) for text in _find_objections(model, starts=starts)]
        if not objections:
            config = _serialize(model)
            objections = [Mistake(place, text) for text in _find_unreachable_classes(config)]
        if not objections and starts:
            rebuilt = rebuild(config)
            objections = [Mistake(place, text) for text in find_lost_settings(model, rebuilt)]
        mistakes += objections
        if not objections:
            arms[name] = _read_model(model, config, default_optimizer)
        if not objections and starts:
            assert folder is not None, "a study that has such arms has a folder for their weights"
            weights = write_weights(model, rebuilt, folder / f"{len(arms)}.weights.h5")
            arms[name] = replace(arms[name], arm=arms[name].arm.model_copy(update={"initial_weights": weights}))
    if mistakes:
        raise ModelError("models", mistakes)
    return arms


def _read_model(model: Any, config: dict[str, Any], default_optimizer: keras_objects.ObjectTable) -> ModelArm:
    compiled = model.get_compile_config() if model.compiled else None
    inputs = getattr(model, "inputs", None)
    return ModelArm(
        Arm(
            model=canonical_json(config),
            optimizer=keras_objects.write_optimizer(compiled["optimizer"]) if compiled else default_optimizer,
        ),
        keras_objects.write_loss(compiled["loss"]) if compiled else None,
        tuple(inputs[0].shape[1:]) if inputs and len(inputs) == 1 else None,
        model.count_params() if model.built else None,
    )


def _serialize(model: Any) -> dict[str, Any]:
    """Serialize a model to plain JSON values, without its compile arguments."""
    import keras

    with warnings.catch_warnings():
        # Keras warns of lambdas; the worker's Keras refuses those that _find_objections misses.
        warnings.simplefilter("ignore")
        config = keras.saving.serialize_keras_object(model)
    recipe = {key: value for key, value in config.items() if key != "compile_config"}
    if getattr(model, "inputs", None):
        recipe.pop("build_config", None)
    sources = custom_objects.source_digests(recipe)
    plain: dict[str, Any] = json.loads(json.dumps({**recipe, custom_objects.SOURCES: sources} if sources else recipe))
    return plain


def _find_objections(model: Any, *, starts: bool) -> Iterator[str]:
    """Yield a message for everything in a model that a worker could not rebuild from its config.

    ``starts``: whether runs start from the weights that the model has.
    """
    import keras

    for method in OWN_TRAINING:
        if (owner := _find_owner(model, method)) is not None:
            yield (
                f"class {owner.__name__} has a {method} of its own, which is not followed: arms are all trained and "
                "measured in one and the same way; use a layer's add_loss for a penalty, or leave it out"
            )
    for layer in _list_layers(model):
        if isinstance(layer, keras.layers.Lambda):
            yield (
                f"layer '{layer.name}' is a Lambda, whose Python code does not travel; write a layer class with "
                "@keras.saving.register_keras_serializable() in a module"
            )
        elif not layer.trainable and layer.weights and not starts:
            yield (
                f"layer '{layer.name}' is frozen, and each seed draws new weights: it would stay as it is drawn. Say "
                "initial_weights=[...] with the names of the arms that start from the weights that their models have, "
                "or set trainable = True"
            )
        elif lambdas := _find_lambdas(layer):
            yield (
                f"layer '{layer.name}' has a lambda as its {', '.join(lambdas)}, whose Python code does not travel; "
                "write a function with @keras.saving.register_keras_serializable() in a module"
            )
        elif unsaved := _find_unsaved_arguments(layer):
            yield (
                f"class {type(layer).__name__} has no get_config that returns its {', '.join(unsaved)}: "
                "return {**super().get_config(), ...} with every argument of __init__"
            )
        else:
            yield from find_lost_attributes(layer)
    yield from find_unwritten_state(model, starts=starts)
    compiled = model.get_compile_config() if model.compiled else None
    if compiled is not None:
        loss = compiled["loss"]
        if loss is None or isinstance(loss, (list, tuple)) or (isinstance(loss, dict) and "class_name" not in loss):
            yield "it is compiled with no loss, or with several; a classifier has one"
        if compiled.get("loss_weights") is not None:
            yield "it is compiled with loss_weights, which are not followed; leave them out"


def _find_lambdas(layer: Any) -> list[str]:
    """Find the arguments of a layer of Keras that are lambdas."""
    if not type(layer).__module__.startswith("keras."):
        return []
    functions = {name: value for name, value in vars(layer).items() if isinstance(value, FunctionType)}
    return [name for name, value in functions.items() if value.__name__ == "<lambda>"]


def _find_unsaved_arguments(layer: Any) -> list[str]:
    """Find the arguments of a model class that Keras serializes with their defaults, whatever they are (keras 3.15)."""
    import keras

    kerass = type(layer).__module__.startswith("keras.")
    if not isinstance(layer, keras.Model) or kerass or getattr(layer, "inputs", None):
        return []
    if _find_owner(layer, "get_config") is not None:
        return []
    return [name for name in inspect.signature(type(layer).__init__).parameters if name not in _KERAS_ARGUMENTS]


def _find_owner(model: Any, method: str) -> type | None:
    """Find the user's class that defines a method; None where the method is Keras's."""
    owner = next((cls for cls in type(model).__mro__ if method in vars(cls)), object)
    return None if owner is object or owner.__module__.startswith("keras.") else owner


_KERAS_ARGUMENTS = frozenset({"self", "args", "kwargs", "name", "dtype", "trainable"})


def _list_layers(model: Any) -> Iterator[Any]:
    """The model and all layers in it, however deep."""
    yield from model._flatten_layers()


def _find_unreachable_classes(config: dict[str, Any]) -> Iterator[str]:
    """Find classes and functions that a worker cannot import: not registered, or defined in a script or notebook."""
    for name in sorted(set(_find_unregistered(config))):
        yield (
            f"class {name} is not registered with Keras, so that a worker cannot find it: decorate it with "
            "@keras.saving.register_keras_serializable()"
        )
    for name in custom_objects.registered_names(config):
        module = custom_objects.module_of(name)
        if not custom_objects.importable(module):
            yield (
                f"'{name.split('>')[-1]}' is defined in {_describe_module(module)}, which workers do not see: "
                "put it in a module (a .py file beside it) and import it from there"
            )


def _describe_module(module: str) -> str:
    return "the script or notebook itself (__main__)" if module == "__main__" else f"'{module}', which has no file"


def _find_unregistered(value: Any) -> Iterator[str]:
    """Find the classes in a config that are neither Keras's nor registered."""
    if isinstance(value, dict):
        name, module = value.get("class_name"), value.get("module")
        foreign = isinstance(module, str) and module.split(".", 1)[0] not in {"keras", "builtins"}
        if foreign and isinstance(name, str) and ">" not in str(value.get("registered_name")):
            yield name
        for item in value.values():
            yield from _find_unregistered(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _find_unregistered(item)
