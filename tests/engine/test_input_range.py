"""Pixels that are scaled twice are noticed by what a network does to its input, however it does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import own_layers
import paribus as pb
from in_process import InProcess
from paribus.api.ablate import ablate_arm
from paribus.api.model_argument import read_model_argument
from paribus.engine.engine import Engine
from paribus.errors import ModelError
from paribus.study.document import StudyDocument

L = keras.layers
FLAT = {"source": "digits", "scale": 16, "flatten": True}


def functional(scale: Any) -> keras.Model:
    inputs = keras.Input((64,))
    return keras.Model(inputs, L.Dense(10, "softmax")(L.Dense(4, "relu")(scale(inputs))))


TWICE: dict[str, Any] = {
    "x / 16": lambda: functional(lambda x: x / 16),
    "ops.multiply": lambda: functional(lambda x: keras.ops.multiply(x, 1 / 16)),
    "ops.divide": lambda: functional(lambda x: keras.ops.divide(keras.ops.cast(x, "float32"), 255.0)),
    "Normalization": lambda: functional(L.Normalization(mean=7.0, variance=64.0)),
    "Rescaling": lambda: functional(L.Rescaling(1 / 127.5, offset=-1)),
    "behind a reshape": lambda: keras.Sequential(
        [
            keras.Input((64,)),
            L.Reshape((8, 8, 1)),
            L.Rescaling(1 / 16),
            L.Conv2D(3, 3),
            L.Flatten(),
            L.Dense(10, "softmax"),
        ]
    ),
    "in a call": lambda: own_layers.Rescaled(5),
    "before a batch normalization": lambda: functional(lambda x: L.BatchNormalization()(x / 255)),
}
ONCE: dict[str, Any] = {
    "to -1 and 1": lambda: functional(L.Rescaling(2.0, offset=-1.0)),
    "as torch has it": lambda: functional(L.Normalization(mean=0.1307, variance=0.3081**2)),
    "a gate": lambda: functional(lambda x: x * L.Dense(64, "sigmoid")(x)),
    "a residual": lambda: functional(lambda x: (x + L.Dense(64)(x)) / 100),
    "a half": lambda: functional(lambda x: x / 2),
    "attention": lambda: keras.Sequential([keras.Input((64,)), L.Reshape((8, 8)), L.LSTM(3), L.Dense(10, "softmax")]),
}


def described(model: keras.Model, engine: Engine, data: Any = None) -> Any:
    document = pb.Study({"a": model}, data or FLAT, epochs=1, seeds=1).document
    from digits_jobs import describe_job

    return engine.describe(describe_job(document.arms["a"], "a", document.protocol.training(), document.data.spec()))


@pytest.mark.parametrize("name", TWICE)
def test_what_scales_scaled_pixels_is_refused(name: str, engine: Engine) -> None:
    with pytest.raises(
        ModelError, match=r"it scales its input down [\d.,]+ times by itself, .*pixels are scaled twice"
    ):
        described(TWICE[name](), engine)


@pytest.mark.parametrize("name", [*TWICE, *ONCE])
def test_pixels_that_are_not_scaled_are_read_as_they_are(name: str, engine: Engine) -> None:
    assert described({**TWICE, **ONCE}[name](), engine, {"source": "digits", "flatten": True})


@pytest.mark.parametrize("name", ONCE)
def test_what_does_not_shrink_its_input_is_not_refused(name: str, engine: Engine) -> None:
    assert described(ONCE[name](), engine)


def test_arrays_that_were_scaled_before(engine: Engine) -> None:
    x = np.random.default_rng(0).random((60, 64)).astype(np.float32)
    data = (x, np.arange(60) % 10, x[:20], np.arange(20) % 10)
    study = pb.Study({"a": functional(L.Rescaling(1 / 255))}, data, epochs=1, seeds=1)
    with pytest.raises(ModelError, match=r"what it reads lies between 0.* and 0.9.* already"):
        study.run(backend=InProcess(engine), progress=False)


def test_a_file_given_to_ablate(tmp_path: Path, engine: Engine) -> None:
    TWICE["x / 16"]().save(tmp_path / "m.keras")
    study, arm = read_model_argument(str(tmp_path / "m.keras"), "digits")
    with pytest.raises(ModelError, match="pixels are scaled twice"):
        ablate_arm(study, arm, backend=InProcess(engine), progress=False)


def test_a_study_file(engine: Engine) -> None:
    layers = [{"Rescaling": {"scale": 0.0625}}, {"Dense": {"units": 10, "activation": "softmax"}}]
    table = {"name": "x", "data": FLAT, "arms": {"a": {"layers": layers}}}
    with pytest.raises(ModelError, match="scales its input down 16 times by itself"):
        pb.Study.of(StudyDocument.model_validate(json.loads(json.dumps(table)))).run(
            1, backend=InProcess(engine), progress=False
        )
