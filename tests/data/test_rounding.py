"""Features that float32 is too coarse for: centred in float64 where the data is standardized, else noted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from paribus.data import Dataset, from_arrays, load, spool, standardization
from paribus.errors import DataError
from paribus.records import DataSpec

RNG = np.random.default_rng(0)
SECONDS = 1_700_000_000 + RNG.integers(0, 86_400, 80)
DEGREES = 52.5200066 + RNG.normal(0, 1e-5, 80)
LABELS = np.arange(80) % 2
X = np.column_stack([SECONDS.astype(np.float64), DEGREES, RNG.normal(size=80)])


def standardized(data: Dataset) -> np.ndarray:
    standard = standardization(data.x_train)
    return (data.x_test - standard.mean) / standard.deviation


def expected(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    return StandardScaler().fit(train).transform(test)


@pytest.mark.parametrize("kind", ["arrays", "frame", "npz", "npy", "csv", "parquet", "spooled"])
def test_they_are_standardized_in_float64_and_then_rounded(kind: str, tmp_path: Path) -> None:
    train, test = X[:60], X[60:]
    frame = pd.DataFrame(X, columns=["time", "where", "noise"]).assign(label=LABELS)
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), (train, LABELS[:60], test, LABELS[60:]), strict=True))
    path = tmp_path / f"train.{kind}"
    if kind in ("csv", "parquet"):
        for name, part in (("train", frame[:60]), ("test", frame[60:])):
            to = tmp_path / f"{name}.{kind}"
            part.to_csv(to, index=False) if kind == "csv" else part.to_parquet(to, index=False)
        data = load(DataSpec(str(path), label="label", test=str(tmp_path / f"test.{kind}"), standardize=True))
    elif kind == "npz":
        np.savez(path, **arrays)
        data = load(DataSpec(str(path), standardize=True))
    elif kind == "npy":
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array)
        data = load(DataSpec(str(tmp_path), standardize=True))
    else:
        given = {k: pd.DataFrame(v) if kind == "frame" and k[0] == "x" else v for k, v in arrays.items()}
        data = from_arrays(**given, standardize=True)
        if kind == "spooled":
            back = load(spool(data, tmp_path / "spooled"))
            assert back.fingerprint == data.fingerprint
            np.testing.assert_array_equal(back.offset, data.offset)
            data = back
    np.testing.assert_allclose(standardized(data), expected(train, test), atol=1e-5)
    assert data.notes == ()
    assert data.offset is not None
    np.testing.assert_allclose(data.x_test.astype(np.float64) + data.offset, test, rtol=0, atol=1e-2)


def test_whole_numbers_beyond_2_to_the_24_are_taken_where_they_are_standardized() -> None:
    x = SECONDS[:, None] * np.array([1, 1_000_000_000])
    with pytest.raises(DataError, match=r"Where the data is standardized \(`standardize`\), larger ones are taken too"):
        from_arrays(x, LABELS, x, LABELS)
    data = from_arrays(x, LABELS, x, LABELS, standardize=True)
    np.testing.assert_allclose(standardized(data), expected(x, x), atol=1e-5)


def test_where_nothing_standardizes_it_is_said(tmp_path: Path) -> None:
    (note,) = from_arrays(X, LABELS, X, LABELS).notes
    assert note.startswith("Features [0], [1]: float32 keeps about 7 digits")
    frame = pd.DataFrame(X, columns=["time", "where", "noise"]).assign(label=LABELS)
    frame.to_csv(tmp_path / "t.csv", index=False)
    (note,) = load(DataSpec(str(tmp_path / "t.csv"), label="label")).notes
    assert note.startswith("Features time, where: float32 keeps about 7 digits")


def test_ordinary_numbers_are_rounded_as_ever(tmp_path: Path) -> None:
    ordinary = RNG.normal(20, 5, (80, 3))
    plain, standard = (from_arrays(ordinary, LABELS, ordinary, LABELS, standardize=each) for each in (False, True))
    assert plain.fingerprint == standard.fingerprint
    assert standard.offset is None
    assert plain.notes == standard.notes == ()


def test_a_feature_that_never_varies_is_left_alone() -> None:
    x = np.full((80, 2), 1.7e9 + 1)
    assert from_arrays(x, LABELS, x, LABELS, standardize=True).offset is None


def test_data_that_differs_by_an_offset_is_other_data() -> None:
    first, second = (from_arrays(X + by, LABELS, X + by, LABELS, standardize=True) for by in (0, 1000))
    assert first.fingerprint != second.fingerprint


def test_many_columns_are_looked_at_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from paribus.data import tables

    monkeypatch.setattr(tables, "COLUMNS_AT_ONCE", 2)
    frame = pd.DataFrame(X, columns=["noise", "time", "where"]).assign(label=LABELS)
    frame.to_csv(tmp_path / "t.csv", index=False)
    data = load(DataSpec(str(tmp_path / "t.csv"), label="label", standardize=True, test=str(tmp_path / "t.csv")))
    np.testing.assert_allclose(standardized(data), expected(X, X), atol=1e-5)
