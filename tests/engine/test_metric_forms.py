"""A metric says the same of the same answers, whatever a network ends with, and of a scikit-learn estimator."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics as sk

from paribus.engine.losses import OutputKind
from paribus.engine.metrics import ProtocolMetrics, measure_metrics, metric_objections
from paribus.errors import StudyError
from paribus.records import Training
from paribus.study.document import Protocol
from paribus.study.load import check_table

NAMES = ("honest", "fraud")
GENERATOR = np.random.default_rng(5)
EXAMPLES = 4000
LABELS = (GENERATOR.random(EXAMPLES) < 0.08).astype(np.int32)
LOGIT = (GENERATOR.normal(-2.5, 1.2, EXAMPLES) + 2.0 * LABELS).astype(np.float32)
POSITIVE = 1 / (1 + np.exp(-LOGIT))
PAIR = np.stack([1 - POSITIVE, POSITIVE], axis=-1).astype(np.float32)
LOGITS = np.stack([np.full(EXAMPLES, 0.7, np.float32), LOGIT + np.float32(0.7)], axis=-1)

FORMS: dict[str, tuple[str, np.ndarray]] = {
    "sigmoid": ('{"binary_crossentropy":{}}', PAIR[:, 1:]),
    "one logit": ('{"BinaryCrossentropy":{"from_logits":true}}', LOGIT[:, None]),
    "softmax": ('{"categorical_crossentropy":{}}', PAIR),
    "two logits": ('{"CategoricalCrossentropy":{"from_logits":true}}', LOGITS),
    "sparse logits": ('{"SparseCategoricalCrossentropy":{"from_logits":true}}', LOGITS),
    "unnormalized": ('{"categorical_crossentropy":{}}', (PAIR * 0.5).astype(np.float32)),
}
ESTIMATOR = "an estimator"


def measured(form: str, metric: Any, positive: str | None = None) -> float:
    of_estimator = form == ESTIMATOR
    loss, outputs = FORMS["softmax" if of_estimator else form]
    training = Training(loss, 1, 10, metrics=json.dumps([metric]), positive=positive)
    asked = ProtocolMetrics.of_training(training, NAMES, of_estimator=of_estimator)
    assert metric_objections(asked, outputs.shape[-1]) == []
    (value,) = measure_metrics(asked, outputs, LABELS).values()
    return value


MANY = {"num_thresholds": 4001}
SAID_BY_SCIKIT_LEARN = {
    "auc": ({"AUC": MANY}, None, sk.roc_auc_score(LABELS, POSITIVE)),
    "auc of the other class": ({"AUC": MANY}, "honest", sk.roc_auc_score(LABELS, POSITIVE)),
    "average precision": ({"AUC": {**MANY, "curve": "PR"}}, None, sk.average_precision_score(LABELS, POSITIVE)),
    "average precision of the other class": (
        {"AUC": {**MANY, "curve": "PR"}},
        "honest",
        sk.average_precision_score(1 - LABELS, 1 - POSITIVE),
    ),
    "recall": ({"Recall": {}}, None, sk.recall_score(LABELS, POSITIVE > 0.5)),
    "recall of the other class": ({"Recall": {}}, "honest", sk.recall_score(LABELS, POSITIVE > 0.5, pos_label=0)),
    "recall by its index": ({"Recall": {"class_id": 0}}, None, sk.recall_score(LABELS, POSITIVE > 0.5, pos_label=0)),
    "precision": ({"Precision": {}}, "fraud", sk.precision_score(LABELS, POSITIVE > 0.5)),
    "f1": ({"F1Score": {"threshold": 0.5}}, None, sk.f1_score(LABELS, POSITIVE > 0.5)),
    "f1 of the other class": (
        {"F1Score": {"threshold": 0.5}},
        "honest",
        sk.f1_score(LABELS, POSITIVE > 0.5, pos_label=0),
    ),
    "f1 over classes": ({"F1Score": {"average": "macro"}}, None, sk.f1_score(LABELS, POSITIVE > 0.5, average="macro")),
    "accuracy": ({"CategoricalAccuracy": {}}, None, sk.accuracy_score(LABELS, POSITIVE > 0.5)),
    "binary accuracy": ({"BinaryAccuracy": {}}, None, sk.accuracy_score(LABELS, POSITIVE > 0.5)),
    "log loss": ({"BinaryCrossentropy": {}}, None, sk.log_loss(LABELS, POSITIVE)),
    "brier": ({"MeanSquaredError": {}}, None, sk.brier_score_loss(LABELS, POSITIVE)),
}


@pytest.mark.parametrize("name", SAID_BY_SCIKIT_LEARN)
@pytest.mark.parametrize("form", [*FORMS, ESTIMATOR])
def test_every_form_of_answer_is_measured_as_scikit_learn_measures_it(form: str, name: str) -> None:
    metric, positive, expected = SAID_BY_SCIKIT_LEARN[name]
    if form == "unnormalized" and name in ("log loss", "brier", "recall by its index"):
        pytest.skip("what is not a probability has errors of its own")
    assert measured(form, metric, positive) == pytest.approx(expected, abs=2e-3 if "AUC" in metric else 1e-5)


@pytest.mark.parametrize("metric", ["AUC", "Recall", "Precision", "TruePositives", "FalseNegatives"])
def test_one_sigmoid_unit_is_measured_as_plain_keras_measures_it(metric: str) -> None:
    plain = getattr(keras.metrics, metric)()
    plain.update_state(LABELS[:, None].astype(np.float32), PAIR[:, 1:])
    assert measured("sigmoid", {metric: {}}) == pytest.approx(float(plain.result()), rel=1e-6)


@pytest.mark.parametrize("metric", ["CategoricalCrossentropy", "SparseCategoricalCrossentropy", "BinaryCrossentropy"])
def test_cross_entropy_of_logits_is_the_same_whoever_asks_for_logits(metric: str) -> None:
    expected = sk.log_loss(LABELS, POSITIVE)
    for form in ("one logit", "two logits"):
        if (metric, form) == ("BinaryCrossentropy", "two logits"):
            continue  # sigmoids of two logits are no softmax
        assert measured(form, {metric: {"from_logits": True}}) == pytest.approx(expected, rel=1e-5)
    assert measured(ESTIMATOR, {metric: {"from_logits": True}}) == pytest.approx(expected, rel=1e-5)


def objections(loss: str, metric: Any, outputs: int, names: tuple[str, ...] = NAMES, **more: Any) -> list[str]:
    training = Training(loss, 1, 10, metrics=json.dumps([metric]))
    return metric_objections(ProtocolMetrics.of_training(training, names, **more), outputs)


REFUSED = {
    "f1 of what": (
        '{"binary_crossentropy":{}}',
        {"F1Score": {}},
        1,
        "threshold = 0.5 for the score of the positive class",
    ),
    "f1 of two": (
        '{"categorical_crossentropy":{}}',
        {"F1Score": {}},
        2,
        "threshold = 0.5 for the score of the positive",
    ),
    "f1 of both": (
        '{"binary_crossentropy":{}}',
        {"F1Score": {"threshold": 0.5, "average": "macro"}},
        1,
        "leave one of",
    ),
    "recall at two thresholds": (
        '{"binary_crossentropy":{}}',
        {"Recall": {"thresholds": [0.3, 0.6]}},
        1,
        "give it one of its thresholds",
    ),
    "R2 of each output": (
        '{"categorical_crossentropy":{}}',
        {"R2Score": {"class_aggregation": None}},
        3,
        'class_aggregation = "uniform_average"',
    ),
    "top 5 of 2": (
        '{"categorical_crossentropy":{}}',
        {"TopKCategoricalAccuracy": {}},
        2,
        "is 1 for all answers",
    ),
    "auc of margins": ('{"hinge":{}}', {"AUC": {}}, 1, "reads probabilities, and outputs are margins"),
    "logits asked of probabilities": ('{"binary_crossentropy":{}}', {"AUC": {"from_logits": True}}, 1, "leave it out"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_says_nothing_is_refused_with_what_would(name: str) -> None:
    loss, metric, outputs, said = REFUSED[name]
    (objection,) = objections(loss, metric, outputs)
    assert said in objection


def test_an_estimator_has_no_margins() -> None:
    (objection,) = objections('{"hinge":{}}', {"Hinge": {}}, 2, of_estimator=True)
    assert "reads margins, and a scikit-learn estimator answers with probabilities" in objection


def test_one_class_against_all_others() -> None:
    names = ("a", "b", "c")
    outputs = np.random.default_rng(0).dirichlet(np.ones(3), 500).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, 3, 500).astype(np.int32)
    training = Training('{"categorical_crossentropy":{}}', 1, 10, metrics=json.dumps([{"AUC": MANY}]), positive="c")
    asked = ProtocolMetrics.of_training(training, names)
    expected = sk.roc_auc_score(labels == 2, outputs[:, 2])
    assert measure_metrics(asked, outputs, labels)["auc"] == pytest.approx(expected, abs=2e-3)
    with pytest.raises(ValueError, match="'d' is not a class of this data; its classes are a, b, c"):
        ProtocolMetrics.of_training(Training(training.loss, 1, 10, metrics="[]", positive="d"), names)


def test_a_positive_class_of_nothing_is_refused() -> None:
    table = {
        "name": "x",
        "data": {"source": "digits"},
        "protocol": {"positive": "1", "metrics": ["CategoricalAccuracy"]},
        "arms": {"a": {"layers": ["Flatten", {"Dense": {"units": 10}}]}},
    }
    with pytest.raises(StudyError, match="no metric is about a positive class"):
        check_table(table, "study")


def test_a_protocol_without_it_is_written_as_before() -> None:
    assert "positive" not in Protocol().model_dump()
    assert Protocol(metrics=({"AUC": {}},), positive="a").model_dump()["positive"] == "a"


def test_hinge_decides_at_its_own_boundary() -> None:
    from paribus.engine.losses import output_kind, predicted_classes, probabilities, threshold

    margins = np.array([[-0.4], [0.2], [0.6], [3.0]], np.float32)
    for loss in ("hinge", "squared_hinge"):
        text = json.dumps({loss: {}})
        kind = output_kind(text)
        assert kind is OutputKind.MARGINS
        assert threshold(text) == 0.0
        assert predicted_classes(margins, kind).tolist() == [0, 1, 1, 1]
        np.testing.assert_allclose(probabilities(margins, kind)[:, 1], [0.3, 0.6, 0.8, 1.0], atol=1e-6)
