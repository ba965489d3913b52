"""Test losses in an answer are those that Keras's ``evaluate`` gives, whatever the loss."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import quick_keras  # noqa: F401
from in_process import InProcess
from paribus.analysis import Unit
from paribus.data import load
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.engine.inference import keras_model, set_weights
from paribus.engine.losses import target_form
from paribus.errors import ModelError
from paribus.outcome.outcome import Outcome
from paribus.records import DataSpec
from paribus.runner.run import run_study
from paribus.store.memory import MemoryStore
from paribus.study.document import Arm, StudyDocument


def hidden(units: int) -> dict[str, Any]:
    return {"Dense": {"units": units, "activation": "relu"}}


def end(activation: str, units: int = 10) -> dict[str, Any]:
    return {"Dense": {"units": units, "activation": activation}}


def study(loss: Any, *ends: dict[str, Any], **protocol: Any) -> StudyDocument:
    arms = {f"a{number}": {"layers": [hidden(8 + number), last]} for number, last in enumerate(ends)}
    return StudyDocument.model_validate(
        {
            "name": "losses",
            "seeds": 2,
            "data": {"source": "digits", "scale": 16, "flatten": True},
            "protocol": {"loss": loss, "epochs": 1, **protocol},
            "comparison": {"all_pairs": False},
            "contrasts": [{"a": "a0", "b": "a1", "metric": "test_loss"}] if len(ends) > 1 else [],
            "arms": arms,
        }
    )


def answered(document: StudyDocument, engine: Engine) -> tuple[Outcome, MemoryStore]:
    store = MemoryStore()
    return run_study(document, store, InProcess(engine), Silent()), store


def evaluated(outcome: Outcome, store: MemoryStore, arm: int = 0) -> list[float]:
    """What Keras's own ``evaluate`` gives for each run of an arm; there are no penalties here."""
    data = load(DataSpec("digits", 16, flatten=True))
    training = outcome.document.protocol.training()
    model = keras_model(outcome.arms[arm].recipe, training, "arm")
    y = data.y_test if target_form(training.loss) == "integer" else keras.utils.to_categorical(data.y_test, 10)
    x = data.x_test.reshape(len(y), -1) / np.float32(16)
    losses = []
    for run in outcome.arms[arm].runs:
        set_weights(model, store.weights(run.fingerprint))
        losses.append(float(model.evaluate(x, y, verbose=0, batch_size=len(y))[0]))
    return losses


LOSSES = {
    "focal": ("categorical_focal_crossentropy", end("softmax")),
    "binary focal": ("binary_focal_crossentropy", end("sigmoid")),
    "binary of ten": ("binary_crossentropy", end("sigmoid")),
    "logits of ten": ({"BinaryCrossentropy": {"from_logits": True}}, end("linear")),
    "generalized": ("categorical_generalized_cross_entropy", end("softmax")),
    "unnormalized": ("categorical_crossentropy", end("sigmoid")),
    "smoothed": ({"CategoricalCrossentropy": {"label_smoothing": 0.2}}, end("softmax")),
}


SAMPLE = {"binary of ten", "generalized"}
"""Tried here; ``make proof`` tries all."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in SAMPLE else pytest.mark.proof) for n in LOSSES])
def test_what_is_answered_is_what_evaluate_gives(name: str, engine: Engine) -> None:
    loss, last = LOSSES[name]
    outcome, store = answered(study(loss, last, last), engine)
    expected = evaluated(outcome, store)
    estimate = outcome.arms[0].estimates["test_loss"]
    assert estimate is not None
    assert estimate.mean == pytest.approx(np.mean(expected), rel=1e-4)
    assert [run.scores.test_loss for run in outcome.arms[0].runs if run.scores] == pytest.approx(expected, rel=1e-4)
    (judgement,) = outcome.contrasts
    assert judgement.comparison is not None
    assert judgement.comparison.scope == "this test set"
    difference = np.mean(expected) - np.mean(evaluated(outcome, store, 1))
    assert judgement.comparison.difference == pytest.approx(difference, abs=2e-4)


PLAIN: list[tuple[Any, str]] = [
    ({"SparseCategoricalCrossentropy": {}}, "softmax"),
    ({"CategoricalCrossentropy": {"from_logits": True}}, "linear"),
]


@pytest.mark.parametrize(("loss", "activation"), PLAIN)
def test_plain_cross_entropy_is_known_of_each_example(loss: Any, activation: str, engine: Engine) -> None:
    outcome, store = answered(study(loss, end(activation), end(activation)), engine)
    assert outcome.contrasts[0].comparison is not None
    assert outcome.contrasts[0].comparison.scope == "new data"
    estimate = outcome.arms[0].estimates["test_loss"]
    assert estimate is not None
    assert estimate.mean == pytest.approx(np.mean(evaluated(outcome, store)), rel=1e-4)
    assert not [note for note in outcome.notes if "Test losses" in note]


def test_one_arm_that_is_not_normalized_makes_all_losses_those_of_runs(engine: Engine) -> None:
    outcome, _ = answered(study("categorical_crossentropy", end("sigmoid"), end("softmax")), engine)
    assert outcome.contrasts[0].comparison is not None
    assert outcome.contrasts[0].comparison.scope == "this test set"
    assert [
        note for note in outcome.notes if "Test losses are those that the loss function reports for each run" in note
    ]


def test_a_squared_error_is_not_in_nats(engine: Engine) -> None:
    outcome, _ = answered(study("mean_squared_error", end("softmax"), end("sigmoid")), engine)
    assert outcome.contrasts[0].metric.unit is Unit.PLAIN


def test_a_diverged_run_has_no_squared_error(engine: Engine) -> None:
    """log(10) is what knowing nothing costs in cross-entropy; of another loss nobody can say it."""
    document = study("mean_squared_error", end("softmax"), end("linear"))
    wild = document.arms["a1"].model_copy(update={"optimizer": {"SGD": {"learning_rate": 1e30}}})
    outcome, _ = answered(document.model_copy(update={"arms": {**document.arms, "a1": wild}}), engine)
    assert {str(run.status) for run in outcome.arms[1].runs} == {"diverged"}
    assert outcome.arms[1].estimates["test_loss"] is None
    assert outcome.contrasts[0].comparison is None


def test_estimators_have_no_binary_loss_over_ten_classes(engine: Engine) -> None:
    document = study("binary_crossentropy", end("sigmoid"), end("sigmoid"))
    arms = {**document.arms, "a1": Arm.model_validate({"estimator": "GaussianNB"})}
    with pytest.raises(ModelError, match=r"contrast 1: test_loss of 'a1': binary cross-entropy over 10 classes"):
        answered(document.model_copy(update={"arms": arms}), engine)
