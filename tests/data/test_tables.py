import builtins
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_files import GOOD_CSV, csv, csv_pair
from paribus.data import load, summarize, tables
from paribus.errors import DataError
from paribus.records import DataSpec

TRAIN = "age,city,class\n1.5,Rome,b\n-2,Oslo,a\n3e2,Rome,b\n"
TEST = "class,city,age\na,Paris,7\nb,Oslo,8\n"


def to_parquet(spec: DataSpec) -> DataSpec:
    """The same table, written by pandas as Parquet."""
    import pandas as pd

    path = Path(spec.source)
    pd.read_csv(path).to_parquet(path.with_suffix(".parquet"))
    return replace(spec, source=str(path.with_suffix(".parquet")))


def test_numbers_words_and_labels(tmp_path: Path):
    data = load(csv_pair(TRAIN, TEST)(tmp_path))
    # age, then city=Oslo, city=Rome: learnt from the training file, so Paris is neither.
    assert data.x_train.tolist() == [[1.5, 0, 1], [-2, 1, 0], [300, 0, 1]]
    assert data.x_test.tolist() == [[7, 0, 0], [8, 1, 0]]
    assert data.class_names == ("a", "b")
    assert data.y_train.tolist() == [1, 0, 1]
    assert data.y_test.tolist() == [0, 1]
    assert data.name == "data.csv"
    assert data.x_train.dtype == np.float32


def test_nothing_about_the_test_split_reaches_the_training_split(tmp_path: Path):
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one = load(csv_pair(TRAIN, TEST)(tmp_path / "1"))
    two = load(csv_pair(TRAIN, TEST.replace("Paris", "Aarhus").replace("8", "1e9"))(tmp_path / "2"))
    assert np.array_equal(one.x_train, two.x_train)


def test_words_that_only_the_test_rows_have_make_no_feature(tmp_path: Path):
    rows = "".join(f"{i},w{i},{'ab'[i % 2]}\n" for i in range(40))
    data = load(csv("n,word,class\n" + rows)(tmp_path))
    assert data.x_train.shape == (30, 31)
    assert data.x_test[:, 1:].sum() == 0


def test_the_split_is_stratified_and_can_be_chosen(tmp_path: Path):
    rows = "".join(f"{i},{'ab'[i >= 80]}\n" for i in range(100))
    spec = csv("n,class\n" + rows)(tmp_path)
    data = load(spec)
    assert np.bincount(data.y_test).tolist() == [20, 5]
    assert set(data.x_train[:, 0]) | set(data.x_test[:, 0]) == set(range(100))
    assert np.array_equal(data.y_train == 1, data.x_train[:, 0] >= 80)
    assert np.bincount(load(replace(spec, test_fraction=0.5)).y_test).tolist() == [40, 10]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["10", "9", "10", "9"], ("9", "10")),
        (["1.0", "0.0", "1", "0"], ("0", "1")),
        (["-1", "1", "-1", "1"], ("-1", "1")),
        (["yes", "no", "yes", "no"], ("no", "yes")),
        (["v1.0", "v1", "v1.0", "v1"], ("v1", "v1.0")),
    ],
)
def test_classes_are_numbered_in_an_order_that_one_expects(tmp_path: Path, labels, names):
    data = load(csv("n,class\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels)))(tmp_path))
    assert data.class_names == names


def test_columns_of_codes_are_categories_where_declared(tmp_path: Path):
    text = "zip,class\n10115,a\nnone,b\n10115,a\nnone,b\n"
    data = load(csv(text, categorical=("zip",))(tmp_path))
    assert data.input_shape == (2,)
    with pytest.raises(DataError, match="line 3, column 'zip': the value is missing"):
        load(csv(text)(tmp_path))


def test_quotes_blank_lines_and_byte_order_marks_are_understood(tmp_path: Path):
    text = '\ufeffage,"a ""city""",class\r\n1,"Rome, Italy",a\r\n\r\n2,"two\nlines",b\r\n3,x,a\r\n4,x,b\r\n'
    spec = csv(text)(tmp_path)
    data = load(replace(spec, test=spec.source))
    assert data.x_train.tolist() == [[1, 1, 0, 0], [2, 0, 1, 0], [3, 0, 0, 1], [4, 0, 0, 1]]
    with pytest.raises(DataError, match=r"line 7, column 'age'"):
        load(csv(text.replace("4,", "inf,"))(tmp_path))


def test_parquet_and_csv_give_the_same_data(tmp_path: Path):
    rows = "".join(f"{i / 3},{['x', 'y', 'z'][i % 3]},{i % 2 == 0},{i % 4}\n" for i in range(60))
    spec = replace(csv("n,word,flag,class\n" + rows)(tmp_path), label="class")
    other = to_parquet(spec)
    ours, theirs = load(spec), load(other)
    assert np.allclose(ours.x_train, theirs.x_train, rtol=1e-6)
    assert np.array_equal(ours.y_train, theirs.y_train)
    assert ours.class_names == theirs.class_names
    assert theirs.summary() == summarize(other)
    assert ours.input_shape == (1 + 3 + 2,)


def test_parquet_of_every_type_of_column(tmp_path: Path):
    import pyarrow as pa
    from pyarrow import parquet as pq

    words = pa.array(["u", "v", "u", "v"])
    table = pa.table(
        {
            "tiny": pa.array([1, 2, 3, 4], pa.int8()),
            "big": pa.array([2**62, 1, 2, 3], pa.int64()),
            "half": pa.array(np.array([1, 2, 3, 4], np.float16)),
            "cents": pa.array([1, 2, 3, 4], pa.int32()).cast(pa.decimal128(12, 2)),
            "words": words.cast(pa.large_string()),
            "factor": words.dictionary_encode(),
            "truth": pa.array([True, False, True, False]),
            "code": pa.array([7, 8, 7, 8]),
            "class": pa.array([3.0, 1.0, 3.0, 1.0]),
        }
    )
    pq.write_table(table, tmp_path / "t.pq")
    spec = DataSpec(str(tmp_path / "t.pq"), label="class", categorical=("code",), test=str(tmp_path / "t.pq"))
    data = load(spec)
    assert data.class_names == ("1", "3")
    assert data.x_train[1].tolist() == [2, 1, 2, 2, 0, 1, 0, 1, 1, 0, 0, 1]
    assert data.y_train.tolist() == [1, 0, 1, 0]


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    spec = to_parquet(csv(GOOD_CSV)(tmp_path))
    real = builtins.__import__

    def without(name: str, *args: object) -> object:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r'needs pyarrow: pip install "paribus\[tables\]"'):
        load(spec)


def test_features_that_would_not_fit_are_refused_before_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MAX_ARRAY_BYTES", 40)
    with pytest.raises(DataError, match="takes 48 bytes with its categorical columns spread out"):
        load(csv(GOOD_CSV, test_fraction=0.25)(tmp_path))


def test_parquet_text_that_is_no_utf_8_is_refused(tmp_path: Path):
    import pyarrow as pa
    from pyarrow import parquet as pq

    words = pa.Array.from_buffers(pa.string(), 2, [*pa.array(["u", "v"]).buffers()[:2], pa.py_buffer(b"\xff\xfe")])
    pq.write_table(pa.table({"word": words, "class": ["a", "b"]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet: not a Parquet file that can be read: .*UTF8"):
        load(DataSpec(str(tmp_path / "t.parquet"), label="class"))
