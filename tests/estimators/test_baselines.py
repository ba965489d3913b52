"""A study with a network and scikit-learn estimators, from its file to every form of its answer."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import paribus as pb
from command_line import call
from paribus.data import summarize
from paribus.display.tally import Tally
from paribus.errors import ModelError, UsageError
from paribus.export.keras_files import export_networks
from paribus.records import Curve, Ended, Recipe, RunResult, Seeds, Started, Status
from paribus.report import FORMATS
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore
from paribus.study.load import parse_study
from paribus.study.plan import list_jobs, plan_runs

STUDY = """
name = "baselines"
question = "Does a small network beat what scikit-learn has?"
seeds = 2

[data]
source = "digits"
standardize = true
flatten = true

[protocol]
epochs = 2
validation_split = 0.1
early_stopping = { patience = 1 }
metrics = [{ TopKCategoricalAccuracy = { k = 2 } }]

[arms.network]
layers = [{ Dense = { units = 16, activation = "relu" } }, { Dense = { units = 10, activation = "softmax" } }]

[arms.logistic]
estimator = { LogisticRegression = { C = 0.5, max_iter = 8 } }

[arms.forest]
estimator = { RandomForestClassifier = { n_estimators = 10 } }

[arms.mlp]
estimator = { MLPClassifier = { hidden_layer_sizes = [16], max_iter = 150 } }

[arms.counts]
estimator = "MultinomialNB"

[[contrasts]]
a = "network"
b = "forest"

[[contrasts]]
a = "network"
b = "logistic"
metric = "test_loss"
"""
"""``counts`` fails: standardized data has negative values, which are no counts."""


class Ran:
    """The study, run once through the command line with two workers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "baselines.toml"
        self.file.write_text(STUDY, encoding="utf-8")
        self.store = folder / "runs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return Ran(tmp_path_factory.mktemp("baselines"))


