"""What a study with folds hands out: predictions, confusion, tables; each example once in each repetition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

import paribus as pb
from estimators_here import EstimatorsHere
from paribus.data.sources import load_pooled
from paribus.errors import DataError
from paribus.export.parquet_tables import export_tables
from paribus.report.answers import StudyAnswers, read_answers
from paribus.results.selection import select_runs

ARMS = {"tree": DecisionTreeClassifier(max_depth=3), "linear": LogisticRegression(tol=1e-10, max_iter=1000)}


def examples(count: int = 90) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(count, 4)).astype(np.float32)
    return x, (x[:, 0] + generator.normal(size=count) > 0).astype(int)


def cross_validated(seeds: int = 1, repeats: int = 2, **options: Any) -> tuple[pb.Study, Any]:
    study = pb.Study(ARMS, examples(), folds=3, repeats=repeats, seeds=seeds, **options)
    return study, study.run(backend=EstimatorsHere(), progress=False)


def test_each_example_is_predicted_once_in_each_repetition_by_a_run_that_did_not_see_it() -> None:
    (x, y), (study, results) = examples(), cross_validated()
    frame = results.predictions()
    assert list(frame.columns[:4]) == ["arm", "seed", "repeat", "fold"]
    assert (frame.groupby(["arm", "repeat", "example"], observed=True).size() == 1).all()
    assert len(frame) == 2 * 2 * 90
    codes = load_pooled(study.document.data.spec()).codes
    for repeat in range(2):
        part = frame[(frame.arm == "linear") & (frame["repeat"] == repeat)].sort_values("example")
        assert part.fold.tolist() == codes[repeat].tolist()
        assert part.label.astype(int).tolist() == y.tolist()
        theirs = cross_val_predict(ARMS["linear"], x, y, cv=PredefinedSplit(codes[repeat]))
        assert part.prediction.astype(int).tolist() == theirs.tolist()
    places = results.to_pandas()[["seed", "repeat", "fold"]].drop_duplicates().to_numpy().tolist()
    assert places == [[seed, seed // 3, seed % 3] for seed in range(6)]
    counts = results.confusion("linear").to_numpy()
    assert counts.sum() == 2 * 90
    assert counts.trace() == (frame.label.astype(int) == frame.prediction.astype(int))[frame.arm == "linear"].sum()


@pytest.mark.parametrize(("seeds", "repeats"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_the_predictions_judged_give_the_answer_of_the_study(seeds: int, repeats: int) -> None:
    _, results = cross_validated(seeds, repeats)
    contrast = results.contrast("tree", "linear")
    judged = pb.judge(results.predictions()).contrast("tree", "linear")
    assert (judged.difference, judged.low, judged.high, judged.p_value) == pytest.approx(
        (contrast.difference, contrast.low, contrast.high, contrast.p_value), rel=1e-12
    )
    assert judged.scope == contrast.scope == "new data, new training sets"
    folded, of_study = judged.comparison.folded, contrast.comparison.folded
    assert folded is not None
    assert of_study is not None
    assert (folded.seeds, folded.repeats, folded.folds) == (seeds, repeats, 3)
    assert folded.differences == pytest.approx(of_study.differences, rel=1e-12)


def test_answers_of_reports_have_a_row_for_each_pass_over_the_folds(tmp_path: Path) -> None:
    _, results = cross_validated(2, 2)
    answers = read_answers(results.outcome)
    assert isinstance(answers, StudyAnswers)
    assert answers.by_arm["tree"].seeds == (0, 1, 2, 3)
    page = results.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("In these counts a seed is a pass over all folds") == 2  # the examples count passes already
    accuracy = results.arms["tree"].estimates["test_accuracy"].mean
    assert answers.by_arm["tree"].right.mean() == pytest.approx(accuracy)


def test_parquet_has_what_the_frames_have(tmp_path: Path) -> None:
    _, results = cross_validated()
    export_tables(select_runs(results._require_stored("export")), tmp_path)
    runs, answers = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("runs", "predictions"))
    assert runs[["seed", "repeat", "fold"]].to_numpy().tolist() == 2 * [[n, n // 3, n % 3] for n in range(6)]
    frame = results.predictions()
    for ours, theirs in (("prediction", "predicted"), ("label", "label"), ("example", "example"), ("fold", "fold")):
        assert frame[ours].astype(int).tolist() == answers[theirs].tolist()
    contrast = results.contrast("tree", "linear")
    judged = pb.judge(tmp_path / "predictions.parquet").contrast("tree", "linear")
    assert (judged.low, judged.high) == pytest.approx((contrast.low, contrast.high), rel=1e-12)


def test_labels_of_other_data_are_refused(tmp_path: Path) -> None:
    x, y = examples()
    np.savez(tmp_path / "data.npz", x_train=x[:60], y_train=y[:60], x_test=x[60:], y_test=y[60:])
    study = pb.Study(ARMS, str(tmp_path / "data.npz"), folds=3, seeds=1)
    results = study.run(backend=EstimatorsHere(), progress=False)
    np.savez(tmp_path / "data.npz", x_train=x[:60], y_train=1 - y[:60], x_test=x[60:], y_test=y[60:])
    with pytest.raises(DataError, match="has changed since these runs were computed"):
        results.predictions()
    with pytest.raises(DataError, match="not what the stored runs were measured on"):
        export_tables(select_runs(results._require_stored("export")), tmp_path / "tables")
