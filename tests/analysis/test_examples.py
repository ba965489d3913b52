"""Calibration, confusion and the examples that decide, against small cases worked by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, recall_score

from paribus.analysis import calibrate, confuse, difficulty, flips, usual_wrong_answer
from paribus.errors import UsageError


def test_calibration_worked_by_hand() -> None:
    found = calibrate([[0.9, 0.9, 0.6, 0.6]], [[True, True, True, False]], bins=2)
    assert found.count.tolist() == [0, 4]
    assert np.isnan(found.accuracy[0])
    assert found.accuracy[1] == 0.75
    assert found.confidence[1] == pytest.approx(0.75)
    assert found.error is not None
    assert found.error.mean == pytest.approx(0, abs=1e-12)
    fine = calibrate([[0.9, 0.9, 0.6, 0.6]], [[True, True, True, False]], bins=10)
    assert fine.error is not None
    assert fine.error.mean == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)
    assert fine.error.low is None


def test_the_reliability_curve_is_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.random((1, 5000)).astype(np.float32)
    correct = generator.random((1, 5000)) < confidence**2
    found = calibrate(confidence, correct, bins=10)
    accuracy, stated = calibration_curve(correct[0], confidence[0], n_bins=10)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-12)
    assert found.confidence == pytest.approx(stated, abs=1e-6)


def test_errors_of_seeds_do_not_cancel() -> None:
    confidence = np.full((2, 100), 0.5)
    correct = np.zeros((2, 100), dtype=bool)
    correct[1] = True
    found = calibrate(confidence, correct)
    assert found.error is not None
    assert found.error.mean == pytest.approx(0.5)
    assert found.accuracy[~np.isnan(found.accuracy)] == pytest.approx([0.5]), "pooled, they look perfect"


def test_diverged_runs_are_counted_and_left_out() -> None:
    confidence = np.array([[0.5, 1.0], [np.nan, np.nan]])
    found = calibrate(confidence, np.ones((2, 2), dtype=bool))
    assert found.undefined_runs == 1
    assert found.count.sum() == 2
    nothing = calibrate(confidence[1:], np.ones((1, 2), dtype=bool))
    assert nothing.error is None


@pytest.mark.parametrize(
    ("confidence", "right", "bins"),
    [([[0.5]], [[True, False]], 5), ([[1.5]], [[True]], 5), ([[0.5]], [[True]], 0), ([0.5], [True], 5)],
)
def test_calibration_refuses_what_is_no_probability(confidence: list[float], right: list[bool], bins: int) -> None:
    with pytest.raises(UsageError):
        calibrate(confidence, right, bins=bins)


def test_confusion_is_scikit_learns_seed_by_seed() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 4, 300)
    predicted = np.where(generator.random((3, 300)) < 0.7, labels, generator.integers(0, 4, (3, 300)))
    found = confuse(predicted, labels, 4)
    assert (found.counts == sum(confusion_matrix(labels, row) for row in predicted)).all()
    recalls = np.array([recall_score(labels, row, average=None) for row in predicted])
    assert found.accuracy == pytest.approx(recalls.mean(axis=0))
    assert found.sd == pytest.approx(recalls.std(axis=0, ddof=1))
    assert found.seeds == 3


def test_a_class_without_examples_has_no_accuracy() -> None:
    found = confuse([[0, 1]], [0, 0], 3)
    assert np.isnan(found.accuracy[1:]).all()
    assert np.isnan(found.sd).all()
    assert found.counts[0].tolist() == [1, 1, 0]


def test_confusion_refuses_classes_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"predicted spans 0 to 3: classes lie in \[0, 3\)"):
        confuse([[0, 3]], [0, 1], 3)
    with pytest.raises(UsageError, match="seeds, examples"):
        confuse([[0, 1]], [0, 1, 2], 3)


def test_difficulty_sorts_examples_by_how_many_seeds_fail() -> None:
    found = difficulty([[1, 0, 0, 1, 0], [1, 0, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 0, 1, 0]])
    assert found.wrong.tolist() == [0, 4, 2, 1, 4]
    assert found.always_wrong.tolist() == [1, 4]
    assert found.sometimes_wrong.tolist() == [2, 3]
    assert found.seeds == 4


def test_flips_add_up_to_the_difference_in_accuracy() -> None:
    generator = np.random.default_rng(2)
    a, b = generator.random((4, 50)) < 0.9, generator.random((4, 50)) < 0.8
    found = flips(a, b)
    assert found.balance.mean() == pytest.approx(a.mean() - b.mean())
    assert (np.diff(found.balance[found.to_a]) <= 0).all()
    assert (np.diff(found.balance[found.to_b]) >= 0).all()
    assert set(found.to_a) | set(found.to_b) == set(np.flatnonzero(found.balance))
    swapped = flips(b, a)
    assert (swapped.balance == -found.balance).all()
    assert (swapped.to_a == found.to_b).all()


def test_flips_need_paired_rows_of_right_and_wrong() -> None:
    with pytest.raises(UsageError, match="pair the rows by seed"):
        flips([[1, 0]], [[1, 0], [0, 1]])
    with pytest.raises(UsageError, match="other values than 0 and 1"):
        difficulty([[0.5]])
    with pytest.raises(UsageError, match="shape"):
        difficulty([])


def test_the_usual_wrong_answer_ignores_right_ones() -> None:
    predicted = [[0, 1, 2], [0, 2, 2], [0, 2, 1], [0, 0, 2]]
    assert usual_wrong_answer(predicted, [0, 0, 2], 3).tolist() == [-1, 2, 1]
    with pytest.raises(UsageError, match="seeds, examples"):
        usual_wrong_answer([[0, 1]], [0], 2)
