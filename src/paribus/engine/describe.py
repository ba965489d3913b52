"""From an arm as a study writes it to its canonical form. Keras judges; every mistake is reported, with its place."""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from paribus.engine import canonical
from paribus.engine.arguments import unknown_arguments
from paribus.engine.initial_weights import read_initial_weights, with_initial_weights
from paribus.engine.input_range import scaled_twice
from paribus.engine.losses import OutputKind, output_kind, reads_one_output, threshold
from paribus.engine.metrics import ProtocolMetrics, metric_objections
from paribus.engine.network import forget_what_was_built
from paribus.engine.rebuild import as_read, input_shape, model_from_config, output_shape
from paribus.engine.steps import EVALUATION_BATCH
from paribus.engine.trainability import (
    differs_when_rebuilt,
    inference_objection,
    objections,
    only_plain,
    rebuilt,
    stuck,
)
from paribus.engine.untrusted import REFUSED, objection, refused_layers, too_large
from paribus.errors import Mistake, ModelError, UsageError
from paribus.keras_config.custom_objects import module_of, registered_names
from paribus.keras_config.ends import ALIKE_ALONE, POSITIVE, last_activation
from paribus.keras_config.graph import shared_layers
from paribus.records import DescribeJob, LayerSummary, Recipe, Training

_KERAS_REFUSES = (ValueError, TypeError, NotImplementedError, ImportError, AttributeError, KeyError, IndexError)
"""What Keras raises of a layer or a network that it cannot build."""

_COLOURS = re.compile(r"\x1b\[\d+m")
"""With which Keras marks its messages for a terminal."""

_NAMESPACES: Mapping[str, ModuleType] = {
    "regularizer": keras.regularizers,
    "initializer": keras.initializers,
    "constraint": keras.constraints,
    "learning_rate": keras.optimizers.schedules,
    "layer": keras.layers,
    "cell": keras.layers,
}


def describe(
    job: DescribeJob,
    example_shape: tuple[int, ...],
    classes: int,
    class_names: Sequence[str] = (),
    ends: tuple[float, float] | None = None,
) -> Recipe:
    """Build an arm's network and optimizer without drawing a single weight, and write down their canonical form.

    Args:
        job: the arm as it is written.
        example_shape: the shape of one example of the data.
        classes: how many classes the data has.
        class_names: what they are called; their numbers by default.
        ends: the smallest and the largest value that a network reads, where they are known.

    Returns:
        The recipe: configs as JSON, the number of parameters, a summary of the layers.

    Raises:
        ModelError: Keras refuses a layer, the network or the optimizer, or the network's output does not fit the
            labels; the error lists every mistake.
    """
    place = f"arm '{job.arm}'"
    spec = json.loads(job.spec)
    mistakes: list[Mistake] = []
    forget_what_was_built()
    with keras.StatelessScope(initialize_variables=False):
        if "model" in spec:
            model = _attempt(
                lambda: model_from_config(_config(spec["model"]), example_shape), f"{place}, model", mistakes
            )
        else:
            layers = [
                _construct(keras.layers, layer, f"{place}, layer {i}", mistakes)
                for i, layer in enumerate(spec["layers"], 1)
            ]
            model = None if mistakes else _stack(example_shape, layers, place, mistakes)
        if model is not None and not mistakes:
            large = too_large(model, min(job.training.batch_size, EVALUATION_BATCH))
            mistakes += [] if large is None else [Mistake(place, large)]
            mistakes += _check_shapes(model, job.training.loss, example_shape, classes, place)
    forget_what_was_built()
    optimizer = _construct(keras.optimizers, spec["optimizer"], f"{place}, optimizer", mistakes)
    if optimizer is not None:
        mistakes += _stuck(optimizer, spec["optimizer"], f"{place}, optimizer")
    if mistakes or model is None or optimizer is None:
        raise ModelError(f"arm '{job.arm}'", mistakes)
    text = canonical.model_text(model, example_shape)
    if job.initial_weights is not None:
        try:
            text = with_initial_weights(text, read_initial_weights(text, job.initial_weights))
        except UsageError as error:
            raise ModelError(f"arm '{job.arm}'", [Mistake(place, str(error))]) from error
    with keras.StatelessScope(initialize_variables=False):
        # The summary is of what the text describes, with its names; a text that cannot be read again is refused.
        model = _attempt(lambda: model_from_config(json.loads(text), example_shape), place, mistakes)
    forget_what_was_built()
    if model is None:
        raise ModelError(f"arm '{job.arm}'", mistakes)
    recipe = Recipe(text, canonical.optimizer_text(optimizer), model.count_params(), _layer_summaries(model))
    network, wrong = rebuilt(recipe, job.training)
    reasons = [wrong] if network is None else objections(network, example_shape)
    if network is not None and not reasons and differs_when_rebuilt(network, recipe, job.training, example_shape):
        modules = sorted(
            {Path(str(sys.modules[module_of(name)].__file__)).name for name in registered_names(json.loads(text))}
        )
        reasons = [
            f"built twice from the same config, it is not the same network: a class of yours ({', '.join(modules)}) "
            "draws random numbers that depend on no seed. Draw with keras.random and a keras.random.SeedGenerator, "
            "with an initializer of Keras, or from numpy.random.default_rng(seed) with a seed that get_config returns"
        ]
    if network is not None and not reasons and not only_plain(network):
        changing = inference_objection(network, example_shape)
        reasons = [] if changing is None else [changing]
    if network is not None and not reasons and ends is not None and not only_plain(network):
        twice = scaled_twice(network, *ends, example_shape)
        reasons = [] if twice is None else [twice]
    mistakes = [Mistake(place, text) for text in reasons]
    mistakes += metric_mistakes(job.training, class_names or range_names(classes), int(output_shape(model)[-1] or 0))
    if mistakes:
        raise ModelError(f"arm '{job.arm}'", mistakes)
    return recipe


