"""Scikit-learn estimators as arms: they are what scikit-learn makes of them, and their mistakes are told beforehand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import ensemble, linear_model, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning

from paribus import seeds
from paribus.api.estimators import write_estimator_arm
from paribus.data import from_arrays, load, spool, standardization, summarize
from paribus.engine import steps
from paribus.errors import ModelError, StudyError
from paribus.estimators import canonical
from paribus.estimators.digest import learned_digest
from paribus.estimators.estimators import Estimators, log_loss
from paribus.records import DataSpec, DescribeJob, Recipe, RunResult, Seeds, Status, Training, TrainJob
from paribus.results.scores import StudyScores
from paribus.store.base import StoredArm
from paribus.study.document import Arm, Protocol
from paribus.study.fingerprint import recipe_key, run_fingerprint
from paribus.study.load import parse_study

DIGITS = DataSpec("digits", 16, flatten=True)
PLAIN = Protocol().training()


@pytest.fixture(scope="module")
def estimators() -> Estimators:
    return Estimators(lambda *_: {})


def described(estimators: Estimators, written: Any, training: Training = PLAIN, data: DataSpec = DIGITS) -> Recipe:
    spec = Arm.model_validate({"estimator": written}).spec()
    return estimators.describe(DescribeJob("baseline", spec, data, training))


def run(
    estimators: Estimators, written: Any, seed: int = 0, training: Training = PLAIN, data: DataSpec = DIGITS
) -> RunResult:
    recipe = described(estimators, written, training, data)
    return estimators.run(TrainJob("0" * 64, "baseline", Seeds.of(seed), recipe, training, data))


def digits(kept: int | None = None) -> tuple[Any, Any, Any, Any]:
    """The arrays that an estimator shall see."""
    data = load(DIGITS)
    x_train, x_test = (x.reshape(len(x), -1).astype(np.float32) / np.float32(16) for x in (data.x_train, data.x_test))
    return x_train[:kept], data.y_train[:kept], x_test, data.y_test


FOREST = {"RandomForestClassifier": {"n_estimators": 12, "max_depth": 6}}
SVM = {"CalibratedClassifierCV": {"ensemble": False, "estimator": {"SVC": {"C": 4.0}}}}
DIRECT: dict[str, tuple[Any, Any]] = {
    "logistic": (
        {"LogisticRegression": {"C": 0.5, "max_iter": 200}},
        lambda state: linear_model.LogisticRegression(C=0.5, max_iter=200, random_state=state),
    ),
    "forest": (FOREST, lambda state: ensemble.RandomForestClassifier(12, max_depth=6, random_state=state)),
    "boosting": (
        {"HistGradientBoostingClassifier": {"max_iter": 4, "max_features": 0.3}},
        lambda state: ensemble.HistGradientBoostingClassifier(max_iter=4, max_features=0.3, random_state=state),
    ),
    "neighbours": ({"KNeighborsClassifier": {"n_neighbors": 3}}, lambda _: neighbors.KNeighborsClassifier(3)),
    "bayes": ("GaussianNB", lambda _: naive_bayes.GaussianNB()),
    "svm": (SVM, lambda _: CalibratedClassifierCV(svm.SVC(C=4.0), ensemble=False)),
    "pipeline": (
        {"Pipeline": {"steps": [["scale", "StandardScaler"], ["svm", {"SGDClassifier": {"loss": "log_loss"}}]]}},
        lambda state: pipeline.Pipeline(
            [
                ("scale", preprocessing.StandardScaler()),
                ("svm", linear_model.SGDClassifier(loss="log_loss", random_state=state)),
            ]
        ),
    ),
}


@pytest.mark.parametrize("name", DIRECT)
def test_a_run_is_what_scikit_learn_makes_of_it(estimators: Estimators, name: str) -> None:
    written, build = DIRECT[name]
    x_train, y_train, x_test, y_test = digits()
    direct = build(int(seeds.init_key(Seeds.of(3))[0])).fit(x_train, y_train)
    found = run(estimators, written, seed=3)
    assert found.status is Status.FINISHED
    assert found.predictions is not None
    assert found.scores is not None
    np.testing.assert_array_equal(found.predictions.predicted, direct.predict(x_test))
    given = direct.predict_proba(x_test).astype(np.float32)
    np.testing.assert_array_equal(found.predictions.true_probability, given[np.arange(len(y_test)), y_test])
    assert found.scores.test_accuracy == direct.score(x_test, y_test)
    assert found.scores.train_accuracy == direct.score(x_train, y_train)
    assert np.isnan([found.scores.fit_accuracy, found.scores.fit_loss]).all()
    assert (found.curve.fit_loss, found.weights) == ((), None)


def test_the_loss_is_keras_s(estimators: Estimators) -> None:
    """Also where an answer is certain and wrong: a tree gives probabilities of 0 and 1."""
    found = run(estimators, "DecisionTreeClassifier")
    x_train, y_train, x_test, y_test = digits()
    tree = canonical.estimator_from_text(described(estimators, "DecisionTreeClassifier").model)
    tree.set_params(random_state=seeds.random_states(Seeds.of(0), 1)[0]).fit(x_train, y_train)
    expected = keras.losses.SparseCategoricalCrossentropy()(y_test, tree.predict_proba(x_test).astype(np.float32))
    assert found.scores is not None
    assert found.scores.test_loss == pytest.approx(float(expected), rel=1e-5)
    assert log_loss(np.array([1, 0, 0.5], np.float32)) == pytest.approx((16.118096 + np.log(2)) / 3)


def test_examples_are_prepared_as_for_a_network(estimators: Estimators) -> None:
    spec = replace(DIGITS, scale=None, standardize=True)
    data = load(spec)
    training = Protocol(validation_split=0.25).training()
    recipe = estimators.describe(DescribeJob("a", '{"estimator": {"GaussianNB": {}}}', spec, training))
    kept = estimators._prepared(TrainJob("0" * 64, "a", Seeds.of(0), recipe, training, spec))
    assert len(kept.train.x) == len(data.x_train) * 3 // 4
    prepare = steps.prepared((64,), None, standardization(data.x_train[: len(kept.train.x)]))
    np.testing.assert_allclose(kept.test.x, prepare(data.x_test), rtol=1e-6, atol=1e-6)


def test_validation_split_and_class_weights_are_followed(estimators: Estimators) -> None:
    training = Protocol(validation_split=0.5, class_weight={"3": 20.0}).training()
    found = run(estimators, {"LogisticRegression": {"max_iter": 300}}, training=training)
    x_train, y_train, x_test, _ = digits(673)
    weights = np.where(y_train == 3, np.float32(20), np.float32(1))
    direct = linear_model.LogisticRegression(max_iter=300).fit(x_train, y_train, sample_weight=weights)
    assert found.predictions is not None
    np.testing.assert_array_equal(found.predictions.predicted, direct.predict(x_test))
    plain = linear_model.LogisticRegression(max_iter=300).fit(x_train, y_train)
    assert (plain.predict_proba(x_test) != direct.predict_proba(x_test)).any()


def test_a_class_that_training_never_saw_has_probability_zero(estimators: Estimators, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    labels = np.arange(40) % 2
    spec = spool(from_arrays(x, labels, x, np.arange(40) % 3, class_names=["a", "b", "c"]), tmp_path / "unseen")
    found = run(estimators, "GaussianNB", data=spec)
    assert found.predictions is not None
    assert found.scores is not None
    assert (found.predictions.true_probability == 0).any()
    assert np.isfinite(found.scores.test_loss)


def test_what_scikit_learn_warns_of_is_the_reason_of_a_finished_run(estimators: Estimators) -> None:
    found = run(estimators, {"MLPClassifier": {"hidden_layer_sizes": [8], "max_iter": 2}})
    assert found.status is Status.FINISHED
    assert found.reason is not None
    assert found.reason.startswith("ConvergenceWarning: Stochastic Optimizer: Maximum iterations (2) reached")
    assert run(estimators, "GaussianNB").reason is None


@pytest.mark.parametrize("name", [*DIRECT, "mlp"])
@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}")
def test_runs_depend_on_their_seed_exactly_where_that_is_said(estimators: Estimators, name: str) -> None:
    written = {"MLPClassifier": {"hidden_layer_sizes": [4], "max_iter": 2}} if name == "mlp" else DIRECT[name][0]
    recipe, data = described(estimators, written), summarize(DIGITS)
    first, again, other = (run(estimators, written, seed) for seed in (0, 0, 1))
    assert first.weights_digest == again.weights_digest
    assert (first.weights_digest != other.weights_digest) == recipe.seeded
    assert recipe.seeded == (name in {"forest", "boosting", "pipeline", "mlp"})
    names = {run_fingerprint(recipe, PLAIN, DIGITS, data, Seeds.of(seed)) for seed in range(3)}
    assert len(names) == (3 if recipe.seeded else 1)


def test_epochs_and_batches_name_no_other_run(estimators: Estimators) -> None:
    recipe, data = described(estimators, FOREST), summarize(DIGITS)

    def name(protocol: Protocol) -> str:
        return run_fingerprint(recipe, protocol.training(), DIGITS, data, Seeds.of(0))

    assert name(Protocol()) == name(Protocol(epochs=99, batch_size=7))
    assert name(Protocol()) != name(Protocol(validation_split=0.1))
    assert name(Protocol()) != name(Protocol(class_weight="balanced"))


@pytest.mark.parametrize(
    ("estimator", "change"),
    [
        (linear_model.LogisticRegression(max_iter=500), lambda fitted: fitted.coef_),
        (ensemble.RandomForestClassifier(3, random_state=0), lambda fitted: fitted.estimators_[2].tree_.threshold),
        (neighbors.KNeighborsClassifier(algorithm="kd_tree"), lambda fitted: fitted._fit_X),
        (ensemble.HistGradientBoostingClassifier(max_iter=2), lambda fitted: fitted._predictors[1][4].nodes["value"]),
    ],
)
def test_the_digest_sees_the_smallest_change(estimator: BaseEstimator, change: Any) -> None:
    x_train, y_train, _, _ = digits(300)
    estimator.fit(x_train.copy(), y_train)
    before = learned_digest(estimator)
    assert before == learned_digest(estimator)
    learned = change(estimator)
    place = np.unravel_index(np.argmax(learned), learned.shape)
    learned[place] = np.nextafter(learned[place], learned.dtype.type(1e9))
    assert learned_digest(estimator) != before


# ---------------------------------------------------------------- mistakes


def mistakes(estimators: Estimators, written: Any, **protocol: Any) -> list[str]:
    with pytest.raises(ModelError) as caught:
        described(estimators, written, Protocol(**protocol).training())
    assert {mistake.place for mistake in caught.value.mistakes} == {"arm 'baseline', estimator"}
    return [mistake.message for mistake in caught.value.mistakes]


def test_every_mistake_of_an_estimator_is_told_at_once(estimators: Estimators) -> None:
    found = mistakes(estimators, {"LogisticRegression": {"C": -1.0, "max_iters": 5, "solver": "best"}})
    assert len(found) == 3
    assert found[0].startswith("LogisticRegression has no argument 'max_iters'; did you mean max_iter?")
    assert "random_state" not in found[0]
    assert found[1] == (
        "The 'C' parameter of LogisticRegression must be a float in the range (0.0, inf]. Got -1.0 instead."
    )
    assert found[2].startswith("The 'solver' parameter of LogisticRegression must be a str among")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "LogisticRegresion",
            "no classifier 'LogisticRegresion' that a study may name; did you mean LogisticRegression?",
        ),
        ("GridSearchCV", "scikit-learn has no classifier 'GridSearchCV' that a study may name"),
        ("LinearRegression", "LinearRegression is not a classifier; name one, such as LogisticRegression"),
        (
            "LinearSVC",
            'put it inside one that adds them: { CalibratedClassifierCV = { ensemble = false, estimator = "Lin',
        ),
        ("SGDClassifier", 'gives no probabilities of classes, by which losses are measured; give it loss = "log_loss"'),
        ("OneVsRestClassifier", "missing 1 required positional argument: 'estimator'; give it"),
        ("SelfTrainingClassifier", "needs an estimator inside it"),
        ({"BaggingClassifier": {"estimator": {"SVC": {"c": 1}}}}, "SVC has no argument 'c'; did you mean C?"),
        (
            {"BaggingClassifier": {"estimator": {"Svc": {}}}},
            "no classifier 'Svc' that a study may name; did you mean SVC?",
        ),
        ({"LogisticRegression": {"class_weight": {"a": 2}}}, "classes are numbered 0, 1, 2 ..."),
    ],
)
def test_what_cannot_be_an_arm_is_told_with_its_mend(estimators: Estimators, written: Any, message: str) -> None:
    (found,) = mistakes(estimators, written)
    assert message in found


def test_class_weights_that_cannot_be_followed_are_told(estimators: Estimators) -> None:
    assert mistakes(estimators, "KNeighborsClassifier", class_weight="balanced") == [
        "KNeighborsClassifier cannot weigh examples, and the protocol has class_weight; leave one of them out"
    ]
    own = {"LogisticRegression": {"class_weight": "balanced"}}
    (found,) = mistakes(estimators, own, class_weight="balanced")
    assert found.startswith("class_weight of LogisticRegression: the protocol has class_weight for all arms")
    data, weighted = summarize(DIGITS), Protocol(class_weight="balanced").training()
    arm = Arm.model_validate({"estimator": "KNeighborsClassifier"})
    assert recipe_key(arm, PLAIN, data) != recipe_key(arm, weighted, data), "a kept recipe must not hide the mistake"


STUDY = """
name = "mistakes"
data = { source = "digits" }
protocol = { loss = "mean_squared_error" }
[arms.network]
layers = ["Flatten"]
[arms.forest]
estimator = { RandomForestClassifier = { random_state = 1, n_jobs = 2 } }
[arms.cached]
estimator = { Pipeline = { memory = "cache", steps = [["svm", { SVC = { random_state = 3 } }]] } }
[arms.chosen]
estimator = "GaussianNB"
precision = "bf16"
grid = { var_smoothing = [1e-9, 1e-6] }
[arms.both]
estimator = "GaussianNB"
layers = ["Flatten"]
optimizer = "Adam"
[[contrasts]]
a = "network"
b = "forest"
metric = "fit_accuracy"
[[contrasts]]
a = "both"
b = "network"
metric = "test_loss"
"""


NAMED_LIKE_A_LOSS = """
name = "named"
[data]
source = "digits"
[protocol]
loss = "mean_squared_error"
metrics = [{ AUC = { name = "loss_of_rank" } }, { Precision = { average = "macro", name = "own_loss" } }]
[arms.bayes]
estimator = "GaussianNB"
[arms.tree]
estimator = "DecisionTreeClassifier"
[[contrasts]]
a = "bayes"
b = "tree"
metric = "test_own_loss"
"""


def test_an_added_metric_is_no_loss_whatever_its_name() -> None:
    document = parse_study(NAMED_LIKE_A_LOSS, "mine.toml")
    stored = (StoredArm("tree", Recipe("{}", "", 0, ()), ()),)
    scores = StudyScores(document, summarize(document.data.spec()), stored, {}, lambda fingerprint: {}[fingerprint])
    assert scores.has("tree", "train_loss_of_rank")
    assert not scores.has("tree", "train_loss")


def test_mistakes_of_a_study_file_are_told_at_once() -> None:
    with pytest.raises(StudyError) as caught:
        parse_study(STUDY, "mine.toml")
    found = {mistake.place: mistake.message for mistake in caught.value.mistakes}
    ours = "is always 1: a run has one core, and runs go side by side instead (--workers); leave it out"
    assert found["arm 'forest', estimator"].startswith(f"n_jobs {ours}; random_state comes from each run's seed")
    assert "memory names a folder whose files run code" in found["arm 'cached', estimator"]
    assert "random_state" in found["arm 'cached', estimator"]
    assert (
        "it has `layers` and `estimator`; give one of them; a scikit-learn estimator has no `optimizer`"
        in found["arm 'both'"]
    )
    assert found["contrast 1"].startswith("fit_accuracy of 'forest': it is what fit prints of networks")
    assert found["contrast 2"].startswith("test_loss of 'both': a scikit-learn estimator is measured by its log loss")
    chosen = found["arm 'chosen'"]
    assert (
        "a scikit-learn estimator has no `precision` to choose; leave it out; `grid`: values are selected by" in chosen
    )
    assert len(caught.value.mistakes) == 6


# ---------------------------------------------------------------- written down and back


def test_documents_of_networks_look_as_they_did_before_there_were_estimators() -> None:
    network = Arm.model_validate({"layers": ["Flatten"]})
    assert "estimator" not in network.model_dump()
    assert "optimizer" in network.model_dump()
    baseline = Arm.model_validate({"estimator": "GaussianNB"})
    assert baseline.spec() == '{"estimator":{"GaussianNB":{}}}'
    assert Arm.model_validate_json(baseline.model_dump_json()) == baseline


@pytest.mark.parametrize("name", DIRECT)
def test_an_estimator_in_python_is_the_same_arm_as_in_a_file(estimators: Estimators, name: str) -> None:
    written, build = DIRECT[name]
    arm = write_estimator_arm(build(None))
    assert arm.estimator is not None
    assert described(estimators, arm.estimator).model == described(estimators, written).model


def test_arguments_in_python_are_written_without_defaults_and_none_has_a_word() -> None:
    forest = ensemble.RandomForestClassifier(n_estimators=np.int64(50), max_features=None, criterion="gini")
    written = canonical.written(forest)
    assert written == {"RandomForestClassifier": {"n_estimators": 50, "max_features": "None"}}
    revived = canonical.argument("", json.loads(json.dumps(written)))
    assert (revived.max_features, revived.n_estimators) == (None, 50)
    layers = canonical.argument("", {"MLPClassifier": {"hidden_layer_sizes": [20, 10]}})
    assert canonical.written(layers) == canonical.written(neural_network.MLPClassifier((20, 10)))


class OwnForest(ensemble.RandomForestClassifier):
    pass


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ensemble.RandomForestClassifier(random_state=0), "random_state comes from each run's seed"),
        (ensemble.RandomForestClassifier(n_jobs=-1), "n_jobs is always 1"),
        (
            neighbors.KNeighborsClassifier(metric=lambda a, b: 0),
            "argument metric of KNeighborsClassifier: function is Python",
        ),
        (linear_model.LogisticRegression(C=np.inf), "argument C of LogisticRegression: inf is not a number"),
        (OwnForest(), "OwnForest comes from .*test_estimators; use one of scikit-learn's own classes"),
    ],
)
def test_what_does_not_travel_is_refused_by_name(estimator: BaseEstimator, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        write_estimator_arm(estimator)
