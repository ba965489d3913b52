"""Tables of predictions: one table from every kind of file, and every fault refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.data.predictions.read import read_predictions
from paribus.errors import DataError
from prediction_tables import predictions


def npz(frame: pd.DataFrame, path: Path) -> Path:
    arrays = {name: frame[name].to_numpy() for name in frame}
    np.savez(path, **{name: v.astype(str) if v.dtype.kind == "O" else v for name, v in arrays.items()})
    return path


@pytest.mark.parametrize("probabilities", [False, True])
def test_every_kind_of_file_is_the_same_table(tmp_path: Path, probabilities: bool) -> None:
    frame = predictions(classes=("cat", "dog", "eel"), probabilities=probabilities).assign(
        group=lambda f: f.example // 9
    )
    frame.to_csv(tmp_path / "p.csv", index=False)
    frame.to_parquet(tmp_path / "p.parquet")
    sources = (
        tmp_path / "p.csv",
        str(tmp_path / "p.parquet"),
        npz(frame, tmp_path / "p.npz"),
        frame,
        {name: frame[name].to_numpy() for name in frame},
        {name: frame[name].tolist() for name in frame},
        frame.astype({"arm": "category", "label": "category"}).convert_dtypes(),
    )
    tables = [read_predictions(source) for source in sources]
    assert len({table.fingerprint for table in tables}) == 1
    table = tables[0]
    assert table.arms == ("new", "old")
    assert table.seeds == (0, 1, 2, 3)
    assert table.classes == ("cat", "dog", "eel")
    assert table.predicted.shape == (2, 4, 120)
    assert table.groups is not None
    assert (np.bincount(table.groups) <= 9).all()
    assert (table.true_probability is None) is not probabilities


def test_rows_in_any_order_are_the_same_answers() -> None:
    frame = predictions(probabilities=True)
    table = read_predictions(frame)
    mixed = read_predictions(frame.sample(frac=1, random_state=1))
    order = [mixed.examples.index(name) for name in table.examples]
    arms = [mixed.arms.index(arm) for arm in table.arms]
    assert mixed.seeds == table.seeds
    assert (mixed.labels[order] == table.labels).all()
    assert (mixed.predicted[arms][:, :, order] == table.predicted).all()
    assert mixed.true_probability is not None
    assert table.true_probability is not None
    assert (mixed.true_probability[arms][:, :, order] == table.true_probability).all()


def test_whole_numbers_with_a_point_are_the_same_class() -> None:
    frame = predictions()
    table = read_predictions(frame.astype({"label": float}))
    assert table.classes == ("0", "1", "2")
    assert table.fingerprint == read_predictions(frame).fingerprint


def test_probabilities_choose_the_largest_and_the_first_of_equals() -> None:
    rows = [("a", 0, "x", "dog", 0.2, 0.8), ("a", 0, "y", "cat", 0.5, 0.5)]
    table = read_predictions(
        pd.DataFrame(rows, columns=["arm", "seed", "example", "label", "p_dog", "probability_cat"])
    )
    assert table.classes == ("cat", "dog")
    assert table.predicted.tolist() == [[[0, 0]]]
    assert table.true_probability is not None
    assert table.confidence is not None
    assert table.true_probability.tolist() == [[[0.2, 0.5]]]
    assert table.confidence.tolist() == [[[0.8, 0.5]]]
    assert "In 1 row two classes share the largest probability" in table.notes[0]


def test_a_predicted_class_beside_probabilities_decides_what_was_answered() -> None:
    frame = predictions(probabilities=True)
    frame["prediction"] = frame.label
    table = read_predictions(frame)
    assert (table.predicted == table.labels).all()
    assert table.true_probability is not None
    assert table.confidence is not None
    assert (table.confidence == table.true_probability).all()


def test_a_matrix_of_probabilities_has_a_column_for_each_class() -> None:
    frame = predictions(probabilities=True)
    names = ["p_0", "p_1", "p_2"]
    rest = {name: frame[name].to_numpy() for name in frame if name not in names}
    expected = read_predictions(frame).fingerprint
    assert read_predictions({**rest, "probabilities": frame[names].to_numpy()}).fingerprint == expected
    lists = frame.drop(columns=names).assign(probabilities=frame[names].to_numpy().tolist())
    assert read_predictions(lists).fingerprint == expected


def test_runs_with_names_are_numbered_and_a_note_says_so() -> None:
    frame = predictions(seeds=("first", "second")).rename(columns={"seed": "run"})
    table = read_predictions(frame)
    assert table.seeds == (0, 1)
    assert table.notes == ("Runs have names instead of seeds and are numbered: 0 is 'first', 1 is 'second'.",)


def test_one_run_an_arm_needs_no_seed() -> None:
    frame = predictions(seeds=[7])
    assert read_predictions(frame).seeds == (7,)
    assert read_predictions(frame.drop(columns="seed")).seeds == (0,)


def test_what_is_not_read_is_named() -> None:
    table = read_predictions(predictions().assign(loss=0.5, text="a"))
    assert table.notes == ("Columns that were not read: 'loss', 'text'.",)


def test_a_class_that_is_no_label_is_named() -> None:
    frame = predictions(classes=("cat", "dog"))
    frame.loc[3, "prediction"] = "Cat"
    assert read_predictions(frame).notes == ("Predicted, and the label of no example: 'Cat'.",)


def changed(column: str, row: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.loc[row, column] = value
        return frame

    return change


FAULTS: dict[str, tuple[bool, Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "twice": (
        False,
        lambda f: pd.concat([f, f.iloc[[130]]]),
        r"arm 'new', seed 1, example '10' is there twice, in row 131 and row 961; a run answers",
    ),
    "example missing": (
        False,
        lambda f: f.drop(index=130),
        r"arm 'new', seed 1 has 119 of 120 examples; '10', for one, is missing.*add the rows, or leave",
    ),
    "seed missing": (
        False,
        lambda f: f[(f.arm != "old") | (f.seed != 2)],
        r"arm 'old' has no seed 2, which arm 'new' has; .*Add its rows, or leave seed 2 out of every arm",
    ),
    "no seed": (
        False,
        lambda f: f.drop(columns="seed"),
        r"arm 'new', example '0' is there twice, in row 1 and row 121.*a column 'seed' says which run",
    ),
    "labels differ": (
        False,
        changed("label", 485, 9),
        r"example '5' has label '\d' in row 6 \(arm 'new', seed 0\) and '9' in row 486 \(arm 'old', seed 0\)",
    ),
    "groups differ": (
        False,
        lambda f: f.assign(group=np.where(f.index == 485, 1, 0)),
        r"example '5' has group '0' in row 6 .* and '1' in row 486 .*an example has one group",
    ),
    "other words": (
        False,
        lambda f: f.assign(
            prediction=[f"class {v}" if a == "old" else v for a, v in zip(f.arm, f.prediction, strict=True)]
        ),
        r"no class that arm 'old' predicts \('class 0', 'class 1', 'class 2'\) is the label of any example \('0', '1', "
        r"'2'\); write both",
    ),
    "label empty": (False, changed("label", 3, None), r"row 4, column 'label': the value is missing; expected one"),
    "arm empty": (False, changed("arm", 3, "  "), r"row 4, column 'arm': the value is missing"),
    "no arm": (
        False,
        lambda f: f.rename(columns={"arm": "model"}),
        r"no column 'arm' \(the variant.*'model'.*Name one",
    ),
    "no example": (
        False,
        lambda f: f.drop(columns="example"),
        r"no column 'example' \(the test example, with the same",
    ),
    "no label": (False, lambda f: f.drop(columns="label"), r"no column 'label' \(the right class"),
    "logits": (
        False,
        lambda f: f.rename(columns={"prediction": "logit_0"}),
        r"neither a column 'prediction'.*like 'p_cat' and 'p_dog'.*scipy.special.softmax",
    ),
    "seed and run": (False, lambda f: f.assign(run=f.seed), r"columns 'seed' and 'run' mean the same; leave one"),
    "nan": (
        True,
        changed("p_1", 7, np.nan),
        r"row 8, column 'p_1': nan is not a probability; probabilities are 0 or more",
    ),
    "negative": (True, changed("p_1", 7, -0.1), r"row 8, column 'p_1': -0.1 is not a probability"),
    "infinite": (True, changed("p_1", 7, np.inf), r"row 8, column 'p_1': inf is not a probability"),
    "sum": (True, changed("p_1", 7, 0.5), r"row 8: the probabilities sum to 1\.\d+; expected 1, up to 0.001. Logits"),
    "text": (True, changed("p_1", 7, "high"), r"column 'p_1': row 8 holds 'high'; expected a number"),
    "one column": (
        True,
        lambda f: f.drop(columns=["p_0", "p_2"]),
        r"'p_1' is the only column of probabilities; expected one for each class. With two classes the other",
    ),
    "label without column": (
        True,
        lambda f: f.rename(columns={"p_2": "p_3"}),
        r"row \d+: label '2' has no column of probabilities; there are 'p_0', 'p_1', 'p_3'. Name",
    ),
    "two columns of a class": (
        True,
        lambda f: f.assign(probability_1=f.p_1),
        r"columns 'p_1' and 'probability_1' are both about",
    ),
    "one class": (
        False,
        lambda f: f.assign(label=0, prediction=0),
        r"every label and every prediction is '0'; expected two classes or more",
    ),
    "no rows": (False, lambda f: f.iloc[:0], r"no rows below the header"),
    "true probability": (
        False,
        lambda f: f.assign(true_probability=np.where(f.index == 7, np.nan, 0.5)),
        r"row 8, column 'true_probability': nan is not a probability.*leave the column 'true_probability' out",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_by_name_with_the_mend(fault: str) -> None:
    probabilities, change, message = FAULTS[fault]
    with pytest.raises(DataError, match=rf"^frame: {message}"):
        read_predictions(change(predictions(probabilities=probabilities)))


def test_lines_of_a_csv_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    changed("p_1", 2500, -1)(predictions(seeds=range(12), probabilities=True)).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"p\.csv: line 2502, column 'p_1': -1.0 is not a probability"):
        read_predictions(path)
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*text[:3], "", *text[3:]]), encoding="utf-8")
    with pytest.raises(DataError, match=r"p\.csv: data row 2501, column 'p_1'"):
        read_predictions(path)
    path.write_text("\n".join([*text[:3], "new,0", *text[3:]]), encoding="utf-8")
    with pytest.raises(DataError, match=r"p\.csv: line 4 has 2 cells; expected 7, as in the header"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", b"", "empty; expected a header and rows"),
        ("p.csv", b"arm;seed;example;label;prediction\n", "seems to be separated by semicolons; expected commas"),
        ("p.csv", b"arm,seed,example,label,prediction\na,0,\xff,1,1\n", "not UTF-8 text"),
        ("p.csv", b'arm,seed,example,label,prediction\na,"0"x,1,1,1\n', "not a comma-separated file"),
        ("p.parquet", b"PAR1 nothing", "not a Parquet file that can be read"),
        ("p.npz", b"PK nothing", "the zip data is corrupt"),
        ("p.txt", b"", r"expected a file of predictions that ends in \.csv, \.parquet, \.npz"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_predictions(path)


def test_things_that_are_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_predictions(tmp_path / "none.csv")
    with pytest.raises(DataError, match="int is not a table; expected the path"):
        read_predictions(3)
    with pytest.raises(DataError, match=r"columns of unequal length \(arm 1, label 2\)"):
        read_predictions({"arm": ["a"], "label": [0, 1]})
    with pytest.raises(DataError, match=r"'prediction' has shape \(1, 2\); expected one value a row"):
        read_predictions({"prediction": [[0, 1]]})
    np.savez(tmp_path / "o.npz", arm=np.array(["a", None], dtype=object))
    with pytest.raises(DataError, match=r"holds Python objects\. Loading them can run code"):
        read_predictions(tmp_path / "o.npz")


@given(order=st.permutations(range(12)), repeated=st.integers(0, 11), dropped=st.integers(0, 11))
def test_one_row_for_another_is_always_noticed(order: list[int], repeated: int, dropped: int) -> None:
    """As many rows as there should be, one of them twice and one of them missing."""
    frame = predictions(seeds=range(2), examples=3)
    rows = [repeated if row == dropped else row for row in order]
    if repeated == dropped:
        assert read_predictions(frame.iloc[rows]).predicted.shape == (2, 2, 3)
    else:
        with pytest.raises(DataError, match="is there twice"):
            read_predictions(frame.iloc[rows])
