"""Cross-validation from arrays to its answer: real estimators in this process, compared with scikit-learn's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import paribus as pb
from command_line import call
from estimators_here import EstimatorsHere
from paribus.analysis.compare_folds import compare_folds
from paribus.analysis.comparison import Scope
from paribus.analysis.folds import make_layout
from paribus.analysis.metrics import METRICS
from paribus.analysis.sentences import comparison_sentence
from paribus.analysis.strictness import Strictness
from paribus.data.sources import load_pooled
from paribus.errors import UsageError


def examples(count: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, 6)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] * x[:, 2] + generator.normal(size=count) > 0).astype(int)


ARMS = {
    "tree": DecisionTreeClassifier(max_depth=3),
    "linear": LogisticRegression(tol=1e-10, max_iter=1000),
}


def run(study: pb.Study, **options: Any) -> Any:
    return study.run(backend=EstimatorsHere(), progress=False, **options)


@pytest.mark.parametrize("standardize", [False, True])
def test_scores_are_those_of_cross_val_score_fold_by_fold(standardize: bool) -> None:
    x, y = examples()
    splitter = KFold(4, shuffle=True, random_state=1)
    results = run(pb.Study({"linear": ARMS["linear"]}, (x, y), folds=splitter, seeds=1, standardize=standardize))
    ours = [arm_run.scores.test_accuracy for arm_run in results.arms["linear"].runs]
    model = make_pipeline(StandardScaler(), ARMS["linear"]) if standardize else ARMS["linear"]
    assert ours == pytest.approx(list(cross_val_score(model, x, y, cv=splitter)), abs=1e-12)


def test_paribus_own_folds_give_scikit_learn_the_same_scores(tmp_path: Path) -> None:
    x, y = examples()
    study = pb.Study(ARMS, (x, y), folds=5, repeats=2, seeds=1)
    results = run(study)
    codes = load_pooled(study.document.data.spec()).codes
    for name, model in ARMS.items():
        runs = results.arms[name].runs
        for repeat in range(2):
            theirs = cross_val_score(model.set_params(), x, y, cv=PredefinedSplit(codes[repeat]))
            ours = [arm_run.scores.test_accuracy for arm_run in runs[5 * repeat : 5 * repeat + 5]]
            if name == "linear":
                assert ours == pytest.approx(list(theirs), abs=1e-12)
    contrast = results.contrast("tree", "linear")
    comparison = contrast.comparison
    assert contrast.scope == "new data, new training sets"
    by_fold = [
        a.scores.test_accuracy - b.scores.test_accuracy
        for a, b in zip(results.arms["tree"].runs, results.arms["linear"].runs, strict=True)
    ]
    assert comparison.folded.differences == pytest.approx(by_fold, abs=1e-12)
    error = np.sqrt((1 / 10 + 1 / 4) * np.var(by_fold, ddof=1))
    assert comparison.standard_error == pytest.approx(error, rel=1e-9)


def test_a_feature_that_only_knows_its_fold_does_not_help() -> None:
    """A row's number and its fold are noise: whoever fits across folds could memorize them."""
    generator = np.random.default_rng(0)
    y = np.arange(200) % 2
    codes = generator.permutation(200) % 5
    x = np.stack([codes, generator.permutation(200), generator.normal(size=200)], axis=1).astype(np.float32)
    arms = {"tree": DecisionTreeClassifier(), "forest": RandomForestClassifier(n_estimators=20)}
    results = run(pb.Study(arms, (x, y), folds=PredefinedSplit(codes), seeds=1, standardize=True))
    for arm in results.arms.values():
        assert np.mean([arm_run.scores.train_accuracy for arm_run in arm.runs]) > 0.95
        assert np.mean([arm_run.scores.test_accuracy for arm_run in arm.runs]) < 0.62


def test_groups_that_share_an_answer_do_not_help_across_folds() -> None:
    """Rows of a person are alike and so are their labels, which are noise: only whole groups keep that out."""
    generator = np.random.default_rng(1)
    person = np.repeat(np.arange(60), 4)
    y = (generator.permutation(60) % 2)[person]
    x = (generator.normal(size=(60, 5))[person] + 0.01 * generator.normal(size=(240, 5))).astype(np.float32)
    arms = {"forest": RandomForestClassifier(n_estimators=20)}
    mixed = run(pb.Study(arms, (x, y), folds=5, seeds=1))
    whole = run(pb.Study(arms, (x, y), folds=5, seeds=1, groups=person))
    split = run(pb.Study(arms, (x, y), folds=StratifiedGroupKFold(5), seeds=1, groups=person))
    means = [
        np.mean([arm_run.scores.test_accuracy for arm_run in results.arms["forest"].runs])
        for results in (mixed, whole, split)
    ]
    assert means[0] > 0.95
    assert means[1] < 0.7
    assert means[2] < 0.7


def test_these_training_sets_need_several_seeds_and_say_their_scope() -> None:
    x, y = examples()
    arms = {
        "small": RandomForestClassifier(n_estimators=3),
        "large": RandomForestClassifier(n_estimators=12),
    }
    results = run(pb.Study(arms, (x, y), folds=4, seeds=3, scope="these training sets"))
    contrast = results.contrast("large", "small")
    assert contrast.scope == "these training sets"
    assert "on new data with these training sets" in contrast.sentence
    assert "12 runs an arm: 4 folds, 3 seeds in each" in contrast.sentence
    accuracies = np.array([[arm_run.scores.test_accuracy for arm_run in results.arms[a].runs] for a in arms])
    assert contrast.comparison.difference == pytest.approx(float(accuracies[1].mean() - accuracies[0].mean()))


