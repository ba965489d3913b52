"""What ``paribus ablate MODEL`` may name: a ``.keras`` file, a Python function or model, or an arm of a study."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from paribus.ablation import AS_IT_IS, read_model_file
from paribus.api import keras_objects
from paribus.api.data_argument import read_data_argument
from paribus.api.study import Study
from paribus.errors import Mistake, ModelError, UsageError, unknown_name
from paribus.keras_config.graph import frozen_layers, shared_layers
from paribus.records import canonical_json
from paribus.study.load import check_table
from paribus.study.overrides import override
from paribus.study.python_object import python_object


def study_of(model: str, data: str | None = None) -> tuple[Study, str]:
    """The study that holds a model, and the name of its arm.

    Args:
        model: a path that ends in ``.keras``; ``module:name`` or ``file.py:name`` of a Keras model or of a function
            that returns one; or ``study/arm``.
        data: what to train on: a name or a path. An arm of a study brings its own.

    Raises:
        UsageError: none of these, or no data.
        UnknownNameError: there is no such study or arm.
        ModelError, StudyError, DataError: as their names say.
    """
    if model.endswith(".keras"):
        return _from_file(Path(model), _needed(model, data)), AS_IT_IS
    if ":" in model:
        return _from_python(model, _needed(model, data)), AS_IT_IS
    name, slash, arm = model.rpartition("/")
    if not slash:
        raise UsageError(
            f"{model}: a .keras file, module:function, or study/arm is expected, like mnist-mlps/big-dropout"
        )
    study = Study.load(name)
    if arm not in study.document.arms:
        raise unknown_name("arm", arm, study.document.arms, f"study '{name}'")
    return Study.of(override(study.document, data=data)), arm


def _needed(model: str, data: str | None) -> str:
    if data is None:
        raise UsageError(f"{model}: a model alone does not say what it is trained on; give --data, like --data mnist")
    return data


def _from_file(path: Path, data: str) -> Study:
    """A model that somebody handed over: only its config is read, as JSON, and no code in it is run anywhere."""
    config = read_model_file(path)
    _check_file(path, config)
    compiled = config.pop("compile_config", None) or {}
    # Of a Sequential or functional model its first layer says what it reads.
    shapes = [layer["config"].get("batch_shape") for layer in _first_layers(config)]
    readers = [tuple(shape[1:]) for shape in shapes if isinstance(shape, list) and shape]
    prepared = read_data_argument(data, scale="auto", standardize=False, readers=readers)
    arm: dict[str, Any] = {"model": canonical_json(config)}
    if isinstance(compiled.get("optimizer"), dict):
        arm["optimizer"] = keras_objects.from_config(compiled["optimizer"])
    protocol: dict[str, Any] = {}
    if isinstance(compiled.get("loss"), str | dict):
        protocol["loss"] = keras_objects.loss_from_config(compiled["loss"])
    table = {"name": _name(path), "data": prepared.table, "protocol": protocol, "arms": {AS_IT_IS: arm}}
    return Study.of(check_table(table, str(path)))


def _check_file(path: Path, config: dict[str, Any]) -> None:
    """Refuse what is another network without the file's weights, as ``pb.compare`` refuses it in a live model.

    Raises:
        ModelError: layers are shared, or frozen.
    """
    mistakes = [
        Mistake(
            "",
            f"layer '{name}' is shared by several layers, which its config alone does not carry: each would get "
            "weights of its own. Call one layer twice in a functional model, or write a layer class that holds it",
        )
        for name in dict.fromkeys(shared_layers(config))
    ]
    mistakes += [
        Mistake(
            "",
            f"layer '{name}' is frozen, and weights are not taken along: it would stay as it is drawn. Save it with "
            "trainable = True, or put its outputs into the data",
        )
        for name in frozen_layers(config)
    ]
    if mistakes:
        raise ModelError(str(path), mistakes)


def _first_layers(config: dict[str, Any]) -> list[dict[str, Any]]:
    layers = config["config"].get("layers")
    found = layers[:1] if isinstance(layers, list) else []
    return [layer for layer in found if isinstance(layer, dict) and isinstance(layer.get("config"), dict)]


def _name(path: Path) -> str:
    kept = "".join(character if character.isalnum() or character in "._-" else "-" for character in path.stem)
    return f"ablate-{kept}"[:100].rstrip("-._")


def _from_python(source: str, data: str) -> Study:
    # Keras without a backend looks for TensorFlow; here it only writes configs, and JAX is always there.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    found = python_object(source)
    model = found() if callable(found) and not hasattr(found, "get_config") else found
    return Study({AS_IT_IS: model}, data, name=_name(Path(source.rpartition(":")[2])))
