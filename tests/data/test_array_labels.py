"""Labels that begin at 1, classes that never occur, and weights by label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_files import csv, idx_bytes, idx_folder
from paribus.data import from_arrays, load, spool
from paribus.data.training import class_weights
from paribus.errors import DataError, StudyError
from paribus.records import DataSummary
from paribus.study.document import Protocol
from paribus.study.plan import with_class_indices

X = np.random.default_rng(0).normal(size=(30, 2))


def test_labels_from_1_are_as_many_classes_as_there_are(tmp_path: Path) -> None:
    data = from_arrays(X, np.arange(30) % 3 + 1, X, np.arange(30) % 3 + 1)
    assert (data.classes, data.class_names, data.y_train[:4].tolist()) == (3, ("1", "2", "3"), [0, 1, 2, 0])
    assert data.notes == (
        "Label 0 never occurs: the 3 classes are the labels 1, 2, 3, in this order, and a network needs 3 outputs.",
    )
    assert load(spool(data, tmp_path / "s")).summary().class_names == ("1", "2", "3")
    assert load(spool(data, tmp_path / "s")).notes == data.notes


def test_labels_of_files_are_read_alike(tmp_path: Path) -> None:
    labels = {"train_labels_idx1_ubyte": idx_bytes((4,), values=b"\1\2\1\2")}
    data = load(idx_folder(tmp_path, **labels, t10k_labels_idx1_ubyte=idx_bytes((2,), values=b"\2\1")))
    assert (data.classes, data.y_test.tolist()) == (2, [1, 0])


def test_numbers_with_gaps_above_0_are_names() -> None:
    data = from_arrays(X, np.array([10, 30])[np.arange(30) % 2], X, np.full(30, 30))
    assert (data.class_names, data.y_test[0]) == (("10", "30"), 1)
    with pytest.raises(DataError, match="label '20' of example 0 in y_test is none of the training classes 10, 30"):
        from_arrays(X, np.array([10, 30])[np.arange(30) % 2], X, np.full(30, 20))


def test_a_class_that_never_occurs_is_noted_and_counts() -> None:
    data = from_arrays(X, np.array([0, 2])[np.arange(30) % 2], X, np.arange(30) % 3)
    assert data.classes == 3
    assert data.notes == ("Class 1 never occurs in the training split.",)
    assert from_arrays(X, np.arange(30) % 3, X, np.arange(30) % 3).notes == ()


def weights(names: tuple[str, ...], **given: float) -> list[float]:
    data = DataSummary("t", "0" * 64, 30, 30, (2,), len(names), class_names=names)
    training = with_class_indices(Protocol(class_weight=given).training(), data, "study")
    found = class_weights(training, np.zeros(30, np.int32), len(names))
    assert found is not None
    return found.tolist()


def test_weights_are_by_label() -> None:
    assert weights(("1", "2", "3"), **{"1": 5.0, "3": 2.0}) == [5, 1, 2]
    assert weights(("no", "yes"), yes=4.0) == [1, 4]
    assert weights(("2", "10"), **{"10": 3.0}) == [1, 3]


def test_weights_by_index_stay_what_they_were() -> None:
    assert weights(("no", "yes"), **{"0": 1.0, "1": 5.0}) == [1, 5]
    assert weights(("0", "1"), **{"1": 5.0}) == [1, 5]
    numbered = DataSummary("t", "0" * 64, 30, 30, (2,), 3)
    training = Protocol(class_weight={"2": 2.0}).training()
    assert with_class_indices(training, numbered, "study") == training


def test_a_weight_for_no_class_is_refused_with_the_classes_that_there_are() -> None:
    with pytest.raises(StudyError, match="class 0: t has 2 classes, 1, 2"):
        weights(("1", "2"), **{"0": 1.0, "1": 5.0})
    with pytest.raises(StudyError, match="class maybe: t has 2 classes, no, yes"):
        weights(("no", "yes"), maybe=1.0)
    with pytest.raises(StudyError, match="class 2: t has 2 classes, no, yes"):
        weights(("no", "yes"), **{"2": 1.0})


def test_a_summary_of_a_table_has_the_names_of_its_classes(tmp_path: Path) -> None:
    assert load(csv("n,class\n1,2\n2,1\n3,2\n4,1\n")(tmp_path)).summary().class_names == ("1", "2")
    assert from_arrays(X, np.arange(30) % 3, X, np.arange(30) % 3).summary().class_names == ()