def test_one_seed_in_each_fold_says_nothing_of_these_training_sets(tmp_path: Path) -> None:
    x, y = examples(120)
    study = pb.Study(ARMS, (x, y), folds=3, seeds=2, scope="these training sets")
    with pytest.raises(UsageError, match="write 2 seeds or more"):
        run(study, seeds=1)
    codes = make_layout([np.arange(120) % 3], 3)
    right = np.random.default_rng(0).random((2, 1, 120)) < 0.8
    terms = ((1.0, right[0]), (-1.0, right[1]))
    scope = Scope.THESE_TRAINING_SETS
    comparison = compare_folds(terms, codes.of_rows([0], 120), 0.01, Strictness(), scope)
    assert (comparison.low, comparison.p_value, comparison.verdict) == (None, None, "undecided")
    assert comparison.difference == pytest.approx(right[0].mean() - right[1].mean())
    text = comparison_sentence(comparison, "a", "b", METRICS["test_accuracy"])
    assert "as one seed in each fold cannot tell a from b" in text


def test_stored_runs_are_not_fitted_again_and_more_repetitions_add_to_them(tmp_path: Path) -> None:
    x, y = examples()
    first, second, third = EstimatorsHere(), EstimatorsHere(), EstimatorsHere()
    for repeats, backend in ((1, first), (1, second), (2, third)):
        study = pb.Study(ARMS, (x, y), folds=3, repeats=repeats, seeds=1)
        study.run(backend=backend, progress=False, store=tmp_path)
    assert [first.fitted, second.fitted, third.fitted] == [6, 0, 6]


def test_every_form_of_the_answer_names_scope_and_folds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = examples()
    np.savez(tmp_path / "data.npz", x_train=x[:200], y_train=y[:200], x_test=x[200:], y_test=y[200:])
    (tmp_path / "study.toml").write_text(
        'name = "folded"\nseeds = 1\n[data]\nsource = "data.npz"\nfolds = 4\nrepeats = 2\n'
        "[arms.tree]\nestimator = { DecisionTreeClassifier = { max_depth = 3 } }\n"
        '[arms.linear]\nestimator = "LogisticRegression"\n[[contrasts]]\na = "tree"\nb = "linear"\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    run(pb.Study.load("study.toml"), store="store")

    def ask(*words: object) -> str:
        answer = call(capsys, monkeypatch, words[0], "study.toml", "--store", "store", *words[1:])
        assert answer.code == 0, answer.err
        return answer.out

    ask("report", "--format", "json", "-o", "report.json")
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert report["scope"] == "new data, new training sets"
    assert report["data"]["folds"] == 4
    (contrast,) = report["contrasts"]
    assert (contrast["folds"], contrast["repeats"], contrast["seeds_per_fold"], contrast["seeds"]) == (4, 2, 1, 8)
    assert np.shape(contrast["fold_differences"]) == (2, 4)
    assert any("200 training and 40 test examples, are pooled" in note for note in report["notes"])
    for form in ("md", "html"):
        ask("report", "--format", form, "-o", f"report.{form}")
        text = Path(f"report.{form}").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
        for words in ("on new data and new training sets", "240 examples in 4 folds, repeated 2 times", "Nadeau C."):
            assert words in text
        assert "fold by fold" in text
    assert "8 runs an arm: 4 folds, repeated 2 times" in " ".join(ask("compare", "tree", "linear").split())
    checked = ask("check", "--new", "tree", "--old", "linear", "--margin", "0.5")
    assert "on new data and new training sets" in " ".join(checked.split())
    planned = json.loads(ask("plan", "--detect", "0.4", "--json"))
    assert planned["plans"][0]["repeats"] >= 1
    refused = call(
        capsys, monkeypatch, "compare", "study.toml", "--store", "store", "tree", "linear", "--metric", "train_accuracy"
    )
    assert "no interval of it holds" in " ".join(refused.err.split())


def test_what_python_cannot_divide_is_refused() -> None:
    x, y = examples(60)
    for options, message in (
        ({"folds": ShuffleSplit(4, random_state=0)}, "do not have every example once"),
        ({"folds": "five"}, "a number of folds is expected"),
        ({"folds": 5, "groups": np.arange(59)}, "one group for each of 60 examples"),
        ({"groups": np.arange(60)}, "cannot be data"),
        ({"folds": RepeatedStratifiedKFold(n_splits=3, n_repeats=2), "repeats": 2}, "says how often itself"),
    ):
        with pytest.raises(UsageError, match=message):
            pb.Study(ARMS, (x, y), **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a splitter divides arrays"):
        pb.Study(ARMS, "digits", folds=KFold(3))
    with pytest.raises(UsageError, match="the groups are a column"):
        pb.Study(ARMS, "digits", folds=3, groups=np.arange(1797))


def test_a_repeated_splitter_is_taken_repetition_by_repetition() -> None:
    x, y = examples(60)
    splitter = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    study = pb.Study(ARMS, (x, y), folds=splitter, seeds=1)
    assert (study.document.data.folds, study.document.data.repeats) == (3, 2)
    codes = load_pooled(study.document.data.spec()).codes
    tests = [test for _, test in splitter.split(x, y)]
    for place, test in enumerate(tests):
        assert np.array_equal(np.flatnonzero(codes[place // 3] == place % 3), test)
