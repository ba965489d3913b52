"""Paths in a study file start at the file's folder, those of a flag at the current one; names are no paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_files import GOOD_CSV
from paribus.data import summarize
from paribus.errors import DataError, UnknownNameError
from paribus.records import DataSummary
from paribus.report.toml import to_toml
from paribus.results.stored_study import open_results
from paribus.store.memory import MemoryStore
from paribus.study import builtin
from paribus.study.load import load_study, parse_study
from paribus.study.overrides import override

TABLE = 'source = "{}"\nlabel = "class"\n'


def study(folder: Path, data: str) -> Path:
    """A study file of that data."""
    folder.mkdir(exist_ok=True)
    path = folder / "mine.toml"
    arms = '[arms.a]\nlayers = [{ Dense = { units = 2, activation = "softmax" } }]\n'
    path.write_text(f'name = "mine"\n[data]\n{data}\n{arms}', encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders, with files of the same names and other content, and this process in the other one."""
    for name, content in [("studies", GOOD_CSV), ("elsewhere", GOOD_CSV.replace("Rome", "Oslo"))]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(content)
        (tmp_path / name / "digits").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


@pytest.mark.parametrize("written", ["x.csv", "./x.csv", "../studies/x.csv"])
@pytest.mark.parametrize("named", ["absolute", "relative"])
def test_a_study_file_means_what_lies_beside_it(here: Path, written: str, named: str) -> None:
    path = study(here / "studies", TABLE.format(written))
    document = load_study(str(path) if named == "absolute" else "../studies/mine.toml")
    assert document.data.source == str(here / "studies" / "x.csv")
    there = summarize(document.data.spec())
    assert there != summarize(document.data.model_copy(update={"source": "x.csv"}).spec()), "another file is here"
    # Content counts, not where it lies.
    assert there == summarize(document.data.model_copy(update={"source": str(here / "studies/x.csv")}).spec())


def test_the_file_of_the_test_split_too(here: Path) -> None:
    document = load_study(str(study(here / "studies", TABLE.format("x.csv") + 'test = "x.csv"')))
    assert document.data.test == str(here / "studies" / "x.csv")


def test_a_folder_beside_the_study(here: Path) -> None:
    (here / "studies" / "images").mkdir()
    assert load_study(str(study(here / "studies", 'source = "images"'))).data.source == str(here / "studies" / "images")


def test_a_folder_that_is_only_here_is_not_taken(here: Path) -> None:
    (here / "elsewhere" / "images").mkdir()
    document = load_study(str(study(here / "studies", 'source = "images"')))
    with pytest.raises(UnknownNameError, match="studies/images': no such name, file or folder"):
        summarize(document.data.spec())


@pytest.mark.parametrize("name", ["digits", "mnist", "sklearn:wine", "keras:cifar10", "mnits", "~/x.csv", "/x.csv"])
def test_names_and_whole_paths_stay(here: Path, name: str) -> None:
    assert load_study(str(study(here / "studies", f'source = "{name}"'))).data.source == name


@pytest.mark.parametrize("name", builtin.NAMES)
def test_built_in_studies_stay(here: Path, name: str) -> None:
    assert load_study(name).data.source in {"digits", "mnist"}


def test_a_flag_counts_from_the_current_folder(here: Path) -> None:
    document = load_study(str(study(here / "studies", 'source = "digits"')))
    assert override(document, data="x.csv").data.source == str(here / "elsewhere" / "x.csv")
    assert override(document, data="mnist").data.source == "mnist"


@pytest.mark.parametrize("source", ["a\\u0000b", "x" * 5000, "x/" * 3000])
def test_what_can_be_no_path_is_the_readers_to_refuse(here: Path, source: str) -> None:
    document = load_study(str(study(here / "studies", f'source = "{source}"')))
    with pytest.raises((DataError, UnknownNameError)):
        summarize(document.data.spec())


def test_what_is_stored_is_found_from_any_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = study(here / "studies", TABLE.format("x.csv"))
    summary = DataSummary("x.csv", "0" * 64, 3, 1, (3,), 2)
    for kept in (load_study(str(path)), parse_study(path.read_text(), "before paths were made absolute")):
        monkeypatch.chdir(here / "studies")
        store = MemoryStore()
        store.save_study("mine", kept.model_dump_json(), [], summary)
        assert open_results("mine.toml", store).data == summary
        if Path(kept.data.source).is_absolute():
            monkeypatch.chdir(here)
            assert open_results("studies/mine.toml", store).data == summary


def test_a_report_does_not_tell_where_the_folder_lies(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = load_study(str(study(here / "studies", TABLE.format("x.csv"))))
    for folder, written in [("studies", "x.csv"), (".", "studies/x.csv")]:
        monkeypatch.chdir(here / folder)
        assert f'source = "{written}"' in to_toml(document)
        (here / folder / "again.toml").write_text(to_toml(document), encoding="utf-8")
        assert load_study("again.toml") == document
