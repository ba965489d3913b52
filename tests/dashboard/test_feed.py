"""Pages are told of the runs that have changed, and of all of them whenever they cannot know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard_server import document, fill
from paribus.dashboard.feed import Feed
from paribus.dashboard.later import FRESH, MOST, Later, Reply
from paribus.dashboard.studies import Studies
from paribus.errors import StoreError
from paribus.records import Status
from store_examples import arm, fingerprint, run

ARMS = (arm("a", [1, 2, 3]), arm("b", [3, 4]))


def told(answer: dict[str, object]) -> list[tuple[str, int]]:
    arms = answer["arms"]
    assert isinstance(arms, list)
    return [(item["name"], run["seed"]) for item in arms for run in item["runs"]]


def test_a_page_is_told_what_has_changed_since(tmp_path: Path) -> None:
    fill(tmp_path, document(seeds=2))
    studies = Studies(tmp_path)
    first = studies.curves("digits")
    assert first["whole"]
    assert len(told(first)) == 6
    assert told(studies.curves("digits", first["token"])) == []
    fill(tmp_path, document(seeds=3))
    second = studies.curves("digits", first["token"])
    assert not second["whole"]
    assert [seed for _, seed in told(second)] == [2, 2, 2]
    assert told(studies.curves("digits", second["token"])) == []
    assert len(told(studies.curves("digits", first["token"]))) == 3
    again = Studies(tmp_path).curves("digits", second["token"])
    assert again["whole"]
    assert len(told(again)) == 9


@pytest.mark.parametrize("token", ["", "x", "1.2.3", "..", "\u0663", "9" * 5000])
def test_a_token_that_is_none_is_answered_with_everything(tmp_path: Path, token: str) -> None:
    fill(tmp_path, document(seeds=1))
    studies = Studies(tmp_path)
    known = studies.curves("digits")["token"]
    for asked in (token, f"{known.rpartition('.')[0]}.{token}"):
        assert len(told(studies.curves("digits", asked))) == 3


@given(st.lists(st.sets(st.sampled_from([1, 2, 3, 4])), max_size=8), st.data())
def test_who_follows_knows_what_is_there(steps: list[set[int]], data: st.DataObject) -> None:
    """Whatever comes and goes, a page that asks now and then has the runs that are there with their newest results."""
    feed, token, known = Feed(), "", dict[tuple[str, str], object]()
    for number, there in enumerate(steps):
        runs = {fingerprint(n): replace(run(n), ended=float(data.draw(st.integers(0, 1)))) for n in there}
        feed = feed.notice(ARMS, runs)
        expected = {
            (of.name, place.fingerprint): runs[place.fingerprint].ended
            for of in ARMS
            for place in of.runs
            if place.fingerprint in runs
        }
        if number and data.draw(st.booleans()):
            continue  # this page did not ask
        changed = feed.since(token)
        known = {} if changed is None else known
        known |= {place: runs[place[1]].ended for place in (expected if changed is None else changed)}
        token = feed.token
        assert known == expected


def test_a_run_that_is_computed_again_is_told_again() -> None:
    failed = replace(run(1), status=Status.FAILED)
    feed = Feed().notice(ARMS, {fingerprint(1): failed})
    token = feed.token
    feed = feed.notice(ARMS, {fingerprint(1): run(1)})
    assert feed.since(token) == {("a", fingerprint(1))}


class State:
    """A store's version and a clock, turned by hand."""

    def __init__(self) -> None:
        self.version, self.time = "1", 0.0

    def later(self, patience: float) -> Later[Any]:
        return Later(lambda: self.version, patience, lambda: self.time)


def collect(later: Later[Any], make: Callable[[], Any]) -> Reply[Any]:
    while not (reply := later.ask("key", make)).is_ready:
        time.sleep(0.001)
    return reply


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.001)


def test_an_answer_that_takes_long_is_computed_once_for_all_who_ask() -> None:
    later, go, made = State().later(0.01), threading.Event(), []

    def make() -> str:
        made.append(1)
        go.wait()
        return "there"

    assert later.ask("key", make) == Reply(is_ready=False, is_current=False, value=None)
    assert not later.ask("key", make).is_ready
    go.set()
    assert collect(later, make) == Reply(is_ready=True, is_current=True, value="there")
    assert made == [1]
    assert collect(later, make).value == "there"
    assert made == [1, 1]


def test_an_answer_tells_that_the_store_has_changed_since_it_was_begun() -> None:
    state, go = State(), threading.Event()
    later = state.later(0)

    def make() -> str:
        go.wait()
        return state.version

    later.ask("key", make)
    state.version = "2"
    go.set()
    assert not collect(later, make).is_current
    assert collect(later, make) == Reply(is_ready=True, is_current=True, value="2")


def test_an_answer_that_nobody_fetched_is_not_the_answer_of_a_later_store() -> None:
    state = State()
    later, values = state.later(0), iter(range(100))
    later.ask("key", lambda: next(values))
    wait_until(lambda: "key" not in later._tasks or later._tasks["key"].ended is not None)
    state.version, state.time = "2", FRESH + 1
    assert collect(later, lambda: next(values)).value == 1


def test_answers_that_nobody_fetches_are_not_hoarded() -> None:
    later = State().later(0)
    for number in range(5 * MOST):
        later.ask(number, lambda: time.sleep(0.001))
        wait_until(lambda: all(task.ended is not None for task in later._tasks.values()))
    assert len(later._tasks) <= MOST


def test_an_answer_that_fails_is_asked_for_again() -> None:
    later = State().later(60)

    def fail() -> int:
        raise StoreError("broken")

    with pytest.raises(StoreError, match="broken"):
        later.ask("key", fail)
    assert later.ask("key", lambda: 3).value == 3
