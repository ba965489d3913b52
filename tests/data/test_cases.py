"""Every table and folder of the collections: equal to plain pandas, scikit-learn and Pillow, or refused."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from folder_cases import FOLDERS, FolderCase
from paribus.data import load, standardization
from paribus.errors import DataError
from project_files import ROOT
from table_cases import TABLES, TableCase


@pytest.mark.parametrize("case", TABLES, ids=lambda case: case.what)
def test_a_table_is_what_pandas_reads_or_refused(case: TableCase, tmp_path: Path) -> None:
    spec = case.make(tmp_path)
    if case.reference is None:
        assert case.says
        with pytest.raises(DataError) as caught:
            load(spec)
        assert case.says in str(caught.value)
        return
    data = load(spec)
    x_train, x_test = data.x_train, data.x_test
    if case.standardized:
        standard = standardization(data.x_train)
        x_train, x_test = ((x - standard.mean) / standard.deviation for x in (x_train, x_test))
    ours = (x_train, data.y_train, x_test, data.y_test)
    for mine, theirs in zip(ours, case.reference(tmp_path), strict=True):
        if case.standardized:
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
        else:
            np.testing.assert_array_equal(mine, theirs)
    assert (case.notes in "\n".join(data.notes)) if case.notes else data.notes == ()


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.what)
def test_a_folder_is_what_pillow_reads_or_refused(case: FolderCase, tmp_path: Path) -> None:
    spec = case.make(tmp_path)
    if case.reference is None:
        assert case.says
        with pytest.raises(DataError) as caught:
            load(spec)
        assert case.says in str(caught.value)
        return
    data = load(spec)
    for x, y, theirs in zip(
        (data.x_train, data.x_test), (data.y_train, data.y_test), case.reference(tmp_path), strict=True
    ):
        ours = sorted((data.class_names[label], example.tobytes()) for example, label in zip(x, y, strict=True))
        assert ours == theirs
    assert (case.notes in "\n".join(data.notes)) if case.notes else data.notes == ()


def test_there_are_as_many_as_was_asked_for() -> None:
    assert len({case.what for case in TABLES}) == len(TABLES) >= 25
    assert len({case.what for case in FOLDERS}) == len(FOLDERS) >= 20


def test_the_page_says_what_comes_of_each() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "data_cases_page.py"))["page"]()
    assert (ROOT / "docs" / "data-cases.md").read_text(encoding="utf-8") == page, "run docs/data_cases_page.py"
