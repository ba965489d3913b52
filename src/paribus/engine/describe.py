"""From an arm as a study writes it to its canonical form. Keras judges; every mistake is reported, with its place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import keras

from paribus.engine import canonical
from paribus.engine.losses import target_form
from paribus.engine.network import forget_pending_variables
from paribus.errors import Mistake, ModelError
from paribus.records import DescribeJob, LayerSummary, Recipe

_ROOMS: Mapping[str, ModuleType] = {
    "regularizer": keras.regularizers,
    "initializer": keras.initializers,
    "constraint": keras.constraints,
    "learning_rate": keras.optimizers.schedules,
    "layer": keras.layers,
    "cell": keras.layers,
}


def describe(job: DescribeJob, input_shape: tuple[int, ...], classes: int) -> Recipe:
    """Build an arm's network and optimizer without drawing a single weight, and write down their canonical form.

    Raises:
        ModelError: Keras refuses a layer, the network or the optimizer, or the network's output does not fit the
            labels; the error lists every mistake.
    """
    place = f"arm '{job.arm}'"
    spec = json.loads(job.spec)
    mistakes: list[Mistake] = []
    with keras.StatelessScope(initialize_variables=False):
        if "model" in spec:
            model = _deserialize(spec["model"], f"{place}, model", mistakes)
        else:
            layers = [
                _construct(keras.layers, layer, f"{place}, layer {i}", mistakes)
                for i, layer in enumerate(spec["layers"], 1)
            ]
            model = None if mistakes else _stack(input_shape, layers, place, mistakes)
    forget_pending_variables()
    optimizer = _construct(keras.optimizers, spec["optimizer"], f"{place}, optimizer", mistakes)
    if model is not None and not mistakes:
        mistakes += _check_output(model, job.training.loss, classes, place)
    if mistakes or model is None or optimizer is None:
        raise ModelError(f"arm '{job.arm}'", mistakes)
    return Recipe(
        canonical.model_text(model), canonical.optimizer_text(optimizer), model.count_params(), _layer_summaries(model)
    )


def _attempt(build: Callable[[], Any], place: str, mistakes: list[Mistake]) -> Any:
    """Let Keras try; what it objects to becomes a mistake with a place. ValueError and TypeError are its objections."""
    try:
        return build()
    except (ValueError, TypeError) as error:
        mistakes.append(Mistake(place, " ".join(str(error).split())))
        return None


def _construct(room: ModuleType, written: dict[str, dict[str, Any]], place: str, mistakes: list[Mistake]) -> Any:
    """``{Dense = {units = 100}}`` -> ``keras.layers.Dense(units=100)``."""
    ((name, arguments),) = written.items()
    cls = getattr(room, name, None)
    if not isinstance(cls, type):
        close = difflib.get_close_matches(name, [n for n in dir(room) if n[0].isupper()], n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        mistakes.append(Mistake(place, f"{room.__name__.removesuffix('.api')} has no class '{name}'{hint}"))
        return None
    resolved = {key: _resolve(key, value, f"{place}, {key}", mistakes) for key, value in arguments.items()}
    return _attempt(lambda: cls(**resolved), f"{place} ({name})", mistakes)


def _resolve(key: str, value: Any, place: str, mistakes: list[Mistake]) -> Any:
    """Arguments that are Keras objects themselves: ``kernel_regularizer = { L2 = { l2 = 0.001 } }``."""
    room = next((room for suffix, room in _ROOMS.items() if key.endswith(suffix)), None)
    if room is not None and isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict):
        return _construct(room, value, place, mistakes)
    return tuple(value) if isinstance(value, list) else value


def _stack(input_shape: tuple[int, ...], layers: list[Any], place: str, mistakes: list[Mistake]) -> Any:
    return _attempt(
        lambda: keras.Sequential([keras.Input(input_shape), *layers]),
        f"{place}, layers on input of shape {input_shape}",
        mistakes,
    )


def _deserialize(text: str, place: str, mistakes: list[Mistake]) -> Any:
    return _attempt(lambda: keras.saving.deserialize_keras_object(json.loads(text)), place, mistakes)


def _check_output(model: keras.Model, loss: str, classes: int, place: str) -> list[Mistake]:
    shape = tuple(model.output_shape)
    mistakes: list[Mistake] = []
    form = _attempt(lambda: target_form(loss), "protocol, loss", mistakes)
    if mistakes:
        return mistakes
    wanted = [(None, classes)] + ([(None, 1)] if form == "binary" and classes == 2 else [])
    if shape not in wanted:
        return [
            Mistake(
                f"{place}, layers",
                f"the network's output has shape {shape}, the data has {classes} classes: "
                f"end with a layer of {classes} units, like {{ Dense = {{ units = {classes}, activation = \"softmax\" }} }}",
            )
        ]
    return []


def _layer_summaries(model: keras.Model) -> tuple[LayerSummary, ...]:
    """Rows like those of ``model.summary()``."""
    return tuple(
        LayerSummary(layer.name, type(layer).__name__, str(layer.output.shape), layer.count_params())
        for layer in model.layers
    )
