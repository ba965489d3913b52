"""Metrics of a user's own are measured with their own class, as Keras's ``evaluate`` would; or refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import own_metrics
import paribus as pb
from in_process import train_study
from paribus.backends.choose import BackendChoice
from paribus.backends.local import LocalBackend
from paribus.data import load
from paribus.engine.engine import Engine
from paribus.engine.metrics import ProtocolMetrics, measure_metrics, metric_objections
from paribus.errors import StudyError, UsageError
from paribus.keras_config import custom_objects
from paribus.records import Training
from paribus.results.scores import list_added_metrics
from paribus.runner.session import backend_for
from paribus.study.document import StudyDocument
from paribus.study.load import parse_study

L = keras.layers
NAMES = tuple(map(str, range(10)))


def model(units: int = 10, activation: str = "softmax") -> keras.Model:
    return keras.Sequential([keras.Input((64,)), L.Dense(units, activation)])


def study(*metrics: Any, models: Any = None, **options: Any) -> pb.Study:
    return pb.Study(models or {"a": model()}, "digits", metrics=metrics, **options)


def training(metric: Any, loss: Any = "categorical_crossentropy") -> Training:
    return study(metric, loss=loss).document.protocol.training()


def test_a_study_says_all_of_it_without_its_class() -> None:
    protocol = study(own_metrics.ExpectedCost(2.0), own_metrics.CoarseAUC()).document.protocol
    cost, auc = protocol.metrics
    assert cost == {"tests>ExpectedCost": {"name": "cost", "weight": 2.0}}
    assert list(auc) == ["tests>CoarseAUC"]
    source = custom_objects.source_digests(["tests>ExpectedCost"])["tests>ExpectedCost"]
    assert protocol.own_metrics["cost"].model_dump() == {"direction": "down", "extends": None, "source": source}
    assert protocol.own_metrics["coarse_auc"].extends == "AUC"
    assert [name for name, _ in protocol.list_metric_forms()] == ["tests>ExpectedCost", "AUC"]


def test_names_do_not_depend_on_how_many_were_made() -> None:
    first, second = (study(own_metrics.Mass()).document for _ in range(2))
    assert first.protocol == second.protocol
    assert list(first.protocol.own_metrics) == ["mass"]


def test_a_run_is_measured_as_keras_evaluates_it(engine: Engine) -> None:
    """The exported network, compiled with the same metrics, says the same."""
    asked = study(own_metrics.ExpectedCost(2.0), own_metrics.Mass(), epochs=2, seeds=1)
    (run,) = train_study(asked.document, engine)
    network = model()
    assert run.weights is not None
    for variable in network.variables:
        variable.assign(next(value for path, value in run.weights.items() if path.endswith(variable.name)))
    data = load(asked.document.data.spec())
    x = data.x_test.astype(np.float32) / asked.document.data.scale
    network.compile(metrics=[own_metrics.ExpectedCost(2.0), own_metrics.Mass()], loss="categorical_crossentropy")
    expected = network.evaluate(x, keras.utils.to_categorical(data.y_test, 10), verbose=0, return_dict=True)
    assert run.metrics["test_cost"] == pytest.approx(expected["cost"], rel=1e-5)
    assert run.metrics["test_mass"] == pytest.approx(expected["mass"], rel=1e-4)
    assert run.metrics["test_cost"] == pytest.approx(2.0 * (1.0 - run.scores.test_accuracy), rel=1e-5)


def test_verdicts_know_the_direction_and_the_scope() -> None:
    document = study(own_metrics.ExpectedCost(), own_metrics.CoarseAUC()).document
    test_cost, _, test_auc, _ = list_added_metrics(document)
    assert (test_cost.name, test_cost.label, test_cost.higher_is_better) == ("test_cost", "test cost", False)
    assert not test_cost.per_example
    assert (test_auc.higher_is_better, test_auc.per_example) == (True, False)


def test_a_stored_study_is_read_without_the_class() -> None:
    document = study(own_metrics.ExpectedCost(2.0)).document
    again = StudyDocument.model_validate_json(document.model_dump_json())
    assert again == document
    assert again.protocol.training() == document.protocol.training()
    plain = study().document.model_dump_json()
    assert "own_metrics" not in plain


def test_the_source_is_part_of_what_names_a_run() -> None:
    own = training(own_metrics.ExpectedCost())
    assert own.metric_sources is not None
    assert "tests>ExpectedCost" in own.metric_sources
    assert study().document.protocol.training().metric_sources is None


def test_a_changed_source_is_refused() -> None:
    changed = replace(training(own_metrics.ExpectedCost()), metric_sources=json.dumps({"tests>ExpectedCost": "0" * 64}))
    with pytest.raises(UsageError, match="has changed since the study was written; make the study again"):
        ProtocolMetrics.of_training(changed, NAMES)


def test_a_class_that_nobody_registered_is_refused() -> None:
    metrics = '[{"tests>Nobody": {"name": "nobody"}}]'
    with pytest.raises(UsageError, match="no class is registered as 'tests>Nobody' in this process; name the study as"):
        ProtocolMetrics.of_training(replace(training(own_metrics.Mass()), metrics=metrics), NAMES)


def test_workers_import_the_module() -> None:
    backend = backend_for(study(own_metrics.ExpectedCost()).document, BackendChoice(workers=1))
    assert isinstance(backend, LocalBackend)
    assert "own_metrics" in backend.fleet._imports.modules


REFUSED: dict[str, tuple[Any, str]] = {
    "unregistered": (
        own_metrics.Unregistered,
        "Unregistered: .* not registered .*decorate it",
    ),
    "no direction": (
        own_metrics.WithoutDirection,
        'which direction is better: write self._direction = "up"',
    ),
    "unsaved": (own_metrics.Unsaved, "Unsaved has no get_config that returns its weight"),
    "class": (lambda: own_metrics.Mass, "give an object of this class"),
    "function": (lambda: keras.metrics.binary_accuracy, "of a function make a class: a registered subclass of keras.m"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_workers_could_not_make_is_refused(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(UsageError, match=message):
        study(build())


def test_a_class_of_the_script_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_metrics.Mass, "__module__", "__main__")
    with pytest.raises(UsageError, match=r"Mass: it is defined in the script or notebook itself .*put it in a module"):
        study(own_metrics.Mass())


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (own_metrics.SeveralNumbers, "SeveralNumbers raised TypeError"),
        (own_metrics.Raising, "Raising raised KeyError: 'fra"),
    ],
)
def test_what_says_no_number_is_refused_before_anything_trains(metric: Any, message: str) -> None:
    (objection,) = metric_objections(ProtocolMetrics.of_training(training(metric()), NAMES), 10)
    assert message in objection


def test_a_metric_that_sees_outputs_as_they_are_sees_one_form() -> None:
    """Labels and outputs are in the loss's form, as in ``compile``; an arm of another form is refused."""
    outputs = np.array([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]], np.float32)
    labels = np.array([1, 0, 0], np.int32)
    binary = training(own_metrics.Mass(), "binary_crossentropy")
    network, estimator = (ProtocolMetrics.of_training(binary, ("a", "b"), of_estimator=e) for e in (False, True))
    assert measure_metrics(network, outputs[:, 1:], labels)["mass"] == pytest.approx(0.5)
    assert measure_metrics(estimator, outputs, labels)["mass"] == pytest.approx(0.5)
    assert metric_objections(network, 1) == metric_objections(estimator, 2) == []
    (objection,) = metric_objections(network, 2)
    assert (
        "under this loss a network may have one output for two classes, or two: end the network with one unit"
        in objection
    )
    logits = training(own_metrics.Mass(), keras.losses.CategoricalCrossentropy(from_logits=True))
    (objection,) = metric_objections(ProtocolMetrics.of_training(logits, NAMES, of_estimator=True), 10)
    assert "which are logits under the protocol's loss, and a scikit-learn estimator has prob" in objection
    assert measure_metrics(ProtocolMetrics.of_training(logits, ("a", "b")), -outputs, labels)["mass"] == pytest.approx(
        -0.5
    )


