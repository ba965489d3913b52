"""How a network ends: the last activation in its config, and what a loss makes of it."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest

from digits_jobs import arm, describe_job
from paribus.api.study import Study
from paribus.backends.fake import FakeBackend
from paribus.engine.engine import Engine
from paribus.errors import ModelError
from paribus.keras_config import ends
from paribus.keras_config.ends import end_that_misfits, last_activation
from paribus.records import DataSpec
from paribus.study.document import Protocol, StudyDocument


def sequential(*layers: Any) -> keras.Model:
    return keras.Sequential([keras.Input((6,)), *layers])


def functional(build: Any) -> keras.Model:
    inputs = keras.Input((6,))
    return keras.Model(inputs, build(inputs))


L = keras.layers
ENDS = {
    "softmax": (lambda: sequential(L.Dense(3, "softmax")), "softmax"),
    "linear": (lambda: sequential(L.Dense(3, "relu"), L.Dense(3)), "linear"),
    "a layer": (lambda: sequential(L.Dense(3), L.Softmax()), "softmax"),
    "an activation": (lambda: sequential(L.Dense(3), L.Activation("sigmoid")), "sigmoid"),
    "behind a dropout": (lambda: sequential(L.Dense(3, "tanh"), L.Dropout(0.1), L.Flatten()), "tanh"),
    "functional": (lambda: functional(lambda x: L.Activation("softmax")(L.Dense(3)(x))), "softmax"),
    "nested": (lambda: functional(sequential(L.Dense(3, "relu"))), "relu"),
    "relu": (lambda: sequential(L.Dense(3), L.ReLU()), "relu"),
    "unknown": (lambda: functional(lambda x: L.Dense(3)(x) + L.Dense(3)(x)), None),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_last_activation(name: str) -> None:
    build, expected = ENDS[name]
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(build())))
    assert last_activation(config) == expected


MISFITS: list[tuple[str, dict[str, Any], str]] = [
    ("linear", {"categorical_crossentropy": {}}, 'say activation = "softmax" there, or from_logits = true in the loss'),
    ("linear", {"BinaryCrossentropy": {}}, 'say activation = "sigmoid" there, or from_logits = true'),
    ("relu", {"kl_divergence": {}}, 'say activation = "softmax" there'),
    ("softmax", {"SparseCategoricalCrossentropy": {"from_logits": True}}, "or leave from_logits out"),
    ("sigmoid", {"BinaryCrossentropy": {"from_logits": True}}, 'say activation = "linear" there'),
]
FITS: list[tuple[str, dict[str, Any]]] = [
    ("softmax", {"categorical_crossentropy": {}}),
    ("sigmoid", {"binary_crossentropy": {}}),
    ("linear", {"CategoricalCrossentropy": {"from_logits": True}}),
    ("linear", {"mean_squared_error": {}}),
    ("tanh", {"hinge": {}}),
]


def ending(activation: str) -> Any:
    return keras.saving.serialize_keras_object(sequential(L.Dense(3, activation)))


@pytest.mark.parametrize(("activation", "loss", "said"), MISFITS)
def test_an_end_that_the_loss_misreads(activation: str, loss: dict[str, Any], said: str) -> None:
    assert said in str(end_that_misfits(ending(activation), loss))


@pytest.mark.parametrize(("activation", "loss"), FITS)
def test_an_end_that_it_reads(activation: str, loss: dict[str, Any]) -> None:
    assert end_that_misfits(ending(activation), loss) is None


def test_softmax_over_one_unit_is_refused(engine: Engine) -> None:
    job = describe_job(
        arm(["Flatten", {"Dense": {"units": 1, "activation": "softmax"}}]),
        data=DataSpec("sklearn:breast_cancer", test_fraction=0.3),
        training=Protocol(loss={"binary_crossentropy": {}}).training(),
    )
    with pytest.raises(ModelError, match="softmax over one unit is always 1"):
        engine.describe(job)


def test_the_answer_says_so_and_names_arms_that_are_one_recipe() -> None:
    dense: dict[str, Any] = {"layers": ["Flatten", {"Dense": {"units": 10}}]}
    table = {"name": "x", "data": {"source": "digits"}, "arms": {"a": dense, "b": dense}}
    results = Study.of(StudyDocument.model_validate(table)).run(2, backend=FakeBackend(), progress=False)
    assert "a and b are the same recipe under 2 names, trained once: their difference is 0 by construction." in [
        *results.outcome.notes
    ]


# `threshold` takes arguments, so that no layer can name it.
ACTIVATIONS = sorted(
    name
    for name, value in vars(keras.activations).items()
    if callable(value) and not isinstance(value, type) and name not in ("get", "serialize", "deserialize", "threshold")
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_keras_is_known_by_its_outputs(name: str) -> None:
    """Enumerated from Keras, so that a new one fails: its outputs are fractions, or leave 0 to 1; or all above 0."""
    x = np.concatenate([np.linspace(-8, 8, 80), np.random.default_rng(0).normal(0, 3, 80)]).reshape(20, 8)
    outputs = np.asarray(getattr(keras.activations, name)(keras.ops.convert_to_tensor(x.astype(np.float32))))
    assert (name in ends._FRACTIONS) != (name in ends._UNBOUNDED)
    assert (name in ends._FRACTIONS) == bool((outputs >= 0).all() and (outputs <= 1 + 1e-6).all())
    assert name not in ends.POSITIVE or (outputs > 0).all()


def test_log_softmax_makes_logits_and_no_probabilities() -> None:
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(sequential(L.Dense(3, "log_softmax")))))
    assert end_that_misfits(config, {"CategoricalCrossentropy": {"from_logits": True}}) is None
    assert "its last activation is log_softmax" in (end_that_misfits(config, {"categorical_crossentropy": {}}) or "")
