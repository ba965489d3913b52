"""``pb.judge`` and ``paribus judge``: predictions from elsewhere get the answer that a study's own would get."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import paribus as pb
from command_line import call
from paribus.errors import ParibusError, StudyError, UnknownNameError, UsageError
from paribus.export.parquet_tables import export_tables
from paribus.report.json import outcome_fields
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore
from prediction_tables import predictions

UNKNOWN = ("train_accuracy", "generalization_gap", "fit_accuracy", "train_loss", "fit_loss", "parameters", "tuning")
"""What nobody can know of predictions."""


def right(frame: pd.DataFrame, arm: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    of_arm = frame[frame.arm == arm].assign(right=lambda f: f.label == f.prediction)
    return of_arm.pivot(index="seed", columns="example", values="right").to_numpy(bool)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("scope", ["new data", "this test set"])
def test_exported_predictions_get_the_answer_of_their_study_to_the_last_digit(
    trained_studies: Path, tmp_path: Path, suffix: str, scope: str
) -> None:
    with SqliteStore.open(trained_studies, "read") as store:
        stored = open_results("digits", store)
        table = export_tables(select_runs(stored), tmp_path)[-1]
        document = stored.document
        comparison = document.comparison.model_copy(update={"scope": scope})
        object.__setattr__(stored.request, "study", document.model_copy(update={"comparison": comparison}))
        study = outcome_fields(stored.outcome())
    if suffix == "csv":
        frame = pd.read_parquet(table)
        table = tmp_path / "predictions.csv"
        # As float64: the shortest text of a float32 is another number.
        frame.astype({"confidence": float, "true_probability": float}).to_csv(table, index=False)
    declared = [contrast.model_dump() for contrast in document.declared_contrasts()]
    judged = pb.judge(table, contrasts=declared, scope=scope).to_json()
    metrics = ("test_accuracy", "test_loss")
    for ours, theirs in zip(judged["arms"], study["arms"], strict=True):
        assert {name: ours[name] for name in metrics} == {name: theirs[name] for name in metrics}
        assert ours["seeds"] == theirs["seeds"]
        for run, trained in zip(ours["runs"], theirs["runs"], strict=True):
            assert run["test_accuracy"] == pytest.approx(trained["test_accuracy"], rel=1e-6)
            assert run["test_loss"] == pytest.approx(trained["test_loss"], rel=1e-5)
    assert len(judged["contrasts"]) == 3
    for ours, theirs in zip(judged["contrasts"], study["contrasts"], strict=True):
        same = {key for key in theirs if key not in ("looks_taken", "next_step", "sentence")}
        assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}


def test_the_numbers_are_those_of_compare_scores() -> None:
    frame = predictions()
    results = pb.judge(frame)
    contrast = results.contrast("new", "old")
    alone = pb.analysis.compare_scores(right(frame, "new"), right(frame, "old"))
    assert contrast.comparison == alone
    assert contrast.verdict == "better"
    assert contrast.sentence.startswith("new is better than old on new data: test accuracy +")
    assert results.arms["new"].estimates["test_accuracy"] == pb.analysis.estimate_scores(right(frame, "new"))


def test_losses_are_judged_where_there_are_probabilities() -> None:
    frame = predictions(probabilities=True)
    results = pb.judge(frame, contrasts=[("new", "old", "test_loss"), ("new", "old")])
    true = np.take_along_axis(frame[["p_0", "p_1", "p_2"]].to_numpy(), frame.label.to_numpy()[:, None], axis=1).reshape(
        2, 4, 120
    )
    comparison = results.contrast("new", "old", "test_loss").comparison
    assert comparison is not None
    assert comparison.difference == pytest.approx(float((-np.log(true[0]) + np.log(true[1])).mean()), rel=1e-12)
    assert results.contrast("new", "old", "test_loss").verdict == "better"
    with pytest.raises(
        UnknownNameError, match="'test_loss': it needs probabilities; these predictions have test_accuracy"
    ):
        pb.judge(predictions(), contrasts=[("new", "old", "test_loss")])
    with pytest.raises(UnknownNameError, match="'train_accuracy': only a study that paribus trains has it"):
        pb.judge(predictions(), contrasts=[("new", "old", "train_accuracy")])


def test_what_cannot_be_known_is_absent(tmp_path: Path) -> None:
    results = pb.judge(predictions(probabilities=True), name="mine", question="Is it better?")
    document = results.to_json()
    assert set(document) == {"study", "question", "data", "scope", "level", "arms", "contrasts", "notes"}
    assert set(document["data"]) == {"name", "fingerprint", "test", "classes"}
    for arm in document["arms"]:
        assert set(arm) == {"name", "seeds", "test_accuracy", "test_loss", "runs"}
        assert all(set(run) == {"seed", "test_accuracy", "test_loss"} for run in arm["runs"])
    assert list(results.to_pandas().columns) == ["arm", "seed", "test_accuracy", "test_loss"]
    for name in ("r.html", "r.md", "r.tex", "r.csv"):
        text = results.report(tmp_path / name).read_text(encoding="utf-8")
        text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        for word in (
            "rain accuracy",
            "Fit accuracy",
            "train_accuracy",
            "training examples",
            "epoch",
            "nan",
            "Parameters",
        ):
            assert word not in text, (name, word)
    for text in (repr(results), results._repr_html_()):
        assert "train accuracy" not in text
        assert "Is it better?" in text


def test_one_seed_an_arm_is_about_these_networks_alone(tmp_path: Path) -> None:
    frame = predictions(seeds=[0], probabilities=True)
    results = pb.judge(frame, contrasts=[("new", "old", "test_loss"), ("new", "old")])
    assert results.to_json()["scope"] == "these trained networks, new data"
    contrast = results.contrast("new", "old")
    assert contrast.verdict == "undecided"
    assert contrast.p_value is None
    assert contrast.p_adjusted is None
    assert contrast.low is not None
    assert contrast.high is not None
    assert contrast.low < contrast.difference < contrast.high
    assert "no verdict on the recipes" in contrast.sentence
    assert "how far other seeds would move the difference is unknown" in contrast.sentence
    loss = results.contrast("new", "old", "test_loss").comparison
    true = np.take_along_axis(frame[["p_0", "p_1", "p_2"]].to_numpy(), frame.label.to_numpy()[:, None], axis=1)
    differences = -np.log(true[:120, 0]) + np.log(true[120:, 0])
    expected = stats.ttest_1samp(differences, 0).confidence_interval(1 - 0.05 / 2)
    assert loss is not None
    assert (loss.low, loss.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    for name in ("r.html", "r.md", "r.tex", "r.csv", "r.json"):
        results.report(tmp_path / name)
    assert "no verdict on the recipes" in (tmp_path / "r.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="nothing varies there"):
        pb.judge(frame, scope="this test set")


def test_one_seed_changes_nothing_of_compare_scores() -> None:
    frame = predictions(seeds=[0])
    a, b = right_of_one(frame, "new"), right_of_one(frame, "old")
    comparison = pb.analysis.compare_scores(a, b)
    assert (comparison.low, comparison.p_value, comparison.scope) == (None, None, "new data")
    with pytest.raises(
        UsageError, match=r'scope .these trained networks, new data.: choose "new data" or "this test set"'
    ):
        pb.analysis.compare_scores(a, b, scope="these trained networks, new data")


def right_of_one(frame: pd.DataFrame, arm: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    of_arm = frame[frame.arm == arm]
    return (of_arm.label == of_arm.prediction).to_numpy()[None, :]


def test_groups_of_one_example_change_nothing() -> None:
    frame = predictions()
    plain = pb.judge(frame).contrast("new", "old").comparison
    grouped = pb.judge(frame.assign(group=frame.example)).contrast("new", "old").comparison
    assert plain is not None
    assert grouped is not None
    assert grouped.groups == 120
    assert (grouped.low, grouped.high, grouped.p_value) == pytest.approx(
        (plain.low, plain.high, plain.p_value), rel=1e-9
    )


def test_copies_of_examples_are_no_further_evidence() -> None:
    """Each example four times, as one group: the interval is that of the examples alone."""
    frame = predictions(probabilities=True)
    copies = pd.concat([frame.assign(example=frame.example + 1000 * k, group=frame.example) for k in range(4)])
    contrasts = [("new", "old", "test_loss")]
    plain = pb.judge(frame, contrasts=contrasts).contrast("new", "old", "test_loss").comparison
    grouped = pb.judge(copies, contrasts=contrasts).contrast("new", "old", "test_loss").comparison
    ungrouped = (
        pb.judge(copies.drop(columns="group"), contrasts=contrasts).contrast("new", "old", "test_loss").comparison
    )
    assert plain is not None
    assert grouped is not None
    assert ungrouped is not None
    assert (grouped.low, grouped.high) == pytest.approx((plain.low, plain.high), rel=1e-6)
    assert ungrouped.standard_error is not None
    assert grouped.standard_error is not None
    assert ungrouped.standard_error < 0.8 * grouped.standard_error


def test_few_groups_are_refused_and_none_are_needed_on_this_test_set() -> None:
    frame = predictions().assign(group=lambda f: f.example % 9)
    with pytest.raises(UsageError, match="9 groups: claims about new data need at least 10"):
        pb.judge(frame)
    here = pb.judge(frame, scope="this test set").contrast("new", "old").comparison
    assert here is not None
    assert here == pb.judge(predictions(), scope="this test set").contrast("new", "old").comparison


def test_contrasts_are_declared_as_for_compare() -> None:
    frame = predictions(arms=(("a", 0.1), ("b", 0.1), ("c", 0.1)))
    assert [(c.a, c.b) for c in pb.judge(frame).contrasts] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [(c.a, c.b) for c in pb.judge(frame, baseline="b").contrasts] == [("a", "b"), ("c", "b")]
    assert [(c.a, c.b) for c in pb.judge(frame, contrasts=[("c", "a")]).contrasts] == [("c", "a")]
    primary = pb.judge(frame, primary=("c", "b"))
    shares = {(c.a, c.b): c.comparison.share for c in primary.contrasts if c.comparison is not None}
    assert shares == {("c", "b"): 0.8, ("a", "b"): pytest.approx(0.1), ("a", "c"): pytest.approx(0.1)}
    with pytest.raises(UnknownNameError, match="no arm 'd' in contrasts"):
        pb.judge(frame, contrasts=[("a", "d")])
    with pytest.raises(StudyError, match="'a' against 'b' on test_accuracy is declared twice"):
        pb.judge(frame, contrasts=[("a", "b"), ("b", "a")])
    with pytest.raises(StudyError, match="level"):
        pb.judge(frame, level=0.3)
    with pytest.raises(StudyError, match="'a' is compared with itself"):
        pb.judge(frame, contrasts=[("a", "a")])


def test_copies_of_runs_and_of_arms_are_named() -> None:
    frame = predictions()
    same = pd.concat([frame, frame[frame.arm == "new"].assign(arm="copy")])
    notes = " ".join(pb.judge(same).to_json()["notes"])
    assert "new and copy give the same answers with every seed; is one of them a copy?" in notes
    first = frame[frame.seed == 0]
    repeated = pd.concat([first.assign(seed=seed) for seed in range(3)])
    assert "All seeds of new and old answer alike" in " ".join(pb.judge(repeated).to_json()["notes"])


def test_a_loop_of_any_framework() -> None:
    """What docs/judge.md shows for PyTorch: rows are collected run by run."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 150)
    rows = []
    for arm, noise in (("wide", 0.6), ("narrow", 2.5)):
        for seed in range(3):
            logits = np.stack([1 - labels, labels], axis=1) + noise * generator.standard_normal((150, 2))
            predicted = logits.argmax(axis=1)
            rows += [
                {"arm": arm, "seed": seed, "example": i, "label": int(labels[i]), "prediction": int(predicted[i])}
                for i in range(150)
            ]
    assert pb.judge(pd.DataFrame(rows)).contrast("wide", "narrow").verdict == "better"