def metric_mistakes(
    training: Training, class_names: Sequence[str], outputs: int, *, of_estimator: bool = False
) -> list[Mistake]:
    """Why the protocol's added metrics cannot be measured on an arm, or its ``positive`` names no class.

    Args:
        training: the protocol.
        class_names: the names of the classes, by index.
        outputs: how many outputs the arm has.
        of_estimator: whether the arm is a scikit-learn estimator.

    Returns:
        One mistake for each objection; empty where all metrics can be measured.
    """
    try:
        metrics = ProtocolMetrics.of_training(training, class_names, of_estimator=of_estimator)
    except ValueError as error:
        return [Mistake("protocol, positive", str(error))]
    except UsageError as error:
        return [Mistake("protocol, metrics", str(error))]
    return [Mistake("protocol, metrics", text) for text in metric_objections(metrics, outputs)]


def range_names(classes: int) -> tuple[str, ...]:
    """The names of classes that have none: ``"0"``, ``"1"`` and so on."""
    return tuple(map(str, range(classes)))


def _config(text: str) -> dict[str, Any]:
    """A model's config from its JSON; anything else is refused."""
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}; a model is what keras.Model.to_json() returns") from None
    except RecursionError:
        raise ValueError("nested too deeply; a model is what keras.Model.to_json() returns") from None
    if not isinstance(config, dict):
        raise TypeError(f"{text[:40]} is no Keras config; a model is what keras.Model.to_json() returns")
    if refused := sorted(set(refused_layers(config))):
        raise ValueError("; ".join(refused))
    if shared := sorted(set(shared_layers(config))):
        raise ValueError(
            f"layer '{shared[0]}' is shared by several layers, which a config alone does not carry; call one layer "
            "twice in a functional model, or write a layer class that holds it"
        )
    return config


def _attempt(build: Callable[[], Any], place: str, mistakes: list[Mistake]) -> Any:
    """Let Keras try; what it objects to becomes a mistake with a place."""
    try:
        return build()
    except _KERAS_REFUSES as error:
        mistakes.append(Mistake(place, _brief(error)))
        return None


def _brief(error: Exception) -> str:
    """The first cause of what Keras says, without the configs that it appends."""
    while isinstance(error.__context__, (ValueError, TypeError)) and not error.__suppress_context__:
        error = error.__context__
    text = re.split(r"\s*(?:(?:Full object |Received:? )?config\s*[:=]|If you trust)", str(error), maxsplit=1)[0]
    return " ".join(_COLOURS.sub("", text).split())


def _construct(namespace: ModuleType, spec: dict[str, dict[str, Any]], place: str, mistakes: list[Mistake]) -> Any:
    """``{Dense = {units = 100}}`` -> ``keras.layers.Dense(units=100)``."""
    ((name, arguments),) = spec.items()
    if namespace is keras.layers and name in REFUSED:
        mistakes.append(Mistake(place, objection(name)))
        return None
    cls = getattr(namespace, name, None)
    if not isinstance(cls, type):
        classes = {n.lower(): n for n in dir(namespace) if n[0].isupper()}
        close = [classes[n] for n in difflib.get_close_matches(name.lower(), classes, n=1)]
        hint = f"; did you mean {close[0]}?" if close else ""
        mistakes.append(Mistake(place, f"{namespace.__name__.removesuffix('.api')} has no class '{name}'{hint}"))
        return None
    before = len(mistakes)
    mistakes += [Mistake(f"{place} ({name})", text) for text in unknown_arguments(cls, arguments)]
    resolved = {key: _resolve(key, value, f"{place}, {key}", mistakes) for key, value in arguments.items()}
    if len(mistakes) > before:
        return None
    return _attempt(lambda: cls(**resolved), f"{place} ({name})", mistakes)


