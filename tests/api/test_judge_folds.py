"""Predictions of cross-validation that was made elsewhere: scikit-learn's ``cross_val_predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

import paribus as pb
from command_line import call
from paribus.errors import DataError, UsageError


def cross_validated(passes: int = 1, *, same: bool = False, column: str = "repeat") -> pd.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(150, 4))
    y = (x[:, 0] + generator.normal(size=150) > 0).astype(int)
    frames, codes = [], generator.permutation(150) % 5
    for number in range(passes):
        codes = codes if same or not number else generator.permutation(150) % 5
        for arm, model in (("tree", DecisionTreeClassifier(random_state=number)), ("linear", LogisticRegression())):
            predicted = cross_val_predict(model, x, y, cv=PredefinedSplit(codes))
            frames.append(
                pd.DataFrame(
                    {
                        "arm": arm,
                        column: number,
                        "fold": codes + 1,
                        "example": np.arange(150),
                        "label": y,
                        "prediction": predicted,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("passes", [1, 3])
def test_folds_are_judged_for_new_training_sets(passes: int) -> None:
    frame = cross_validated(passes)
    frame = frame.drop(columns="repeat") if passes == 1 else frame
    contrast = pb.judge(frame).contrast("linear", "tree")
    assert contrast.scope == "new data, new training sets"
    right = frame.assign(
        right=frame.label == frame.prediction, repeat=frame["repeat"] if passes > 1 else 0
    ).pivot_table(index=["repeat", "fold"], columns="arm", values="right")
    d = (right["linear"] - right["tree"]).to_numpy()
    low, high = stats.t.interval(0.95, len(d) - 1, loc=d.mean(), scale=np.sqrt((1 / len(d) + 1 / 4) * d.var(ddof=1)))
    assert (contrast.low, contrast.high) == pytest.approx((low, high), rel=1e-12)
    assert "on new data and new training sets" in contrast.sentence
    assert contrast.comparison.folded.differences == pytest.approx(list(d), rel=1e-12)


def test_passes_of_one_partition_are_seeds_of_it() -> None:
    frame = cross_validated(3, same=True, column="seed")
    contrast = pb.judge(frame, scope="these training sets").contrast("linear", "tree")
    assert contrast.scope == "these training sets"
    assert "5 folds, 3 seeds in each" in contrast.sentence
    assert contrast.comparison.folded.repeats == 1


def test_without_the_column_the_answers_are_of_one_test_set() -> None:
    frame = cross_validated(3)
    assert pb.judge(frame.drop(columns="fold").rename(columns={"repeat": "seed"})).contrast("linear", "tree").scope == (
        "new data"
    )


def test_the_command_line_reads_folds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cross_validated(2).to_csv(tmp_path / "p.csv", index=False)
    answer = call(capsys, monkeypatch, "judge", tmp_path / "p.csv")
    assert answer.code == 0, answer.err
    assert "10 runs an arm: 5 folds, repeated 2 times" in " ".join(answer.out.split())


def changed(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    return frame.assign(**columns)


def test_what_is_no_cross_validation_is_refused() -> None:
    frame = cross_validated(2)
    of_tree = frame.arm == "tree"
    other = frame.fold.where(~(of_tree & (frame.example == 3)), frame.fold % 5 + 1)
    with pytest.raises(DataError, match="in another one in another arm"):
        pb.judge(changed(frame, fold=other))
    with pytest.raises(DataError, match="is the only one"):
        pb.judge(changed(frame, fold=1))
    with pytest.raises(DataError, match="no example in some of the 5 folds"):
        pb.judge(changed(frame, fold=frame.fold.where(frame["repeat"] == 0, frame.fold.clip(upper=4))))
    with pytest.raises(DataError, match="some examples of one group are in different folds"):
        pb.judge(changed(frame, group=frame.example // 3))
    three = pd.concat([frame, frame[frame["repeat"] == 0].assign(repeat=2)])
    with pytest.raises(DataError, match="3 passes over the folds have 2 different partitions"):
        pb.judge(three)
    with pytest.raises(UsageError, match="every example is a test example"):
        pb.judge(frame, scope="this test set")
    with pytest.raises(UsageError, match="is about one partition"):
        pb.judge(frame, scope="these training sets")
    plain = frame.drop(columns="fold").rename(columns={"repeat": "seed"})
    with pytest.raises(UsageError, match="these scores are of one split"):
        pb.judge(plain, scope="these training sets")