def test_cross_val_predict_of_scikit_learn() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "stump": DecisionTreeClassifier(max_depth=1),
    }
    frames = []
    for arm, model in models.items():
        for seed in range(3):
            folds = KFold(5, shuffle=True, random_state=seed)
            probabilities = cross_val_predict(model, x, y, cv=folds, method="predict_proba")
            frame = pd.DataFrame(probabilities, columns=["p_0", "p_1"])
            frames.append(frame.assign(arm=arm, seed=seed, example=range(len(y)), label=y))
    results = pb.judge(pd.concat(frames), contrasts=[("logistic", "stump"), ("logistic", "stump", "test_loss")])
    assert [contrast.verdict for contrast in results.contrasts] == ["better", "better"]


def test_a_frame_as_hugging_face_datasets_give_it() -> None:
    """Words for labels, a list of probabilities in each row, and whatever has ``to_pandas``."""
    frame = predictions(classes=("neg", "pos"), probabilities=True).rename(columns={"seed": "run"})
    lists = frame[["p_neg", "p_pos"]].to_numpy().tolist()
    names = {"neg": 0, "pos": 1}
    dataset = frame.drop(columns=["p_neg", "p_pos"]).assign(probabilities=lists, label=frame.label.map(names))

    class Dataset:
        def to_pandas(self) -> pd.DataFrame:
            return dataset

    contrast = pb.judge(Dataset()).contrast("new", "old")
    assert contrast.comparison == pb.judge(frame).contrast("new", "old").comparison


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    predictions(arms=(("new", 0.05), ("mid", 0.08), ("old", 0.15))).to_csv(path, index=False)
    return path


