"""Tuning from Python: a grid for all arms or for each, on Keras models."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import paribus as pb
from in_process import InProcess
from paribus.engine.engine import Engine
from paribus.errors import StudyError, UnknownNameError, UsageError


def network(rate: float) -> keras.Model:
    inputs = keras.Input((64,))
    hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Dropout(rate)(inputs))
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(hidden))


def study(**arguments: Any) -> pb.Study:
    return pb.Study({"a": network(0.1), "b": network(0.2)}, "digits", epochs=2, **arguments)


def test_one_grid_is_for_all_arms_and_numbers_of_numpy_are_plain() -> None:
    document = study(grid={"learning_rate": np.array([0.001, 0.01]), "dropout": (0.0, 0.5)}).document
    assert document.arms["a"].grid == document.arms["b"].grid == {"learning_rate": (0.001, 0.01), "dropout": (0.0, 0.5)}
    assert document.tuning.budget == 4


def test_each_arm_may_have_its_own_grid_or_stay_as_it_is() -> None:
    document = study(grid={"a": {"dropout": [0.1, 0.3]}, "b": {}}, tuning={"seeds": 2}).document
    assert document.tuned == ("a",)
    assert (document.arms["b"].grid, document.tuning.budget) == ({}, 4)


@pytest.mark.parametrize(
    ("grid", "error", "said"),
    [
        ({"a": {"dropout": [0.1, 0.3]}}, StudyError, "arm 'b': it has no grid"),
        ({"c": {"dropout": [0.1, 0.3]}}, UnknownNameError, "no arm 'c' in grid: there are a, b"),
        ({"a": {}, "dropout": [0.1]}, UsageError, "a mapping has either arms or arguments as its keys"),
        ({"dropout": 0.1}, UsageError, "grid, dropout: 0.1; a list of values is expected"),
        ([0.1, 0.2], UsageError, "lists of values by key are expected"),
        ({"Conv2D.filters": [1, 2]}, StudyError, "no Conv2D layer comes before the answer"),
    ],
)
def test_what_is_no_grid_is_refused(grid: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        study(grid=grid)


def test_keras_models_are_tuned(engine: Engine) -> None:
    made = study(grid={"a": {"learning_rate": [1e-6, 0.01]}, "b": {}}, tuning={"validation_split": 0.2})
    results = made.run(seeds=2, backend=InProcess(engine), progress=False)
    choice = results.arms["a"].tuning
    assert choice is not None
    assert choice.values == {"learning_rate": 0.01}
    assert "b was not tuned" in repr(results)
    assert results.contrast("a", "b").verdict == "better"
