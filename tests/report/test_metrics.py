"""Metrics that a study adds: in contrasts, in every format, and in the Python results."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

import paribus as pb
from paribus.analysis import Unit
from paribus.api import keras_objects
from paribus.backends.fake import FakeBackend
from paribus.errors import UsageError
from paribus.records import RunResult, TrainJob
from paribus.report import output
from paribus.results.scores import list_added_metrics
from paribus.study.document import StudyDocument

TOML = {
    "name": "own-metrics",
    "seeds": 4,
    "data": {"source": "digits", "scale": 16, "flatten": True},
    "protocol": {
        "epochs": 1,
        "metrics": ["auc", {"F1Score": {"average": "macro"}}, {"MeanSquaredError": {"name": "brier"}}, "kl_divergence"],
    },
    "arms": {
        "a": {"layers": [{"Dense": {"units": 10, "activation": "softmax"}}]},
        "b": {"layers": [{"Dense": {"units": 11, "activation": "relu"}}, {"Dense": {"units": 10}}]},
    },
    "contrasts": [{"a": "a", "b": "b", "metric": "test_f1_score"}, {"a": "a", "b": "b", "metric": "test_brier"}],
}


@pytest.fixture(scope="module")
def results() -> pb.Results:
    backend = FakeBackend({"a": 0.97, "b": 0.7}.__getitem__)
    return pb.Study.of(StudyDocument.model_validate(TOML)).run(backend=backend, progress=False)


def test_a_study_says_what_its_metrics_are() -> None:
    found = {
        m.name: (m.label, m.unit, m.higher_is_better) for m in list_added_metrics(StudyDocument.model_validate(TOML))
    }
    assert list(found) == [f"{s}_{m}" for m in ("auc", "f1_score", "brier", "kl_divergence") for s in ("test", "train")]
    assert found["test_auc"] == ("test AUC", Unit.PLAIN, True)
    assert found["train_brier"] == ("train brier", Unit.PLAIN, False)
    assert found["test_kl_divergence"] == ("test kl divergence", Unit.NATS, False)


def test_they_are_compared_on_this_test_set_in_their_own_direction(results: pb.Results) -> None:
    f1 = results.contrast("a", "b", "test_f1_score")
    assert (f1.verdict, f1.scope) == ("better", "this test set")
    assert re.match(r"a is better than b on this test set: test F1 score \+\d\d\.\d\d points \(", f1.sentence)
    # The fake's numbers are accuracies; of an error less is better.
    brier = results.contrast("a", "b", "test_brier")
    assert brier.verdict == "worse"
    assert re.match(r"a is worse than b on this test set: test brier \+0\.\d{4} \(simultaneous 95 % CI", brier.sentence)


@pytest.mark.parametrize("form", ["md", "latex", "html"])
def test_every_report_has_their_table(results: pb.Results, form: str) -> None:
    text = output.render_report(results.outcome, form)
    shown = text.replace("\\shortstack{", "").replace("\\\\", " ")
    assert "Test brier" in shown
    assert "Train F1 score, %" in shown.replace("\\%", "%")


def test_text_json_and_csv_have_them(results: pb.Results) -> None:
    assert re.search(r"^metric +a +b *$\ntest AUC +0\.\d+ +0\.\d+ *$", repr(results), re.MULTILINE)
    found = results.to_json()
    arm = found["arms"][0]
    assert found["metrics"][:2] == ["test_auc", "train_auc"]
    assert arm["test_auc"]["n"] == 4
    assert arm["runs"][0]["test_auc"] == pytest.approx(arm["runs"][0]["test_accuracy"])
    assert results.to_pandas().test_brier.notna().all()


def test_a_run_for_which_a_metric_says_nothing_has_no_score_on_it() -> None:
    class Silent(FakeBackend):
        def _result(self, job: TrainJob) -> RunResult:
            result = super()._result(job)
            says_nothing = job.seeds.init == 1 and job.arm == "a"
            return replace(result, metrics=dict.fromkeys(result.metrics, math.nan)) if says_nothing else result

    results = pb.Study.of(StudyDocument.model_validate(TOML)).run(backend=Silent(), progress=False)
    assert "3 seeds" in results.contrast("a", "b", "test_brier").sentence
    assert "Seed 1 of a is missing" in results.contrast("a", "b", "test_brier").sentence
    assert results.to_json()["arms"][0]["runs"][1]["test_brier"] is None


def test_metrics_of_python_are_those_of_a_study_file() -> None:
    import keras

    given = ["auc", keras.metrics.F1Score("macro"), keras.metrics.TopKCategoricalAccuracy(k=2, name="top_2")]
    assert keras_objects.write_metrics(given) == [
        {"auc": {}},
        {"F1Score": {"average": "macro"}},
        {"TopKCategoricalAccuracy": {"k": 2, "name": "top_2"}},
    ]
    with pytest.raises(UsageError, match="metric <lambda>: a metric of Keras is expected"):
        keras_objects.write_metrics([lambda y, p: 0])