def test_the_command_prints_what_python_gives(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(capsys, monkeypatch, "judge", table, "--json")
    assert said.code == 0
    assert json.loads(said.out) == pb.judge(table).to_json()
    said = call(capsys, monkeypatch, "judge", table, "--baseline", "old", "-o", tmp_path / "a.html")
    assert said.code == 0
    assert said.out.count("better") >= 2
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    for wrong, message in (
        ("a.pdf", "a.pdf: no report is written as .pdf; "),
        ("-", "--output -: stdout has the answer"),
    ):
        said = call(capsys, monkeypatch, "judge", table, "-o", wrong)
        assert (said.code, said.out, said.err.startswith(f"paribus: {message}")) == (2, "", True)
    check = ("--new", "new", "--old", "old", "--margin", 0.01, "-o", tmp_path / "check.md")
    assert call(capsys, monkeypatch, "judge", table, *check).code == 0
    assert (tmp_path / "check.md").read_text(encoding="utf-8").startswith("# ")
    said = call(capsys, monkeypatch, "judge", table, "--contrast", "new:old", "--primary", "mid:old", "--json")
    assert [(c["a"], c["b"], c["primary"]) for c in json.loads(said.out)["contrasts"]] == [
        ("new", "old", False),
        ("mid", "old", True),
    ]


@pytest.mark.parametrize(
    ("new", "old", "margin", "code"), [("new", "old", 0.01, 0), ("old", "new", 0.01, 3), ("new", "mid", 0.0001, 4)]
)
def test_a_check_exits_as_check_does(
    table: Path,
    new: str,
    old: str,
    margin: float,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = call(capsys, monkeypatch, "judge", table, "--new", new, "--old", old, "--margin", margin, "--json")
    assert said.code == code
    assert json.loads(said.out)["answer"] == {0: "holds", 3: "does not hold", 4: "undecided"}[code]


def test_one_seed_exits_4_where_a_verdict_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.csv"
    predictions(seeds=[0]).to_csv(path, index=False)
    assert call(capsys, monkeypatch, "judge", path).code == 0
    for options in (
        ["--contrast", "new:old"],
        ["--primary", "new:old"],
        ["--baseline", "old"],
        ["--new", "new", "--old", "old", "--margin", "0.5"],
    ):
        said = call(capsys, monkeypatch, "judge", path, *options)
        assert said.code == 4
        assert "no verdict on the" in " ".join(said.out.split())
    said = call(capsys, monkeypatch, "judge", path, "--detect", "0.01")
    assert said.code == 2
    assert "a plan needs 2 or more" in said.err


def test_a_plan_of_predictions(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(capsys, monkeypatch, "judge", table, "--detect", "0.2", "--contrast", "new:old", "--json")
    assert said.code == 0
    (plan,) = json.loads(said.out)["plans"]
    assert plan["seeds"] >= 2
    assert plan["examples"] == 120


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--new", "new"], "--new and --old belong together"),
        (["--new", "new", "--old", "old"], "--margin says which loss would be too much"),
        (["--contrast", "new"], "two arms with a colon between them are expected, like --contrast new:old"),
        (["--contrast", "new:odl"], "no arm 'odl' in contrasts: did you mean 'old'?"),
        (["--baseline", "base"], "no arm 'base' in baseline"),
        (["--metric", "test_loss"], "it needs probabilities"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    table: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(capsys, monkeypatch, "judge", table, *options)
    assert said.code == 2
    assert message in said.err


def test_every_error_is_one_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ParibusError):
        pb.judge(tmp_path / "none.csv")