def _stuck(optimizer: Any, spec: dict[str, dict[str, Any]], place: str) -> list[Mistake]:
    """What keeps an optimizer from taking a step: every argument that does so by itself, or all of them together."""
    reason = stuck(optimizer)
    if reason is None:
        return []
    ((name, arguments),) = spec.items()
    mistakes = []
    for key, value in arguments.items():
        alone = _construct(keras.optimizers, {name: {key: value}}, place, [])
        why = None if alone is None else stuck(alone)
        if why is not None:
            mistakes.append(Mistake(f"{place} ({name}), {key}", f"{json.dumps(value)[:100]}: {why}"))
    return mistakes or [Mistake(f"{place} ({name})", reason)]


def _resolve(key: str, value: Any, place: str, mistakes: list[Mistake]) -> Any:
    """Arguments that are Keras objects themselves: ``kernel_regularizer = { L2 = { l2 = 0.001 } }``."""
    namespace = next((namespace for suffix, namespace in _NAMESPACES.items() if key.endswith(suffix)), None)
    if (
        namespace is not None
        and isinstance(value, dict)
        and len(value) == 1
        and isinstance(next(iter(value.values())), dict)
    ):
        return _construct(namespace, value, place, mistakes)
    return tuple(value) if isinstance(value, list) else value


def _stack(input_shape: tuple[int, ...], layers: list[Any], place: str, mistakes: list[Mistake]) -> Any:
    here, before = f"{place}, layers on input of shape {input_shape}", len(mistakes)
    model = _attempt(lambda: keras.Sequential([keras.Input(input_shape), *layers]), here, mistakes)
    if len(mistakes) > before:
        # Keras does not always say which layer it means.
        number = next((i for i in range(1, len(layers)) if not _stacks(input_shape, layers[:i])), len(layers))
        culprit = type(layers[number - 1]).__name__
        if culprit not in mistakes[-1].message:
            mistakes[-1] = Mistake(here, f"{mistakes[-1].message} (layer {number}, {culprit})")
    return model


def _stacks(input_shape: tuple[int, ...], layers: list[Any]) -> bool:
    """Whether Keras can stack these layers."""
    return _attempt(lambda: keras.Sequential([keras.Input(input_shape), *layers]), "", []) is not None


def _check_shapes(
    model: keras.Model, loss: str, example_shape: tuple[int, ...], classes: int, place: str
) -> list[Mistake]:
    """The network must be able to read the examples, and answer with one number a class (or one, where two do)."""
    mistakes: list[Mistake] = []
    reads, answers = input_shape(model), _attempt(lambda: output_shape(model), f"{place}, layers", mistakes)
    if mistakes:
        return mistakes
    for what, shape in (("inputs", reads), ("outputs", answers)):
        if not shape:
            return [Mistake(place, f"the network has several {what}; a classifier has one")]
    if as_read(reads[1:], example_shape) is None:
        flat = "" if len(example_shape) == 1 else f", or {(math.prod(example_shape),)} for flat examples"
        return [
            Mistake(
                place,
                f"the network reads examples of shape {reads[1:]}, the data has examples of shape {example_shape}; "
                f"give it the input {example_shape}{flat}",
            )
        ]
    one_output = _attempt(lambda: reads_one_output(loss), "protocol, loss", mistakes)
    if mistakes:
        return mistakes
    accepted = [(None, classes)] + ([(None, 1)] if one_output and classes == 2 else [])
    activation = last_activation(keras.saving.serialize_keras_object(model))
    if answers == (None, 1) and activation is not None and activation in ALIKE_ALONE:
        return [
            Mistake(
                f"{place}, layers",
                f"{activation} over one unit is always {ALIKE_ALONE[activation]}, so that every example gets the same "
                "answer: say activation = "
                '"sigmoid" there, or end with a unit a class',
            )
        ]
    if answers == (None, 1) and threshold(loss) == 0 and activation in POSITIVE:
        return [
            Mistake(
                f"{place}, layers",
                f"{activation} of its one unit is above 0 for every input, and the loss divides the classes at 0, so "
                "that every example gets the same answer: say activation = "
                f'"{"tanh" if output_kind(loss) is OutputKind.MARGINS else "linear"}" there',
            )
        ]
    if answers not in accepted:
        return [
            Mistake(
                f"{place}, layers",
                f"the network's output has shape {answers}, the data has {classes} classes: end with a layer of "
                f'{classes} units, like {{ Dense = {{ units = {classes}, activation = "softmax" }} }}',
            )
        ]
    return []


def _layer_summaries(model: keras.Model) -> tuple[LayerSummary, ...]:
    """Rows like those of ``model.summary()``."""
    return tuple(
        LayerSummary(layer.name, type(layer).__name__, _output_of(layer), layer.count_params())
        for layer in model.layers
    )


def _output_of(layer: keras.layers.Layer) -> str:
    """A layer's output shape; empty for one that is used more than once, or inside a model with a call of its own."""
    try:
        return str(layer.output.shape)
    except (AttributeError, ValueError):
        return ""
