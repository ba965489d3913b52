"""Between looks the dashboard shows no test measure of a later run, and no verdict."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dashboard_server import document, fill
from paribus.dashboard import pages
from paribus.dashboard.later import ready
from paribus.dashboard.moments import Progress, find_moments
from paribus.dashboard.studies import Studies
from paribus.study.document import StudyDocument

PAIR = [{"a": "large-dropout", "b": "large"}]


def study(looks: tuple[int, ...], **changes: Any) -> StudyDocument:
    return document(contrasts=PAIR, comparison={"looks": list(looks)} if looks else {}, **changes)


@pytest.mark.parametrize(
    ("looks", "complete", "requested", "seeds"),
    [
        ((3, 5), (2, 4), 5, 0),
        ((3, 5), (3, 5), 5, 3),  # nothing of the two seeds that only one arm has
        ((3, 5), (4, 4), 5, 3),
        ((3, 5), (5, 5), 5, 5),
        ((), (4, 5), 5, 0),
        ((), (5, 5), 5, 5),
    ],
)
def test_an_arm_is_seen_up_to_its_last_moment(
    looks: tuple[int, ...], complete: tuple[int, int], requested: int, seeds: int
) -> None:
    progress = dict(zip(("large-dropout", "large"), (Progress(n, requested) for n in complete), strict=True))
    moments = find_moments(study(looks), progress)
    assert moments.seeds == {"large-dropout": seeds, "large": seeds}
    assert bool(moments.waiting) is (seeds < requested)


def test_an_arm_that_no_statement_names_is_seen_at_a_look_too() -> None:
    for complete, seeds in ((2, 0), (3, 3), (5, 3), (6, 6)):
        assert find_moments(study((3, 6)), {"small": Progress(complete, 6)}).seeds == {"small": seeds}


def test_without_looks_it_is_seen_when_it_is_whole() -> None:
    for complete, seeds in ((2, 0), (3, 3)):
        assert find_moments(study(()), {"small": Progress(complete, 3)}).seeds == {"small": seeds}


def test_a_secondary_statement_beside_primary_ones_is_judged_at_the_studys_own_seeds() -> None:
    contrasts = [*({**pair, "primary": True} for pair in PAIR), {"a": "large", "b": "small"}]
    grown = document(contrasts=contrasts, comparison={"looks": [3, 5]}, seeds=4)
    arms = {"large-dropout": Progress(3, 5), "large": Progress(3, 5), "small": Progress(3, 4)}
    assert find_moments(grown, arms).seeds == {"large-dropout": 3, "large": 3, "small": 0}
    arms = {"large-dropout": Progress(4, 5), "large": Progress(4, 5), "small": Progress(4, 4)}
    assert find_moments(grown, arms).seeds == {"large-dropout": 3, "large": 4, "small": 4}


def measures(text: str) -> set[str]:
    """The accuracies on a page: percentages with decimals."""
    return set(re.findall(r"\d+\.\d+(?:\N{NO-BREAK SPACE}| )?%?", re.sub(r"<[^>]*>", " ", text)))


def test_the_page_of_a_study_between_looks_is_that_of_the_last_look(tmp_path: Path) -> None:
    fill(tmp_path / "at", study((3, 6), seeds=3))
    fill(tmp_path / "between", study((3, 6), seeds=5))
    texts = []
    for folder in ("at", "between"):
        studies = Studies(tmp_path / folder)
        texts.append(
            pages.study_page(studies.progress("digits"), ready(studies.answer("digits")), "", is_running=False)
        )
    at, between = texts
    assert measures(at) == measures(between) != set()
    assert "the next planned look is at 6 seeds of every arm; 5 have ended" in between
    assert "Between looks this page shows no test measure" in between


def test_before_the_first_look_there_is_no_test_measure_at_all(tmp_path: Path) -> None:
    fill(tmp_path, study((3, 6), seeds=2))
    studies = Studies(tmp_path)
    answer = studies.answer("digits")
    text = pages.study_page(studies.progress("digits"), ready(answer), "", is_running=False)
    assert answer is not None
    assert not answer.outcome.contrasts
    assert measures(text) == set()
    assert "large-dropout against large" in text


def test_curves_hold_nothing_of_the_test_split(tmp_path: Path) -> None:
    fill(tmp_path, study((), seeds=1))
    curves = Studies(tmp_path).curves("digits")
    assert {key for arm in curves["arms"] for run in arm["runs"] for key in run} == {
        *("seed", "status", "reason", "seconds", "ended", "fit_loss", "fit_accuracy", "val_loss", "val_accuracy")
    }


def test_an_answer_is_computed_once_for_the_same_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, study((2, 4), seeds=2))
    studies = Studies(tmp_path)
    first = studies.answer("digits")
    second = studies.answer("digits")
    assert first is not None
    assert second is not None
    assert second.outcome is first.outcome
    fill(tmp_path, study((2, 4), seeds=4))
    third = studies.answer("digits")
    assert third is not None
    assert third.outcome is not first.outcome