@pytest.fixture(scope="module")
def ran(folder: Ran) -> dict[str, Any]:
    """The whole answer, by real workers."""
    command = [sys.executable, "-m", "paribus", "run", folder.file, "--store", folder.store, "--workers", "2", "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 1, "some runs fail"
    document: dict[str, Any] = json.loads(said.stdout)
    return document


def arms(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {arm["name"]: arm for arm in document["arms"]}


def test_the_answer_has_a_place_for_what_an_estimator_has_and_null_for_the_rest(ran: dict[str, Any]) -> None:
    found = arms(ran)
    for name in ("logistic", "forest", "mlp"):
        arm = found[name]
        assert (arm["parameters"], arm["fit_accuracy"]["mean"], arm["seeds"]) == (None, None, [0, 1])
        assert [run["status"] for run in arm["runs"]] == ["finished", "finished"]
        assert arm["test_accuracy"]["mean"] > 0.85
        assert 0 < arm["test_loss"]["mean"] < 2
        assert arm["test_top_k_categorical_accuracy"]["mean"] > arm["test_accuracy"]["mean"]
    assert found["network"]["parameters"] == 1210
    assert found["network"]["fit_accuracy"]["mean"] > 0
    assert [contrast["verdict"] for contrast in ran["contrasts"]][1] == "worse"


def test_a_deterministic_estimator_is_computed_once_and_said_to_be(ran: dict[str, Any]) -> None:
    found = arms(ran)
    logistic, forest = ([run["weights_digest"] for run in found[name]["runs"]] for name in ("logistic", "forest"))
    assert len({run["fingerprint"] for run in found["logistic"]["runs"]}) == 1
    assert logistic[0] == logistic[1]
    assert forest[0] != forest[1]
    assert found["logistic"]["test_accuracy"]["sd"] == 0
    assert found["logistic"]["test_accuracy"]["low"] < found["logistic"]["test_accuracy"]["mean"]
    (note,) = [note for note in ran["notes"] if "deterministic" in note]
    assert note.startswith("logistic is deterministic: its seeds are one and the same model")


def test_what_was_not_followed_warned_of_or_failed_is_said(ran: dict[str, Any]) -> None:
    notes = ran["notes"]
    assert notes[0] == (
        "logistic, forest, mlp and counts are scikit-learn estimators, fitted to the same training examples, prepared "
        "in the same way, each as one vector, with random_state from each seed's init stream. Of the protocol they "
        "do not use: epochs, batch size and early stopping. They have no fit accuracy."
    )
    assert any(
        note.startswith("logistic: while it was fitted, with 2 of 2 seeds, scikit-learn warned: Conv") for note in notes
    )
    failed = [run for run in arms(ran)["counts"]["runs"] if run["status"] == "failed"]
    assert len(failed) == 2
    assert failed[0]["reason"] == "ValueError: Negative values in data passed to MultinomialNB (input X)."
    assert any(note.startswith("counts seed 1 failed (ValueError: Negative values") for note in notes)
    assert not any("different environments" in note for note in notes)
    (stopping,) = [note for note in notes if note.startswith("Early stopping")]
    assert "network" in stopping
    assert "forest" not in stopping


def test_what_it_was_computed_with_is_recorded(ran: dict[str, Any]) -> None:
    network, estimators = sorted(ran["environments"], key=lambda found: found["keras"] == "")
    assert network["keras"]
    assert (estimators["keras"], estimators["jax"], estimators["device"]) == ("", "", "cpu")
    assert estimators["flags"].startswith("scikit-learn=1.")


def test_every_form_of_the_report(
    folder: Ran, ran: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in FORMATS:
        file = folder.store / f"report.{form}"
        said = call(capsys, monkeypatch, "report", folder.file, "--store", folder.store, "--format", form, "-o", file)
        assert said.code == 0
        text = file.read_text(encoding="utf-8")
        assert "MLPClassifier" in text or form in {"csv", "json", "latex"}
        assert not re.search(r"\bnan\b", text)
    shown = call(capsys, monkeypatch, "show", "baselines/logistic/1", "--store", folder.store, "--json")
    document = json.loads(shown.out)
    assert (document["seed"], document["parameters"], document["fit_accuracy"]) == (1, None, None)
    again = call(
        capsys, monkeypatch, "run", folder.file, "--store", folder.store, "--arm", "logistic", "--arm", "forest"
    )
    assert "3 runs in all, 3 stored, 0 to do" in again.err
    assert "–" in again.out


def test_questions_that_an_estimator_cannot_answer_are_refused_by_name(
    folder: Ran, ran: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object) -> str:
        said = call(capsys, monkeypatch, *arguments, "--store", folder.store)
        assert said.code == 2
        return said.err

    fit = refused("compare", folder.file, "network", "forest", "--metric", "fit_accuracy")
    assert "fit_accuracy of 'forest': a scikit-learn estimator has none here" in fit
    assert "draws nothing at random" in refused("noise", folder.file, "--arm", "logistic", "--seeds", "2")
    assert "networks are ablated" in refused("ablate", f"{folder.file}/forest")
    with SqliteStore.open(folder.store) as store:
        chosen = select_runs(open_results("baselines", store), ["forest"])
        with pytest.raises(UsageError, match="scikit-learn estimators are not Keras models"):
            export_networks(chosen, folder.store / "out")
    assert call(capsys, monkeypatch, "check", folder.file, "--new", "mlp", "--old", "forest", "--margin", "0.5",
                "--store", folder.store).code == 0  # fmt: skip
    assert call(capsys, monkeypatch, "plan", folder.file, "--detect", "0.05", "--store", folder.store).code == 0


def test_python_gives_the_same_runs_whatever_the_workers(ran: dict[str, Any]) -> None:
    """Another process, one worker instead of two, other jobs before: the same bits."""
    layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    results = pb.compare(
        {
            "forest": RandomForestClassifier(n_estimators=10),
            "network": keras.Sequential([keras.Input((64,)), *layers]),
            "logistic": LogisticRegression(C=0.5, max_iter=8),
        },
        {"source": "digits", "standardize": True, "flatten": True},
        seeds=2,
        epochs=2,
        validation_split=0.1,
        early_stopping=1,
        metrics=[{"TopKCategoricalAccuracy": {"k": 2}}],
        workers=1,
        progress=False,
    )
    before, now = arms(ran), arms(results.to_json())
    for name in ("forest", "logistic", "network"):
        for key in ("weights_digest", "fingerprint", "test_accuracy", "test_loss", "train_loss"):
            assert [run[key] for run in now[name]["runs"]] == [run[key] for run in before[name]["runs"]]
    assert results.contrast("forest", "network").difference is not None
    assert "deterministic" in repr(results)


def test_python_refuses_what_is_no_recipe() -> None:
    with pytest.raises(ModelError, match="random_state comes from each run's seed"):
        pb.Study({"a": RandomForestClassifier(random_state=0), "b": DummyClassifier()}, "digits")
    with pytest.raises(
        UsageError, match="a Keras model or a scikit-learn estimator is expected, this is ABCMeta; call it"
    ):
        pb.Study({"a": RandomForestClassifier}, "digits")
    with pytest.raises(UsageError, match="scikit-learn's RandomForestClassifier: networks are ablated"):
        pb.ablate(RandomForestClassifier(), "digits", progress=False)


def test_factors_make_arms_of_estimators_too() -> None:
    document = parse_study(
        'name = "depths"\ndata = { source = "digits" }\nfactors = { depth = [2, 8] }\n'
        '[template]\nestimator = { RandomForestClassifier = { max_depth = "$depth" } }\n',
        "depths.toml",
    )
    assert [arm.estimator for arm in document.arms.values()] == [
        {"RandomForestClassifier": {"max_depth": depth}} for depth in (2, 8)
    ]


def test_an_estimate_of_what_is_left_needs_no_epochs() -> None:
    document = parse_study(STUDY, "baselines.toml")
    recipe = Recipe('{"estimator":{"GaussianNB":{}},"seeded":true}', "", 0, ())
    network = Recipe("{}", "{}", 0, ())
    recipes = {name: network if name == "network" else recipe for name in document.arms}
    two = document.model_copy(update={"arms": {name: document.arms[name] for name in ("network", "forest")}})
    jobs = list_jobs(two, recipes, summarize(document.data.spec()), [Seeds.of(seed) for seed in range(2)])
    now = 0.0
    tally = Tally(plan_runs(jobs, {}), lambda: now)
    assert tally.seconds_left() is None
    first, second = [job for job in jobs if job.arm == "forest"]
    tally.count(Started(first))
    now = 6.0
    tally.count(
        Ended(first, RunResult(first.fingerprint, Status.FAILED, first.seeds, None, Curve((), ()), 0, None, None))
    )
    assert tally.seconds_left() == pytest.approx(6 + 2 * 6)  # the other forest; two networks, priced like a run
    assert tally.fraction() == pytest.approx(1 / 6)  # networks have two epochs each
    tally.count(Started(second))
    assert tally.seconds_left() == pytest.approx(18)


ALONE = """
import sys
from paribus.backends.job_runner import JobRunner
from paribus.records import DataSpec, DescribeJob, Seeds, TrainJob
from paribus.study.document import Protocol
runner, training, data = JobRunner(), Protocol().training(), DataSpec("digits", 16, flatten=True)
recipe = runner.describe(DescribeJob("a", '{"estimator": {"GaussianNB": {}}}', data, training))
(run,) = runner.run([TrainJob("0" * 64, "a", Seeds.of(0), recipe, training, data)], print)
assert run.scores.test_accuracy > 0.8
print(sorted({"jax", "keras", "scipy"} & set(sys.modules)))
"""


def test_a_worker_that_fits_estimators_alone_needs_neither_keras_nor_jax() -> None:
    said = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['scipy']"
