"""Folds: partitions, and data sets whose training part knows nothing of the fold that is tested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.data import load, summarize
from paribus.data.partition import make_partition
from paribus.data.sources import load_pooled
from paribus.errors import DataError, UnknownNameError, UsageError
from paribus.records import DataSpec, Folds, Imputation

NAMES = tuple("abcdef")

PINNED = [1, 2, 4, 2, 3, 0, 0, 1, 2, 4, 4, 3]


@given(
    sizes=st.lists(st.integers(2, 30), min_size=2, max_size=6),
    count=st.integers(2, 6),
    repeats=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_every_class_and_the_whole_are_dealt_out_evenly(sizes: list[int], count: int, repeats: int, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    if count > len(labels):
        return
    codes = make_partition(labels, Folds(count, repeats), "data", NAMES)
    assert codes.shape == (repeats, len(labels))
    for row in codes:
        for index in range(len(sizes)):
            of_class = np.bincount(row[labels == index], minlength=count)
            assert of_class.max() - of_class.min() <= 1
        every = np.bincount(row, minlength=count)
        assert every.max() - every.min() <= 1
        assert every.min() > 0


def test_repetitions_differ_and_the_partition_is_always_the_same() -> None:
    labels = np.arange(60) % 3
    codes = make_partition(labels, Folds(5, 3), "data", NAMES)
    assert len({row.tobytes() for row in codes}) == 3
    # Pinned: another partition would be another study under the same name.
    assert codes[0][:12].tolist() == PINNED
    assert np.array_equal(make_partition(labels, Folds(5, 1), "data", NAMES)[0], codes[0])


@given(groups=st.integers(6, 25), count=st.integers(2, 5), seed=st.integers(0, 99))
def test_groups_stay_in_one_fold_and_every_fold_has_one(groups: int, count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    codes_of = np.concatenate([np.arange(groups), np.arange(groups), generator.integers(0, groups, 80)])
    labels = np.concatenate([np.zeros(groups, int), np.ones(groups, int), generator.integers(0, 2, 80)])
    (row,) = make_partition(labels, Folds(count), "data", NAMES, codes_of)
    for group in range(groups):
        assert len(np.unique(row[codes_of == group])) == 1
    assert len(np.unique(row)) == count


def test_equal_groups_are_dealt_out_as_evenly_as_scikit_learn_deals_them() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    labels = (generator.random(40)[groups] + generator.random(400) > 1.2).astype(int)
    (row,) = make_partition(labels, Folds(5), "data", NAMES, groups)
    ours = np.std([labels[row == fold].mean() for fold in range(5)])
    split = StratifiedGroupKFold(5).split(labels, labels, groups)
    theirs = np.std([labels[test].mean() for _, test in split])
    assert ours < 2 * theirs + 0.01
    assert np.bincount(row).max() <= 1.5 * np.bincount(row).min()


def test_a_fold_of_named_data_has_every_example_once() -> None:
    spec = DataSpec("digits", scale=16.0, folds=Folds(5, 2))
    pooled = load_pooled(spec)
    assert (len(pooled.labels), pooled.own_test) == (1797, 450)
    summary = summarize(spec)
    assert len(summary.folds) == 10
    assert len({fold.fingerprint for fold in summary.folds}) == 10
    assert {fold.train + fold.test for fold in summary.folds} == {1797}
    assert any("1,347 training and 450 test examples, are pooled" in note for note in summary.notes)
    fold = load(replace(spec, folds=spec.folds and spec.folds.of_seed(7)))
    assert fold.fingerprint == summary.folds[7].fingerprint
    assert np.array_equal(fold.y_test, pooled.labels[pooled.codes[1] == 2])
    whole = np.sort(np.concatenate([fold.x_train, fold.x_test]).reshape(1797, -1).sum(axis=1))
    plain = load(DataSpec("digits"))
    assert np.array_equal(whole, np.sort(np.concatenate([plain.x_train, plain.x_test]).reshape(1797, -1).sum(axis=1)))


def write_table(path: Path, change: np.ndarray | None = None) -> Path:
    """60 rows with a number, words, missing values and groups; ``change`` alters the features of these rows."""
    generator = np.random.default_rng(0)
    lines = ["size,colour,weight,person,kind"]
    for row in range(60):
        size, colour = f"{generator.normal():.3f}", str(generator.choice(["red", "green", "blue"]))
        weight = "" if row % 7 == 0 else f"{generator.normal(50, 5):.2f}"
        if change is not None and change[row]:
            size, colour, weight = "1e6", f"new{row}", "-99999"
        lines.append(f"{size},{colour},{weight},p{row // 4},{'ab'[row % 2]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("fold", range(3))
def test_nothing_is_learned_from_the_fold_that_is_tested(tmp_path: Path, fold: int) -> None:
    folds = Folds(3, 1, group="person")
    spec = DataSpec(
        str(write_table(tmp_path / "a.csv")),
        standardize=True,
        label="kind",
        impute=Imputation("median", indicator=True),
        folds=replace(folds, repeat=0, fold=fold),
    )
    first = load(spec)
    in_test = load_pooled(spec).codes[0] == fold
    second = load(replace(spec, source=str(write_table(tmp_path / "b.csv", in_test))))
    # The changed rows have words of their own: the features of the others are all there and as they were.
    assert first.columns is not None
    assert second.columns is not None
    names = [[f"{c.name}={w}" for w in c.words] if c.words else [c.name] for c in second.columns]
    flat = [name for group in names for name in group]
    known = [name for name in flat if "new" not in name]
    kept = [flat.index(name) for name in known]
    indicators = list(range(len(flat), second.x_train.shape[1]))
    assert np.array_equal(second.x_train[:, [*kept, *indicators]], first.x_train)
    unknown = [index for index, name in enumerate(flat) if "new" in name]
    assert unknown
    assert not second.x_train[:, unknown].any()
    assert not second.x_test[:, unknown].any()
    assert not any(column.name == "person" for column in first.columns)


def test_all_folds_have_the_same_features(tmp_path: Path) -> None:
    change = np.zeros(60, bool)
    change[[5, 33]] = True
    spec = DataSpec(
        str(write_table(tmp_path / "a.csv", change)), label="kind", impute=Imputation("median"), folds=Folds(4)
    )
    assert spec.folds is not None
    shapes = {load(replace(spec, folds=spec.folds.of_seed(fold))).input_shape for fold in range(4)}
    assert shapes == {summarize(spec).input_shape}


def test_a_table_with_a_test_table_is_pooled(tmp_path: Path) -> None:
    train, test = write_table(tmp_path / "a.csv"), write_table(tmp_path / "b.csv")
    spec = DataSpec(str(train), label="kind", test=str(test), impute=Imputation("median"), folds=Folds(5))
    pooled = load_pooled(spec)
    assert (len(pooled.labels), pooled.own_test) == (120, 60)
    assert any("are pooled" in note for note in summarize(spec).notes)


def test_what_cannot_be_divided_is_refused(tmp_path: Path) -> None:
    table = write_table(tmp_path / "a.csv")
    spec = DataSpec(str(table), label="kind", impute=Imputation("median"))
    with pytest.raises(UsageError, match="needs one fixed split"):
        load(replace(spec, folds=Folds(5)))
    with pytest.raises(UsageError, match="names a column of a table"):
        summarize(DataSpec("digits", folds=Folds(5, group="person")))
    with pytest.raises(UnknownNameError, match="nobody"):
        summarize(replace(spec, folds=Folds(5, group="nobody")))
    with pytest.raises(UsageError, match="both 'kind'"):
        summarize(replace(spec, folds=Folds(5, group="kind")))
    with pytest.raises(UsageError, match="test_fraction"):
        summarize(replace(spec, test_fraction=0.2, folds=Folds(5)))
    with pytest.raises(DataError, match="20 folds of 15 groups"):
        summarize(replace(spec, folds=Folds(20, group="person")))
    with pytest.raises(DataError, match="class 'b' has 1 example, so that repetition 0"):
        make_partition(np.array([0] * 9 + [1]), Folds(2), "data", NAMES)
    partition = tmp_path / "folds.npy"
    np.save(partition, np.zeros((1, 60), int))
    with pytest.raises(DataError, match="expected every fold of 0 to 1"):
        summarize(replace(spec, folds=Folds(2, partition=str(partition))))
    np.save(partition, np.zeros((1, 59), int))
    with pytest.raises(DataError, match="expected the fold of each example"):
        summarize(replace(spec, folds=Folds(2, partition=str(partition))))
    partition.write_bytes(b"no array")
    with pytest.raises(DataError, match=r"not an \.npy file"):
        summarize(replace(spec, folds=Folds(2, partition=str(partition))))


def test_own_folds_are_those_of_the_file(tmp_path: Path) -> None:
    codes = np.arange(60)[None] // 20
    np.save(tmp_path / "folds.npy", codes)
    spec = DataSpec(
        str(write_table(tmp_path / "a.csv")),
        label="kind",
        impute=Imputation("median"),
        folds=Folds(3, partition=str(tmp_path / "folds.npy")),
    )
    assert np.array_equal(load_pooled(spec).codes, codes)
