"""The report of a cross-validation speaks of folds and runs; and of what cannot be known there is no column."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import paribus as pb
from paribus.backends.fake import FakeBackend
from paribus.outcome.outcome import Outcome
from paribus.records import Seeds
from paribus.report import render_report
from paribus.report.html.build import join
from paribus.report.html.parts import emphasized
from paribus.report.splits import describe_runs, name_place
from paribus.study.document import StudyDocument
from paribus.study.load import load_study


def over_folds(seeds: int, repeats: int) -> Outcome:
    document = load_study("digits").model_dump(exclude_none=True)
    document["data"] = {"source": "digits", "folds": 3, "repeats": repeats}
    study = StudyDocument.model_validate(document | {"seeds": seeds})
    return pb.Study.of(study).run(backend=FakeBackend(), progress=False).outcome


@pytest.fixture(scope="module")
def once() -> Outcome:
    return over_folds(1, 1)


def words_of(page: str) -> str:
    body = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_a_page_of_folds_counts_folds(once: Outcome) -> None:
    page = render_report(once, "html")
    words = words_of(page)
    assert "3 arms × 3 folds" in words
    assert "Fold by fold" in words
    assert "Small dots are single folds." in words
    assert "Arm and fold" in words
    assert "Ahead in" not in words, "over folds nobody counts it"
    assert "Repetition" not in words, "there is one"
    assert "Fold 0 Fold 1 Fold 2" in words, "numbered from 0, as in JSON"
    assert "wrong in every run tested on" in words, "each example is tested by a run a pass"
    assert "Wrong in every pass" in words
    assert not re.search(
        r"[Ww](ith|rong with) (every|some) seed|[Ss]eed by seed|[Oo]ne seed|lowest seed|single seeds|"
        r"Means over the seeds",
        page,
    )
    assert not re.search(r"(?<![\w./-])-\d", words), "one minus sign"


def test_repetitions_and_seeds_are_named_where_there_are_several() -> None:
    outcome = over_folds(2, 2)
    assert describe_runs(outcome) == "3 arms × 3 folds × 2 repetitions × 2 seeds"
    assert [name_place(outcome, Seeds.of(seed)) for seed in (0, 5, 11)] == [
        "fold 0, repetition 0, seed 0",
        "fold 2, repetition 1, seed 0",
        "fold 2, repetition 1, seed 1",
    ]
    words = words_of(render_report(outcome, "html"))
    assert "Small dots are single runs." in words
    assert "e+0" not in words, "means that differ in their last bits have the digits of all others"


def test_the_places_of_a_study_with_one_split_are_its_seeds() -> None:
    outcome = pb.Study.load("digits").run(2, backend=FakeBackend(), progress=False).outcome
    assert describe_runs(outcome) == "3 arms × 2 seeds"
    assert name_place(outcome, Seeds.of(1)) == "1"


def test_one_seed_has_no_column_of_dashes_and_no_dots() -> None:
    frame = pd.DataFrame(
        {
            "arm": np.repeat(["new", "old"], 20),
            "example": [*range(20)] * 2,
            "label": 1,
            "prediction": [1] * 30 + [0] * 10,
        }
    )
    words = words_of(render_report(pb.judge(frame).outcome, "html"))
    assert "Contrast Verdict Difference, points Ahead in" in words
    assert "Small dots" not in words
    assert "What these predictions say" in words
    assert "one run" not in words, "the mark is drawn with its interval"


@pytest.mark.parametrize(
    "scope", ["on new data", "on new data and new training sets", "on new data with these training sets"]
)
def test_an_arm_called_new_is_not_meant_by_new_data(scope: str) -> None:
    text = join(emphasized(f"new is better than old {scope}: new is newer.", ("new", "old"))).text
    assert text == f"<b>new</b> is better than <b>old</b> {scope}: <b>new</b> is newer."
