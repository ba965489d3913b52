"""The argument of ``paribus ablate MODEL``: a ``.keras`` file, a Python function or model, or an arm of a study."""

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
from paribus.study.python_object import import_object


def read_model_argument(model: str, data: str | None = None) -> tuple[Study, str]:
    """Read the argument: the study with the model, and the name of its arm.

    Args:
        model: a path that ends in ``.keras``; ``module:name`` or ``file.py:name`` of a Keras model or of a function
            that returns one; or ``study/arm``.
        data: the data to train on: a name or a path. A study has its own.

    Returns:
        The study, and the name of the arm in it.

    Raises:
        UsageError: none of these, or no data.
        UnknownNameError: there is no such study or arm.
        ModelError, StudyError, DataError: as their names say.
    """
    if model.endswith(".keras"):
        return _study_from_file(Path(model), _require_data(model, data)), AS_IT_IS
    if ":" in model:
        return _study_from_python(model, _require_data(model, data)), AS_IT_IS
    name, slash, arm = model.rpartition("/")
    if not slash:
        raise UsageError(
            f"{model}: a .keras file, module:function, or study/arm is expected, like mnist-mlps/big-dropout"
        )
    study = Study.load(name)
    if arm not in study.document.arms:
        raise unknown_name("arm", arm, study.document.arms, f"study '{name}'")
    return Study.of(override(study.document, data=data)), arm


def _require_data(model: str, data: str | None) -> str:
    if data is None:
        raise UsageError(f"{model}: a model alone has no training data; give --data, like --data mnist")
    return data


def _study_from_file(path: Path, data: str) -> Study:
    """A model of a file, which is not trusted: only its config is read, as JSON, and no code in it is run."""
    config = read_model_file(path)
    _check_file(path, config)
    compiled = config.pop("compile_config", None) or {}
    # The first layer of a Sequential or functional model has the shape of its input.
    shapes = [layer["config"].get("batch_shape") for layer in _read_first_layers(config)]
    readers = [tuple(shape[1:]) for shape in shapes if isinstance(shape, list) and shape]
    prepared = read_data_argument(data, scale="auto", standardize=False, readers=readers)
    arm: dict[str, Any] = {"model": canonical_json(config)}
    if isinstance(compiled.get("optimizer"), dict):
        arm["optimizer"] = keras_objects.optimizer_from_config(compiled["optimizer"])
    protocol: dict[str, Any] = {}
    if isinstance(compiled.get("loss"), str | dict):
        protocol["loss"] = keras_objects.loss_from_config(compiled["loss"])
    table = {"name": _make_study_name(path), "data": prepared.table, "protocol": protocol, "arms": {AS_IT_IS: arm}}
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


def _read_first_layers(config: dict[str, Any]) -> list[dict[str, Any]]:
    layers = config["config"].get("layers")
    first = layers[:1] if isinstance(layers, list) else []
    return [layer for layer in first if isinstance(layer, dict) and isinstance(layer.get("config"), dict)]


def _make_study_name(path: Path) -> str:
    stem = "".join(character if character.isalnum() or character in "._-" else "-" for character in path.stem)
    return f"ablate-{stem}"[:100].rstrip("-._")


def _study_from_python(source: str, data: str) -> Study:
    # Keras without a backend imports TensorFlow. Only JAX is always installed.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    value = import_object(source)
    model = value() if callable(value) and not hasattr(value, "get_config") else value
    return Study({AS_IT_IS: model}, data, name=_make_study_name(Path(source.rpartition(":")[2])))
