"""Keys of [data] and [protocol] that came later: refused where wrong, and no trace of them in older studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from paribus.errors import StudyError
from paribus.records import Imputation
from paribus.study.identity import is_same_study, list_differences
from paribus.study.load import load_study, parse_study

STUDY = """
name = "keys"
[data]
source = "t.csv"
label = "y"
{data}
[protocol]
{protocol}
[arms.one]
layers = ["Flatten"]
"""


def study(data: str = "", protocol: str = "") -> object:
    return parse_study(STUDY.format(data=data, protocol=protocol), "study.toml")


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ('impute = "median"', Imputation("median")),
        ('impute = { strategy = "constant", fill_value = -1 }', Imputation("constant", -1.0)),
        ('impute = { strategy = "constant", fill_value = "none" }', Imputation("constant", "none")),
        ("impute = { indicator = true }", Imputation("median", None, indicator=True)),
    ],
)
def test_how_missing_values_are_filled_in(written: str, means: Imputation) -> None:
    spec = study(data=written).data.spec()
    assert spec.impute == means
    assert hash(spec)


def test_defaults_leave_no_trace() -> None:
    written = study("drop = []", 'validation = "last"')
    assert is_same_study(written, study())
    assert written.model_dump_json() == study().model_dump_json()
    assert written.data.spec() == study().data.spec()
    assert not {"drop", "impute"} & set(written.model_dump()["data"])
    assert "validation" not in written.model_dump()["protocol"]


def test_other_values_are_another_study() -> None:
    for other in (study('drop = ["id"]'), study('impute = "median"'), study("", 'validation = "stratified"')):
        assert not is_same_study(other, study())
        assert list_differences(study(), other)
        assert parse_back(other) == other


def parse_back(document: object) -> object:
    return type(document).model_validate_json(document.model_dump_json())


@pytest.mark.parametrize(
    ("data", "protocol", "says"),
    [
        ('impute = "mean"', "", "impute, strategy: 'mean'"),
        ("impute = { fill_value = 1 }", "", '`fill_value` means nothing for strategy "median"'),
        (
            "impute = { fil_value = 1 }",
            "",
            "unknown key; did you mean 'fill_value'? known here are strategy, fill_value",
        ),
        ('drop = "id"', "", "data, drop: 'id': a list in brackets is expected"),
        ("", 'validation = "first"', "protocol, validation: 'first'"),
        ("", "class_weight = { no = -1.0 }", "class no: weight -1; a weight is 0 or more"),
        ("", "early_stopping = { patiense = 1 }", "did you mean 'patience'? known here are patience, monitor"),
    ],
)
def test_mistakes_are_told_with_their_place(data: str, protocol: str, says: str) -> None:
    with pytest.raises(StudyError) as caught:
        study(data, protocol)
    assert says in str(caught.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"\xef\xbb\xbf" + STUDY.format(data="", protocol="").encode())
    assert load_study(str(tmp_path / "s.toml")).name == "keys"


@pytest.mark.parametrize("path", [r"C:\data\t.csv", r"C:\users\t.csv", r"C:\Users\t.csv", r"D:\x.csv"])
def test_backslashes_are_explained(path: str) -> None:
    with pytest.raises(StudyError, match=r"In double quotes a backslash begins an escape.* or in single quotes"):
        parse_study(STUDY.format(data="", protocol="").replace("t.csv", path), "study.toml")
    quoted = STUDY.format(data="", protocol="").replace('"t.csv"', f"'{path}'")
    assert parse_study(quoted, "study.toml").data.source == path


def test_the_home_directory_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "s.toml").write_text(STUDY.format(data="", protocol=""))
    document = load_study("~/s.toml")
    assert document.data.source == str(tmp_path / "t.csv")
