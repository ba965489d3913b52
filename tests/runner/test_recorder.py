"""Runs that end together are committed together, and shown only afterwards."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest

from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.errors import DataError
from paribus.records import Ended, Event, Job, RunResult
from paribus.runner import recorder
from paribus.runner.run import run_study
from paribus.store.memory import MemoryStore
from paribus.study.load import load_study
from paribus.study.overrides import override

DIGITS = override(load_study("digits"), seeds=4, epochs=1)


class Commits(MemoryStore):
    """Remembers which runs were committed together."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[list[str]] = []

    def record(self, *results: RunResult) -> None:
        super().record(*results)
        self.groups.append([result.fingerprint for result in results])

    @property
    def stored(self) -> set[str]:
        return {name for group in self.groups for name in group}


class Display(Silent):
    """Checks that what is shown as finished is stored."""

    def __init__(self, store: Commits) -> None:
        self.store, self.shown = store, list[str]()

    def show(self, event: Event) -> None:
        if isinstance(event, Ended):
            assert event.result.fingerprint in self.store.stored
            self.shown.append(event.result.fingerprint)


class Bursts(FakeBackend):
    """Says so many runs at once; after ``breaks_after`` of them it raises an error."""

    def __init__(self, size: int, breaks_after: int | None = None) -> None:
        super().__init__()
        self.size, self.breaks_after, self.ended = size, breaks_after, 0

    @property
    def has_more(self) -> bool:
        return self.ended % self.size != 0

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        for event in super().run(jobs):
            self.ended += isinstance(event, Ended)
            yield event
            if self.ended == self.breaks_after:
                raise DataError("the data has changed")


def groups(backend: FakeBackend) -> list[int]:
    with Commits() as store:
        display = Display(store)
        run_study(DIGITS, store, backend, display)
        assert sorted(display.shown) == sorted(store.stored)
        assert len(store.stored) == 12
        return [len(group) for group in store.groups]


def test_one_that_ends_alone_is_committed_at_once() -> None:
    assert groups(FakeBackend()) == [1] * 12


def test_those_that_end_together_are_committed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PATIENCE", 3600.0)
    assert groups(Bursts(5)) == [5, 5, 2]


@pytest.mark.parametrize(("name", "value"), [("MOST", 3), ("MOST_BYTES", 3 * 12), ("PATIENCE", 0.0)])
def test_a_group_has_a_limit(monkeypatch: pytest.MonkeyPatch, name: str, value: float) -> None:
    """Of runs, of bytes (a fake one has three weights of four), of time."""
    monkeypatch.setattr(recorder, "PATIENCE", 3600.0)
    monkeypatch.setattr(recorder, name, value)
    assert groups(Bursts(100)) == ([1] * 12 if name == "PATIENCE" else [3] * 4)


def test_an_error_in_between_loses_none_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PATIENCE", 3600.0)
    with Commits() as store:
        display = Display(store)
        with pytest.raises(DataError, match="the data has changed"):
            run_study(DIGITS, store, Bursts(100, breaks_after=7), display)
        assert [len(group) for group in store.groups] == [7]
        assert len(display.shown) == 7


def test_what_cannot_be_stored_is_raised_once() -> None:
    class Full(Commits):
        def record(self, *results: RunResult) -> None:
            self.groups.append([])
            raise OSError("no space")

    with Full() as store:
        with pytest.raises(OSError, match="no space"):
            run_study(DIGITS, store, Bursts(4), Silent())
        assert len(store.groups) == 1
