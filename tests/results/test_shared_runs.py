"""Two arms of one recipe have the same runs: computed once, counted in both, and equal in every measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dashboard_server import document, fill
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore

TWINS = {"one": {"layers": [{"Dense": {"units": 10, "activation": "softmax"}}]}}
TWINS["two"] = TWINS["one"]


@pytest.mark.parametrize("folds", [{}, {"folds": 2}])
def test_arms_of_one_recipe_share_their_runs_and_all_their_scores(tmp_path: Path, folds: dict[str, int]) -> None:
    study = document(seeds=4, arms=TWINS, contrasts=[{"a": "one", "b": "two"}])
    study = study.model_copy(update={"data": type(study.data).model_validate(study.data.model_dump() | folds)})
    fill(tmp_path, study)
    with SqliteStore.open(tmp_path) as store:
        results = open_results("digits", store)
        one, two = ([run.fingerprint for run in arm.runs] for arm in results.arms)
        assert one == two
        outcome = results.outcome()
    for name in ("test_accuracy", "test_loss", "generalization_gap"):
        first, second = (arm.estimates[name] for arm in outcome.arms)
        assert first == second
        assert np.isfinite(first.mean)
    (contrast,) = outcome.contrasts
    assert contrast.comparison is not None
    assert contrast.comparison.difference == 0
