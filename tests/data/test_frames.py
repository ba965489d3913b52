"""Frames, series and sparse matrices: taken where they are plain, refused with the call that mends them where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.model_selection import train_test_split

from paribus.api.data_argument import read_data_argument
from paribus.data import Dataset, from_arrays, load, spool
from paribus.errors import DataError, StudyError, UsageError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 2
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
PLAIN = from_arrays(X[:30], Y[:30], X[30:], Y[30:])


def of(x_train: Any, x_test: Any, y_train: Any = Y[:30], y_test: Any = Y[30:]) -> Dataset:
    return from_arrays(x_train, y_train, x_test, y_test)


def test_frames_are_paired_by_name() -> None:
    data = of(FRAME[:30], FRAME[30:][["c", "a", "b"]])
    assert data.fingerprint == PLAIN.fingerprint
    assert data.columns is not None
    assert [column.name for column in data.columns] == ["a", "b", "c"]


def test_another_name_is_refused() -> None:
    with pytest.raises(DataError, match=r"x_test lacks 'c', which x_train has; columns are paired by their names"):
        of(FRAME[:30], FRAME[30:].rename(columns={"c": "z"}))
    with pytest.raises(DataError, match=r"x_train lacks 'd', which x_test has"):
        of(FRAME[:30], FRAME[30:].assign(d=1))
    with pytest.raises(DataError, match=r"x_test: two columns are named 'a'"):
        of(FRAME[:30], FRAME[30:].set_axis(["a", "a", "b"], axis=1))


def test_labels_in_another_order_than_their_rows_are_refused() -> None:
    labels = pd.Series(Y, name="y")
    assert of(FRAME[:30], FRAME[30:], labels[:30], labels[30:]).fingerprint == PLAIN.fingerprint
    shuffled = labels[:30].sample(frac=1, random_state=0)
    with pytest.raises(DataError, match=r"y_train has the rows of x_train in another order, by their index"):
        of(FRAME[:30], FRAME[30:], shuffled, labels[30:])
    assert of(FRAME[:30], FRAME[30:], labels[:30].reset_index(drop=True), labels[30:]).classes == 2


FORMS = {
    "convert_dtypes": lambda x: pd.DataFrame(x, columns=["a", "b", "c"]).convert_dtypes(),
    "float64 of pandas": lambda x: pd.DataFrame(x, columns=["a", "b", "c"]).astype("Float64"),
    "objects": lambda x: pd.DataFrame(x, columns=["a", "b", "c"]).astype(object),
    "csr": scipy.sparse.csr_matrix,
    "sparse array": scipy.sparse.coo_array,
    "lists": lambda x: x.tolist(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_in_another_form_are_the_same_data(form: str) -> None:
    assert of(FORMS[form](X[:30]), FORMS[form](X[30:])).fingerprint == PLAIN.fingerprint


def test_get_dummies_and_mixed_types_are_numbers() -> None:
    frame = pd.DataFrame({"n": X[:, 0], "word": ["u", "v"] * 20, "whole": range(40), "flag": [True, False] * 20})
    spread = pd.get_dummies(frame)
    data = of(spread[:30], spread[30:])
    np.testing.assert_array_equal(data.x_train, spread[:30].to_numpy(dtype=np.float64).astype(np.float32))
    converted = spread.convert_dtypes()
    assert of(converted[:30], converted[30:]).fingerprint == data.fingerprint


WRONG = {
    "words": (FRAME.assign(c="Rome"), r"column 'c': holds 'Rome'; expected numbers. pandas.get_dummies\(frame\)"),
    "category": (FRAME.assign(c=pd.Categorical(["u", "v"] * 20)), r"column 'c': holds 'u'; expected numbers"),
    "dates": (FRAME.assign(c=pd.date_range("2024", periods=40)), r"as series.astype\('int64'\) does"),
    "gaps": (FRAME.mask(FRAME > 2.0), r"column '.': \d+ of 30 values are missing, .* SimpleImputer"),
    "gaps of pandas": (FRAME.mask(FRAME > 2.0).convert_dtypes(), r"values are missing, .* SimpleImputer"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_number_is_refused_with_the_call_that_mends_it(wrong: str) -> None:
    frame, says = WRONG[wrong]
    with pytest.raises(DataError, match=says):
        of(frame[:30], frame[30:])


def test_a_sparse_matrix_that_no_memory_holds_is_refused() -> None:
    huge = scipy.sparse.csr_matrix((30, 2_000_000_000))
    with pytest.raises(DataError, match="with its zeros written out; at most"):
        of(huge, huge)


def test_labels_in_every_form_are_the_same_labels() -> None:
    words = np.array(["no", "yes"])[Y]
    for labels in (words, pd.Series(words), pd.Series(words).astype("category"), words[:, None], list(words)):
        data = of(X[:30], X[30:], labels[:30], labels[30:])
        assert (data.class_names, data.y_train.tolist()) == (("no", "yes"), Y[:30].tolist())
    whole = pd.Series(Y).astype("Int64")
    assert of(X[:30], X[30:], whole[:30], whole[30:]).fingerprint == PLAIN.fingerprint
    with pytest.raises(DataError, match="y_train: 1 of 30 values are missing"):
        of(X[:30], X[30:], pd.Series(words).where(np.arange(40) != 3)[:30], words[30:])
    with pytest.raises(
        DataError, match=r"label 'maybe' of example 0 in y_test is none of the training classes no, yes"
    ):
        of(X[:30], X[30:], words[:30], np.full(10, "maybe"))


@pytest.mark.parametrize("frames", [False, True])
def test_the_order_of_train_test_split_is_understood(frames: bool) -> None:
    parts = train_test_split(FRAME if frames else X, pd.Series(Y) if frames else Y, random_state=0)
    x_train, x_test, y_train, y_test = parts
    given = read_data_argument(tuple(parts), scale="auto", standardize=False, readers=[])
    assert given.arrays is not None
    assert given.arrays.fingerprint == from_arrays(x_train, y_train, x_test, y_test).fingerprint


def test_four_arrays_that_fit_both_orders_are_taken_as_documented() -> None:
    x, one_hot = RNG.normal(size=(10, 2)), np.eye(2)[np.arange(10) % 2]
    given = read_data_argument((x, one_hot, x, one_hot), scale="auto", standardize=False, readers=[])
    assert given.arrays is not None
    assert given.arrays.classes == 2


def test_what_is_said_beside_a_mapping_counts() -> None:
    given = read_data_argument({"source": "mnist"}, scale="auto", standardize=True, readers=[])
    assert given.table.standardize
    assert read_data_argument({"source": "mnist"}, scale=255, standardize=False, readers=[]).table.scale == 255
    with pytest.raises(UsageError, match="'scale' is 16 in the mapping and 255 in the call; say it once"):
        read_data_argument({"source": "mnist", "scale": 16}, scale=255, standardize=False, readers=[])


def test_a_mistake_in_a_mapping_lists_the_keys_of_data() -> None:
    with pytest.raises(
        StudyError, match=r"lable: unknown key; did you mean 'label'\? known here are source, scale"
    ) as error:
        read_data_argument({"source": "t.csv", "lable": "y"}, scale="auto", standardize=False, readers=[])
    assert "arms" not in str(error.value)
    with pytest.raises(StudyError, match="known here are strategy, fill_value, indicator"):
        read_data_argument({"source": "t.csv", "impute": {"how": 1}}, scale="auto", standardize=False, readers=[])


def test_pixels_that_nothing_scales_are_noted(tmp_path: Any) -> None:
    pixels = RNG.integers(0, 256, (40, 8, 8), np.uint8)
    for x in (pixels, pixels.astype(np.float32), pixels.reshape(40, 64)):
        spec = spool(from_arrays(x[:30], Y[:30], x[30:], Y[30:]), tmp_path / f"{x.dtype}{x.ndim}")
        (note,) = load(spec).notes
        assert note.startswith("Pixels are in 0 to 255 and are not scaled")
    from dataclasses import replace

    assert load(replace(spec, scale=255.0)).notes == load(replace(spec, standardize=True)).notes == ()


def test_columns_come_back_from_a_spooled_frame_and_follow_new_names(tmp_path: Any) -> None:
    for names in (["a", "b", "c"], ["p", "q", "r"]):
        frame = FRAME.set_axis(names, axis=1)
        data = load(spool(of(frame[:30], frame[30:]), tmp_path / "spooled"))
        assert data.columns is not None
        assert [column.name for column in data.columns] == names
        assert data.fingerprint == PLAIN.fingerprint