def test_one_that_extends_a_metric_of_keras_sees_what_that_one_sees() -> None:
    """AUC reads the probability of the positive class from every kind of arm."""
    outputs = np.array([[0.2, 0.8], [0.9, 0.1], [0.3, 0.7]], np.float32)
    labels = np.array([1, 0, 0], np.int32)
    asked = ProtocolMetrics.of_training(training(own_metrics.CoarseAUC()), ("a", "b"))
    assert measure_metrics(asked, outputs, labels) == {"coarse_auc": pytest.approx(1.0)}


TOML = """
name = "own"
[data]
source = "digits"
[protocol]
metrics = [{ "tests>ExpectedCost" = { name = "cost" } }]
%s
[arms.a]
layers = [{ Dense = { units = 10, activation = "softmax" } }]
"""


def test_a_study_file_says_the_direction() -> None:
    protocol = parse_study(TOML % "own_metrics = { cost = { direction = 'down' } }", "own.toml").protocol
    assert protocol.training().metric_sources == '{"tests>ExpectedCost":null}'
    with pytest.raises(StudyError, match="metric 'cost' is of a class of your own: say which direction is better"):
        parse_study(TOML % "", "own.toml")
    with pytest.raises(StudyError, match="own_metrics: 'price' is not a metric of a class of your own"):
        parse_study(TOML % "own_metrics.cost.direction = 'up'\nown_metrics.price.direction = 'up'", "own.toml")


def test_estimators_are_measured_too(engine: Engine) -> None:
    from paribus.backends.job_runner import JobRunner
    from paribus.records import DescribeJob, Seeds, TrainJob

    document = study(own_metrics.ExpectedCost(), models={"a": LogisticRegression(max_iter=20)}).document
    runner, arm = JobRunner(), document.arms["a"]
    asked = document.protocol.training(arm)
    recipe = runner.describe(DescribeJob("a", arm.spec(), document.data.spec(), asked))
    (run,) = runner.run([TrainJob("0" * 64, "a", Seeds.of(0), recipe, asked, document.data.spec())], lambda *_: None)
    assert run.scores is not None
    assert run.metrics["test_cost"] == pytest.approx(1 - run.scores.test_accuracy, abs=1e-6)
