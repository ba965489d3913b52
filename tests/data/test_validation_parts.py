"""Which training examples validate: the last ones as in Keras, or each class in proportion; never without a class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_files import images, png
from paribus.data import Dataset, from_arrays, load, spool, standardization
from paribus.data.split import in_proportion
from paribus.data.training import divide_training_split
from paribus.engine.splits import Streamed, splits
from paribus.errors import UsageError
from paribus.records import DataSpec

X = np.arange(400, dtype=np.float32).reshape(100, 4) * 1.5


def data(labels: np.ndarray) -> Dataset:
    return from_arrays(X, labels, X[:5], np.arange(5) % 2, class_names=["a", "b"])


SORTED = data(np.repeat([0, 1], 50))
MIXED = data(np.arange(100) % 2)


def test_the_last_examples_validate_as_in_keras() -> None:
    parts = divide_training_split(MIXED, 0.2)
    assert (parts.trained, parts.validated) == (slice(0, 80), slice(80, 100))
    assert divide_training_split(SORTED, 0.0).validated is None


def test_sorted_labels_are_refused_and_the_mend_is_named() -> None:
    with pytest.raises(
        UsageError, match=r'no example of class .a. is left to validate on; .*validation = "stratified"'
    ):
        divide_training_split(SORTED, 0.2)
    with pytest.raises(UsageError, match="no example of class 'b' is left to train on"):
        divide_training_split(SORTED, 0.6)


def test_stratified_takes_each_class_in_proportion() -> None:
    parts = divide_training_split(SORTED, 0.2, "stratified")
    assert np.bincount(SORTED.y_train[parts.validated]).tolist() == [10, 10]
    assert np.bincount(SORTED.y_train[parts.trained]).tolist() == [40, 40]
    both = np.concatenate([parts.trained, parts.validated])  # type: ignore[arg-type]
    assert sorted(both.tolist()) == list(range(100))


def test_a_class_that_is_too_small_is_refused() -> None:
    with pytest.raises(UsageError, match="no example of class 'b' is left to validate on; it has 1 training examples"):
        divide_training_split(data(np.eye(100, dtype=int)[3]), 0.2, "stratified")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0, 1))
def test_marks_are_in_proportion(labels: list[int], share: float) -> None:
    found = np.asarray(labels)
    size = int(share * len(found))
    marked = in_proportion(found, size)
    for label in np.unique(found):
        members = (found == label).sum()
        assert marked[found == label].sum() < members
        assert marked[found == label].sum() - members * size / len(found) < 1
    assert marked.sum() <= size


def test_streamed_and_in_memory_are_the_same_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = load(spool(SORTED, tmp_path / "s"))
    resident = splits(SORTED, 0.3, "stratified")
    monkeypatch.setenv("PARIBUS_RESIDENT", "0")
    streamed = splits(mapped, 0.3, "stratified")
    assert isinstance(streamed.train, Streamed)
    assert streamed.validation is not None
    assert resident.validation is not None
    for ours, theirs in ((streamed.train, resident.train), (streamed.validation, resident.validation)):
        np.testing.assert_array_equal(ours.rows(0, len(ours)), theirs.rows(0, len(theirs)))
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        assert len(ours) == len(theirs)
        order = np.random.default_rng(0).permutation(len(ours)).astype(np.int32)
        (chunk,) = ours.epoch(order, 10)
        np.testing.assert_array_equal(chunk.x[chunk.order], theirs.rows(0, len(theirs))[order])
        np.testing.assert_array_equal(chunk.labels[chunk.order], theirs.labels[order])
    trained = divide_training_split(SORTED, 0.3, "stratified").trained
    for found in (streamed.train.standardization(), standardization(X, trained)):
        np.testing.assert_allclose(found.mean, X[trained].mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.deviation, X[trained].std(axis=0), rtol=1e-6)


def test_a_folder_with_its_own_validation_images(tmp_path: Path) -> None:
    pictures = {f"{part}__{name}__{i}": png(fill=i) for part in ("validation",) for name in "ab" for i in range(2)}
    found = load(images(**pictures)(tmp_path))
    assert (len(found.x_train), found.own_validation) == (8, 4)
    parts = divide_training_split(found, 0.5)
    assert (parts.trained, parts.validated) == (slice(0, 4), slice(4, 8))
    assert found.x_train[4:, 0, 0].tolist() == [0, 1, 0, 1]
    for split, validation in ((0.0, None), (0.2, None), (0.5, "stratified")):
        with pytest.raises(
            UsageError, match=r"a validation split of its own, 4 of 8 examples. Say validation_split = 0.5"
        ):
            divide_training_split(found, split, validation)


@pytest.mark.parametrize("names", [("train", "validation"), ("train", "test", "val", "extra"), ("train",)])
def test_parts_are_not_taken_for_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name / "a").mkdir(parents=True)
    from paribus.errors import DataError

    with pytest.raises(DataError, match="expected `train` and `test` "):
        load(DataSpec(str(tmp_path)))


def test_the_last_examples_may_be_sorted_where_every_class_is_in_them() -> None:
    labels = np.concatenate([np.repeat([0, 1], 40), np.repeat([0, 1], 10)])
    assert divide_training_split(data(labels), 0.2).validated == slice(80, 100)
    assert replace(MIXED).own_validation == 0
