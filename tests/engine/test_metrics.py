"""The protocol's own metrics: what Keras says of the same outputs, for every metric that a study may name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from digits_jobs import PLAIN, TWO_EPOCHS, arm, describe_job, train_job
from paribus.engine import metrics
from paribus.engine.engine import Engine
from paribus.errors import ModelError
from paribus.keras_config import names as keras_names

NEEDED: dict[str, dict[str, Any]] = {
    "OneHotIoU": {"num_classes": 4, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 4},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "F1Score": {"average": "macro"},
    "FBetaScore": {"average": "weighted"},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2},
}
DIRECTIONS = {"up": True, "down": False}


def keras_classes() -> dict[str, Any]:
    found = vars(keras.metrics).items()
    return {n: c for n, c in found if isinstance(c, type) and issubclass(c, keras.metrics.Metric)}


@pytest.mark.parametrize("name", keras_names.HIGHER_IS_BETTER)
def test_names_and_directions_are_those_of_keras(name: str) -> None:
    keras.utils.clear_session(free_memory=False)  # Keras would count on from the metrics of other tests
    metric = keras_classes()[name](**NEEDED.get(name, {}))
    assert metric.name == keras_names.name_of(name, {})
    told = getattr(metric, "_direction", None)
    assert DIRECTIONS.get(told, keras_names.HIGHER_IS_BETTER[name]) is keras_names.HIGHER_IS_BETTER[name]


def test_no_metric_of_keras_is_forgotten() -> None:
    """Mean, Sum and their bases measure nothing by themselves; IoU and MeanIoU want classes for outputs."""
    others = {"Accuracy", "IoU", "Mean", "MeanIoU", "MeanMetricWrapper", "Metric", "Sum"}
    assert set(keras_classes()) == set(keras_names.HIGHER_IS_BETTER) | others


def asked_of(written: str) -> metrics.ProtocolMetrics:
    return metrics.ProtocolMetrics.of_training(replace(TWO_EPOCHS, metrics=written), ("a", "b", "c", "d"))


def answers(examples: int = 57, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    outputs = generator.dirichlet(np.ones(classes), examples).astype(np.float32)
    return outputs, generator.integers(0, classes, examples).astype(np.int32)


SAMPLE = {
    "AUC",
    "CategoricalCrossentropy",
    "F1Score",
    "OneHotMeanIoU",
    "PrecisionAtRecall",
    "SparseTopKCategoricalAccuracy",
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.proof) for name in keras_names.HIGHER_IS_BETTER],
)
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_every_metric_says_what_keras_says(name: str) -> None:
    outputs, labels = answers()
    arguments = NEEDED.get(name, {})
    metric = keras_classes()[name](**arguments)
    metric.update_state(labels if name.startswith("Sparse") else keras.utils.to_categorical(labels, 4), outputs)
    asked = asked_of(f"[{json.dumps({name: arguments})}]")
    (found,) = metrics.measure_metrics(asked, outputs, labels).values()
    assert found == pytest.approx(float(metric.result()), rel=1e-5, abs=1e-6)
    assert metrics.metric_objections(asked, 4) == []


def test_a_large_split_is_measured_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs, labels = answers()
    written = '[{"AUC": {}}, {"F1Score": {"average": "macro"}}, {"CategoricalCrossentropy": {}}]'
    whole = metrics.measure_metrics(asked_of(written), outputs, labels)
    monkeypatch.setattr(metrics, "_BATCH", 20)
    assert metrics.measure_metrics(asked_of(written), outputs, labels) == pytest.approx(whole, rel=1e-6)


def test_weights_that_diverged_know_nothing() -> None:
    outputs, labels = answers()
    nothing = np.full_like(outputs, np.nan)
    asked = asked_of('[{"AUC": {}}, {"CategoricalCrossentropy": {}}]')
    found = metrics.measure_metrics(asked, nothing, labels)
    assert found["auc"] == pytest.approx(0.5)
    assert found["categorical_crossentropy"] == pytest.approx(np.log(4), rel=1e-5)


def test_what_cannot_be_measured_is_said_before_anything_trains() -> None:
    engine = Engine()
    written = '[{"F1Score": {}}, {"AUC": {"curve": "ROCK"}}]'
    job = describe_job(arm(PLAIN), training=replace(TWO_EPOCHS, metrics=written))
    with pytest.raises(ModelError) as caught:
        engine.describe(job)
    assert [mistake.place for mistake in caught.value.mistakes] == ["protocol, metrics"] * 2
    assert "F1Score has 10 values" in str(caught.value)
    assert "Keras cannot measure AUC here" in str(caught.value)


def test_a_run_is_measured_as_plain_keras_measures_it() -> None:
    engine = Engine()
    training = replace(
        TWO_EPOCHS, metrics='[{"TopKCategoricalAccuracy":{"k":2,"name":"top_2"}},{"CategoricalAccuracy":{}}]'
    )
    job = train_job(engine.describe(describe_job(arm(PLAIN), training=training)), 0, training=training)
    run = engine.run(job)
    assert run.scores is not None
    assert set(run.metrics) == {"test_top_2", "train_top_2", "test_categorical_accuracy", "train_categorical_accuracy"}
    assert run.metrics["test_categorical_accuracy"] == pytest.approx(run.scores.test_accuracy, abs=1e-6)
    assert run.metrics["train_categorical_accuracy"] == pytest.approx(run.scores.train_accuracy, abs=1e-6)
    assert run.metrics["test_top_2"] > run.scores.test_accuracy
    plain = engine.run(replace(job, training=TWO_EPOCHS))
    assert plain.weights_digest == run.weights_digest
    assert plain.metrics == {}
