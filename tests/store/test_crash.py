"""Killed at every moment, and on media that fail: whole or not at all, and nothing left lying about."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from paribus.errors import StoreError
from paribus.store.doctor import examine, repair
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore
from paribus.store.survey import Problem
from store_crashes import Child, Model, Step, first_and_last, model_after, quick_place, temporaries
from store_examples import fingerprint, holds, run

NUMBERS = range(10)
STEPS: list[Step] = [
    ("open",),
    ("record", 1, "finished", 0),
    ("record", 2, "diverged", 0),
    ("record", 2, "diverged", 1),
    ("record", 3, "failed", 0),
    ("record", 3, "finished", 1),
    ("record", 1, "finished", 7),
    ("recipe", "key", 3),
    ("study", "s", [1, 2]),
    ("study", "s", [3]),
]
REPAIRING = {Point.BEFORE_MOVE, Point.AFTER_MOVE, Point.BEFORE_REPLACE, Point.AFTER_REPLACE}
CLEANING = {Point.BEFORE_CLEAN, Point.AFTER_CLEAN}


@pytest.fixture
def place() -> Iterator[Path]:
    with quick_place() as folder:
        yield folder


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as started:
        yield started


def check_whole_or_not(folder: Path, done: int, *, cut: bool = True) -> None:
    """The store holds what the first ``done`` steps left, or (if it was cut off) the next step too, whole."""
    states = [model_after(STEPS[:done])] + ([model_after(STEPS[: done + 1])] if cut else [])
    with SqliteStore.open(folder) as reader:
        assert any(state.is_in(reader, NUMBERS) for state in states)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.proof)])
def test_killed_at_every_point(child: Child, place: Path, whole: bool) -> None:
    points = child.ask(place / "whole", STEPS).points
    assert set(points) == set(Point) - REPAIRING - CLEANING
    for index in range(len(points)) if whole else first_and_last(points):
        folder, point = place / str(index), points[index]
        killed = child.ask(folder, STEPS, kill_at=index)
        assert killed.signal == signal.SIGKILL, point
        check_whole_or_not(folder, len(killed.done))
        SqliteStore.open(folder, "write").close()
        assert temporaries(folder) == [], point
        check_whole_or_not(folder, len(killed.done))
        # What was cut off is done again, to the same end.
        again = child.ask(folder, STEPS[len(killed.done) :])
        assert again.error is None
        check_whole_or_not(folder, len(STEPS), cut=False)
        assert examine(folder) == [], point
        shutil.rmtree(folder)


@pytest.mark.parametrize("kills", [40, pytest.param(300, marks=pytest.mark.proof)])
def test_killed_at_any_moment(child: Child, place: Path, kills: int) -> None:
    """Points are between system calls, and ours: this one also hits SQLite in the middle of its commits."""
    random, folder, model = Random(6), place / "runs", Model()
    killed = 0
    for version in range(kills):
        steps: list[Step] = [("record", number, "diverged", version) for number in random.sample(NUMBERS, 8)]
        steps += [("study", "s", [version]), ("recipe", "key", version)]
        cut = child.ask(folder, steps, alarm=random.uniform(0.0005, 0.03))
        killed += cut.signal == signal.SIGALRM
        for step in steps[: len(cut.done)]:
            model = model.after(step)
        further = model.after(steps[len(cut.done)]) if len(cut.done) < len(steps) else model
        with SqliteStore.open(folder) as reader:
            if not model.is_in(reader, NUMBERS):
                assert further.is_in(reader, NUMBERS)
                model = further
    assert killed > kills / 4
    SqliteStore.open(folder, "write").close()
    assert temporaries(folder) == []
    assert {finding.problem for finding in examine(folder)} <= {Problem.ORPHAN}


def test_killed_while_removing_temporary_files(child: Child, place: Path) -> None:
    points = child.ask(place / "whole", STEPS).points
    half = points.index(Point.HALF_WRITTEN)
    for order in range(2):
        folder = place / str(order)
        child.ask(folder, STEPS, kill_at=half)
        assert len(temporaries(folder)) == 1
        cleaning = child.ask(folder, STEPS, kill_at=2 + order)
        assert cleaning.points[-1] in CLEANING
        SqliteStore.open(folder, "write").close()
        assert temporaries(folder) == []


FAILING = [
    Point.BEFORE_WRITE,
    Point.HALF_WRITTEN,
    Point.BEFORE_SYNC,
    Point.BEFORE_RENAME,
    Point.BEFORE_FOLDER_SYNC,
    Point.BEFORE_INSERT,
    Point.BEFORE_COMMIT,
]


FAILURES = [(errno.ENOSPC, "free some space"), (errno.EIO, "check the disk"), (errno.EROFS, "make it writable")]


@pytest.mark.parametrize(("code", "mend"), FAILURES, ids=["full", "broken", "read-only"])
@pytest.mark.parametrize("point", FAILING)
def test_a_medium_that_fails(place: Path, point: Point, code: int, mend: str) -> None:
    failing = False

    def at(reached: str) -> None:
        if failing and reached == point:
            raise OSError(code, os.strerror(code))

    with SqliteStore.open(place, "write", at) as store:
        store.record(run(1, "diverged"))
        failing = True
        for result in (run(1, "finished"), run(2)):
            words = f"run {result.fingerprint[:12]} was not recorded: {os.strerror(code)}; {mend}"
            with pytest.raises(StoreError, match=re.escape(words)):
                store.record(result)
        failing = False
        assert holds(store, run(1, "diverged"))
        assert store.runs([fingerprint(2)]) == {}
        assert temporaries(place) == []
        store.record(run(2))
        assert holds(store, run(2))
    assert examine(place) == []


def test_a_replaced_file_that_cannot_be_removed_is_left_to_the_doctor(place: Path) -> None:
    def at(reached: str) -> None:
        if reached == Point.BEFORE_REMOVE:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with SqliteStore.open(place, "write", at) as store:
        store.record(run(1, "diverged"))
        store.record(run(1, "finished", version=1))
        assert holds(store, run(1, "finished", version=1))
    assert {finding.problem for finding in examine(place)} == {Problem.ORPHAN}
    repair(place)
    with SqliteStore.open(place) as store:
        assert holds(store, run(1, "finished", version=1))


@pytest.mark.parametrize("point", [Point.BEFORE_LOCK, Point.AFTER_LOCK, Point.BEFORE_MIGRATION_COMMIT])
def test_a_medium_that_fails_on_opening(place: Path, point: Point) -> None:
    def at(reached: str) -> None:
        if reached == point:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match="cannot be opened for writing: No space left"):
        SqliteStore.open(place, "write", at)
    with SqliteStore.open(place, "write") as store:  # the lock was given back
        store.record(run(1))


@pytest.mark.parametrize(
    ("prepared", "lost"),
    [
        (0, "the store cannot be opened for writing"),
        (3, "run 000000020000 was not recorded"),
        (7, "run 000000040000 was not recorded"),
        (8, "an arm's canonical form was not stored"),
    ],
)
def test_files_that_may_not_grow(child: Child, place: Path, prepared: int, lost: str) -> None:
    """A limit on file sizes makes write() fail in earnest: in every artifact, in the journal and in the database."""
    steps: list[Step] = [*STEPS[:7], ("record", 4, "finished", 0, 10_000), *STEPS[7:]]
    failed = Counter[str]()
    for limit in [0, 1, 100, 250, 300, 350, 511, 513, 3000, 9000, 15_000, 30_000, 50_000, 70_000]:
        folder = place / str(limit)
        child.ask(folder, steps[:prepared])
        starved = child.ask(folder, steps[prepared:], file_limit=limit)
        if len(starved.done) == len(steps[prepared:]):
            break
        assert starved.error == "StoreError"
        assert starved.message is not None
        failed[starved.message.split(": ")[1]] += 1
        # Where the database may not be written, its journal cannot be played back, and waits for the next writer.
        assert {path.name for path in temporaries(folder)} <= {"paribus.sqlite-journal"}
        done = prepared + len(starved.done)
        states = [model_after(steps[:done]), model_after(steps[: done + 1])]
        with SqliteStore.open(folder) as reader:
            assert any(state.is_in(reader, NUMBERS) for state in states)
        assert child.ask(folder, steps[done:]).error is None
        with SqliteStore.open(folder) as reader:
            assert model_after(steps).is_in(reader, NUMBERS)
        assert examine(folder) == []
        assert temporaries(folder) == []
        shutil.rmtree(folder)
    assert failed[lost] > 0, failed
