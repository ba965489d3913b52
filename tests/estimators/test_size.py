"""Estimators that no memory could hold are refused before anything trains; what may be fitted is not."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from sklearn import ensemble

from paribus.errors import ModelError
from paribus.estimators.describe import describe
from paribus.estimators.size import too_large
from paribus.records import DataSpec, DescribeJob
from paribus.study.document import Arm, Protocol


def described(written: Any) -> None:
    spec = Arm.model_validate({"estimator": written}).spec()
    describe(DescribeJob("baseline", spec, DataSpec("digits", 16, flatten=True), Protocol().training()))


TREES = {"n_estimators": 10**9}
LARGE = {
    "forest": ({"RandomForestClassifier": TREES}, "RandomForestClassifier with n_estimators = 1,000,000,000 takes at"),
    "boosting": ({"GradientBoostingClassifier": TREES}, "GradientBoostingClassifier with n_estimators = 1,000,000,000"),
    "perceptron": ({"MLPClassifier": {"hidden_layer_sizes": [10**6, 10**7]}}, "hidden_layer_sizes = [1000000, 10000"),
    "inside": (
        {"Pipeline": {"steps": [["scale", "StandardScaler"], ["trees", {"ExtraTreesClassifier": TREES}]]}},
        "ExtraTreesClassifier with n_estimators = 1,000,000,000 takes at least 372.5 GiB",
    ),
    "bags of forests": (
        {
            "BaggingClassifier": {
                "n_estimators": 10**5,
                "estimator": {"RandomForestClassifier": {"n_estimators": 10**5}},
            }
        },
        "BaggingClassifier with n_estimators = 100,000 takes at least 3.6 TiB",
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_no_memory_could_hold_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("paribus.machine.read_memory_limit", lambda: 24 << 30)
    written, message = LARGE[name]
    with pytest.raises(ModelError) as caught:
        described(written)
    (mistake,) = caught.value.mistakes
    assert mistake.place == "arm 'baseline', estimator"
    assert message in mistake.message
    assert mistake.message.endswith("and this machine has 24.0 GiB; use smaller arguments")


def test_what_may_stop_by_itself_is_not_refused_and_the_estimate_is_low() -> None:
    described({"HistGradientBoostingClassifier": {"max_iter": 10**9, "early_stopping": True}})
    described({"GradientBoostingClassifier": {"n_estimators": 10**9, "n_iter_no_change": 5}})
    x, y = np.zeros((40, 1), np.float32), np.array([0, 1] * 20)
    for smallest in (
        ensemble.RandomForestClassifier(200, max_depth=1),
        ensemble.GradientBoostingClassifier(n_estimators=200, max_depth=1),
        ensemble.HistGradientBoostingClassifier(max_iter=200, max_leaf_nodes=2, early_stopping=False),
    ):
        tracemalloc.start()
        fitted = smallest.fit(x, y)
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert too_large(fitted, memory=taken) is None
        assert too_large(fitted, memory=taken // 10) is not None, "low, but not by far"
