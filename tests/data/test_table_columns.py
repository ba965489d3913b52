"""Columns of tables as people have them: indexes, identifiers, gaps, numbers that are not quite numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from data_files import csv
from paribus.data import load, summarize
from paribus.data.columns import Cells, TableOptions
from paribus.errors import DataError, UsageError
from paribus.records import DataSpec, Imputation

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.normal(size=60), "class": ["x", "y", "x"] * 20})
WITH_GAPS = "age,city,class\n" + "".join(
    f"{'' if i % 7 == 0 else i % 9},{'' if i % 5 == 3 else ['Rome', 'Oslo', 'Rome'][i % 3]},{'ab'[i % 2]}\n"
    for i in range(60)
)

INDEXES = {
    "default": FRAME.index,
    "unnamed": pd.Index(list(range(160, 100, -1))),
    "named": pd.Index(list(range(160, 100, -1)), name="id"),
    "words": pd.Index([f"row {i}" for i in range(60)], name="key"),
    "unnamed words": pd.Index([f"row {i}" for i in range(60)]),
    "several levels": pd.MultiIndex.from_arrays([range(60), [f"r{i}" for i in range(60)]], names=["n", None]),
    "times": pd.date_range("2024-01-01", periods=60, name="when"),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_the_index_of_a_frame_is_no_feature(kind: str, tmp_path: Path) -> None:
    FRAME.set_axis(INDEXES[kind]).to_parquet(tmp_path / "t.parquet")
    data = load(DataSpec(str(tmp_path / "t.parquet"), label="class"))
    assert data.input_shape == (2,)
    FRAME.to_parquet(tmp_path / "plain.parquet", index=False)
    assert load(DataSpec(str(tmp_path / "plain.parquet"), label="class")).fingerprint == data.fingerprint
    assert len(data.notes) == (kind != "default")
    assert all("by the file's own metadata the index of a pandas frame" in note for note in data.notes)


def test_an_index_that_is_asked_for_is_kept(tmp_path: Path) -> None:
    FRAME.set_index("class").to_parquet(tmp_path / "t.parquet")
    assert load(DataSpec(str(tmp_path / "t.parquet"), label="class")).class_names == ("x", "y")
    FRAME.set_axis(pd.Index([1, 2, 3] * 20, name="site")).to_parquet(tmp_path / "s.parquet")
    data = load(DataSpec(str(tmp_path / "s.parquet"), label="class", categorical=("site",)))
    assert (data.input_shape, data.notes) == ((5,), ())


def test_an_index_that_went_through_csv_is_no_feature(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "once.csv")
    pd.read_csv(tmp_path / "once.csv").to_csv(tmp_path / "t.csv", index=False)
    data = load(DataSpec(str(tmp_path / "t.csv"), label="class"))
    assert data.input_shape == (2,)
    assert data.notes == (
        "Left out of the features: 'Unnamed: 0', which is what pandas calls an index without a name.",
    )


def test_columns_are_dropped_unread(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},u{i},,{'ab'[i % 2]}\n" for i in range(1500))
    spec = csv("n,id,broken,class\n" + rows, drop=("id", "broken"))(tmp_path)
    plain = csv("n,class\n" + "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in range(1500)))
    (tmp_path / "plain").mkdir()
    assert load(spec).fingerprint == load(plain(tmp_path / "plain")).fingerprint
    with pytest.raises(DataError, match="no column 'ids', which `drop` names; the columns are n, id"):
        load(replace(spec, drop=("ids",)))
    with pytest.raises(UsageError, match="column 'class' is named in `label` and in `drop`"):
        load(replace(spec, drop=("class",)))


def test_the_test_file_may_lack_what_is_dropped(tmp_path: Path) -> None:
    spec = csv("n,id,class\n1,u,a\n2,v,b\n", drop=("id",))(tmp_path)
    (tmp_path / "test.csv").write_text("class,n\na,5\n")
    assert load(replace(spec, test=str(tmp_path / "test.csv"))).x_test.tolist() == [[5]]


@pytest.mark.parametrize(
    ("cells", "noted"),
    [
        ([str(i) for i in range(1000, 1060)], True),
        ([f"person {i}" for i in range(60)], True),
        ([f"word {i // 3}" for i in range(60)], False),
        ([str(i * 37 % 61) for i in range(60)], True),
        ([str(i * i) for i in range(60)], False),
        ([str(i / 7) for i in range(60)], False),
    ],
)
def test_a_column_that_names_rows_is_noted(cells: list[str], noted: bool, tmp_path: Path) -> None:
    rows = "".join(f"{cell},{i % 3},{'ab'[i % 2]}\n" for i, cell in enumerate(cells))
    notes = summarize(csv("who,n,class\n" + rows)(tmp_path)).notes
    assert [note.startswith("Column 'who' has a value of its own in most rows") for note in notes] == [True] * noted


@pytest.mark.parametrize(
    "cells",
    [
        ("1,5", "2,5", "3", "0,1"),
        ("12%", "7 %", "0.5%", "3%"),
        ("1 000", "2 500", "1 000", "3 000"),
        ("$3.20", "$4.10", "$5.00", "$3.20"),
        ("3 €", "4,10 €", "5 €", "6 €"),
        ("1,000.5", "2,000", "3,000", "1,000"),
        ("\u22121.5", "\u22122", "\u22120.5", "\u22123"),
        ("1_000", "2_000", "1_000", "2_000"),
    ],
)
def test_numbers_that_are_almost_numbers_are_refused_by_line(cells: tuple[str, ...], tmp_path: Path) -> None:
    # The first row is a word in any reading, so that the column is one of words.
    rows = "".join(f'"{cell}",{i},{"ab"[i % 2]}\n' for i, cell in enumerate(cells * 2))
    with pytest.raises(DataError, match=r"line \d, column 'price': .* (is almost a number|is a number)"):
        load(csv("price,n,class\n" + rows)(tmp_path))
    named = load(csv("price,n,class\n" + rows, categorical=("price",))(tmp_path))
    assert named.input_shape == (len(set(cells)) + 1,)


def test_words_with_digits_are_words(tmp_path: Path) -> None:
    for cell in ("2024-01-05", "1.2.3", "12.05.2024", "A4", "10:30", "4x4", "50-60", "12th"):
        rows = "".join(f"{cell if i % 2 else 'none at all'},{i % 3},{'ab'[i % 2]}\n" for i in range(12))
        assert load(csv("w,n,class\n" + rows)(tmp_path)).input_shape == (3,)


def test_a_file_with_semicolons_is_refused_with_the_call_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"separated by semicolons: write it with commas, as pandas.read_csv\(path, sep="
    ):
        load(csv("n;class\n1;a\n2;b\n")(tmp_path))


STRATEGIES = {
    "median": Imputation("median"),
    "most_frequent": Imputation("most_frequent"),
    "constant": Imputation("constant", -1.0),
    "indicator": Imputation("median", indicator=True),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_missing_values_are_filled_in_as_scikit_learn_fills_them_in(strategy: str, suffix: str, tmp_path: Path) -> None:
    imputation = STRATEGIES[strategy]
    spec = csv(WITH_GAPS, impute=imputation)(tmp_path)
    frame = pd.read_csv(spec.source)
    if suffix == ".parquet":
        spec = replace(spec, source=str(tmp_path / "t.parquet"))
        frame.to_parquet(spec.source)
    numbered = replace(spec, source=str(tmp_path / "numbered.csv"), impute=None, categorical=("age", "city"))
    frame.assign(row=range(60), age="x", city="y").to_csv(numbered.source, index=False)
    train, test = (load(numbered).x_train[:, 2].astype(int), load(numbered).x_test[:, 2].astype(int))
    number = SimpleImputer(
        strategy=imputation.strategy,
        add_indicator=imputation.indicator,
        **({"fill_value": imputation.fill_value} if strategy == "constant" else {}),
    )
    word = SimpleImputer(strategy="constant" if strategy == "constant" else "most_frequent")
    theirs = ColumnTransformer(
        [
            ("age", number, ["age"]),
            ("city", make_pipeline(word, OneHotEncoder(handle_unknown="ignore", sparse_output=False)), ["city"]),
        ]
    )
    expected = [theirs.fit_transform(frame.iloc[train]), theirs.transform(frame.iloc[test])]
    data = load(spec)
    if imputation.indicator:
        # Ours stand behind all features; a column of words has one too.
        expected = [np.hstack([x[:, :1], x[:, 2:], x[:, 1:2]]) for x in expected]
        gaps = [frame["city"].isna().to_numpy()[rows, None] for rows in (train, test)]
        expected = [np.hstack([x, gap]) for x, gap in zip(expected, gaps, strict=True)]
    np.testing.assert_array_equal(data.x_train, expected[0].astype(np.float32))
    np.testing.assert_array_equal(data.x_test, expected[1].astype(np.float32))
    (note,) = data.notes
    assert note.startswith("Missing values were filled in with what the training split has: 'age' in ")


def test_nothing_of_the_test_split_is_filled_in_elsewhere(tmp_path: Path) -> None:
    spec = csv("n,class\n1,a\n,b\n3,a\n5,b\n", impute=Imputation("median"))(tmp_path)
    (tmp_path / "test.csv").write_text("n,class\n1e6,a\n,b\n")
    data = load(replace(spec, test=str(tmp_path / "test.csv")))
    assert data.x_train.tolist() == [[1], [3], [3], [5]]
    assert data.x_test.tolist() == [[1e6], [3]]


def test_what_cannot_be_filled_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3, column 'class': the value is missing"):
        load(csv("n,class\n1,a\n2,\n3,b\n4,b\n", impute=Imputation("median"))(tmp_path))
    with pytest.raises(DataError, match=r"column 'm' has no value in any row of the training split"):
        load(csv("n,m,class\n1,,a\n2,,b\n3,,a\n4,,b\n", impute=Imputation("median"))(tmp_path))
    with pytest.raises(DataError, match=r"the value is missing \(\'\'\); expected one in every row. To have missing"):
        load(csv("n,class\n1,a\n,b\n3,a\n4,b\n")(tmp_path))
    with pytest.raises(UsageError, match="`impute` means nothing for mnist"):
        load(DataSpec("mnist", impute=Imputation("median")))


def test_a_label_na_is_a_word_where_that_is_said(tmp_path: Path) -> None:
    spec = csv("n,class\n1,NA\n2,US\n3,NA\n4,US\n")(tmp_path)
    with pytest.raises(DataError, match=r"If 'NA' is a word here, name the column in `categorical`"):
        load(spec)
    assert load(replace(spec, categorical=("class",))).class_names == ("NA", "US")


def test_reading_takes_time_in_proportion_to_the_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: no cell is touched twice, and no column is looked up by going through all of them."""
    wide = 3000
    names = [f"c{i}" for i in range(wide)]
    text = ",".join([*names, "class"]) + "\n" + "".join(f"{','.join(['1.5'] * wide)},{'ab'[i % 2]}\n" for i in range(8))
    added: list[str] = []
    real = Cells.add
    monkeypatch.setattr(Cells, "add", lambda self, cell, place: added.append(place) or real(self, cell, place))
    compared = Counted.comparisons = 0
    from paribus.data import csv_files

    csv_files.check_names([Counted(name) for name in [*names, "class"]], "t.csv", TableOptions("class"))
    compared = Counted.comparisons
    assert load(csv(text)(tmp_path)).input_shape == (wide,)
    assert len(added) == 8 * (wide + 1)
    assert compared < 10 * wide


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_table_that_is_too_wide_is_refused_with_the_limit(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(100_001))
    with pytest.raises(DataError, match=r"100,001 columns; at most 100,000 are read"):
        load(csv(header + "\n", label="c0")(tmp_path))
