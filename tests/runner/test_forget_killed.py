"""``paribus forget`` killed at every moment of its writing: the study is in one place or in both, whole."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from paribus.store.doctor import examine
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore
from paribus.store.survey import Problem
from paribus.study.load import load_study
from store_crashes import Child, quick_place, temporaries
from store_examples import DATA, arm, holds, judgement, run

OWN, SHARED = (1, 2), 0
"""Runs that ``digits`` alone has, and one that ``other`` has too."""
SAMPLE = (Point.HALF_WRITTEN, Point.AFTER_RENAME, Point.BEFORE_COMMIT, Point.AFTER_COMMIT, Point.AFTER_REMOVE)
"""Moments that the suite tries, each where it comes last; ``make proof`` tries all of them."""


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as started:
        yield started


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with quick_place() as folder:
        yield folder


def make_store(folder: Path) -> Path:
    document = load_study("digits").model_dump_json()
    with SqliteStore.open(folder, "write") as store:
        store.record(*map(run, (SHARED, *OWN)))
        store.save_study("digits", document, [arm("small", [SHARED, *OWN])], DATA, seeds=3)
        store.save_study("other", document.replace('"digits"', '"other"', 1), [arm("small", [SHARED])], DATA, seeds=1)
        store.record_judgements([judgement(1)])
    return folder


def has_study(folder: Path) -> bool:
    """Whether a store has the study and all of its runs, whole."""
    if not (folder / "paribus.sqlite").exists():
        return False
    with SqliteStore.open(folder) as store:
        return store.study("digits") is not None and all(holds(store, run(n)) for n in (SHARED, *OWN))


def aside(folder: Path) -> list[Path]:
    return sorted((folder / "forgotten").glob("*"))


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.proof)])
def test_killed_at_any_point_nothing_is_lost(child: Child, place: Path, whole: bool) -> None:
    before = make_store(place / "before")
    points = child.ask(shutil.copytree(before, place / "whole"), [("forget", "digits")]).points
    assert {Point.AFTER_INSERT, Point.AFTER_COMMIT, Point.AFTER_REMOVE, Point.AFTER_RENAME} <= set(points)
    assert not has_study(place / "whole")
    assert list(map(has_study, aside(place / "whole"))) == [True]
    places = {"in the store", "aside", "in both"}
    seen = set()
    last = {point: index for index, point in enumerate(points)}
    for index in range(len(points)) if whole else (points.index(SAMPLE[0]), *(last[point] for point in SAMPLE)):
        folder, point = shutil.copytree(before, place / str(index)), points[index]
        assert child.ask(folder, [("forget", "digits")], kill_at=index).signal == signal.SIGKILL, point
        in_store, in_aside = has_study(folder), any(map(has_study, aside(folder)))
        assert in_store or in_aside, f"{point}: a run was lost"
        seen.add("in both" if in_store and in_aside else "in the store" if in_store else "aside")
        with SqliteStore.open(folder) as store:
            assert store.study("other") is not None, point
            assert holds(store, run(SHARED)), point
            assert store.judgements([judgement(1).anchor]), point
        assert {finding.problem for finding in examine(folder)} <= {Problem.TEMPORARY, Problem.ORPHAN}, point
        if in_store:
            # What was cut off is done again, into a folder of its own where there is one already.
            assert child.ask(folder, [("forget", "digits")]).error is None, point
            assert not has_study(folder), point
            assert any(map(has_study, aside(folder))), point
        SqliteStore.open(folder, "write").close()
        assert temporaries(folder / "artifacts") == [], point
        shutil.rmtree(folder)
    assert seen == places
    for name in ("before", "whole"):
        shutil.rmtree(place / name)
