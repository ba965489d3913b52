"""Answers that take seconds are computed beside the page that asked: it is sent without them, and asks again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PATIENCE: Final = 0.25
"""Seconds that a page waits for an answer before it is sent without."""

FRESH: Final = 5.0
"""Seconds for which an answer that was not fetched yet is good although the store has changed since it was begun."""

MOST: Final = 16
"""Answers that wait to be fetched."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What is known of an answer.

    Attributes:
        is_ready: whether it has been computed.
        is_current: whether the store is as it was when its computation began.
        value: the answer; None where it is not ready.
    """

    is_ready: bool
    is_current: bool
    value: T | None


def ready(value: T) -> Reply[T]:
    """What took no time."""
    return Reply(is_ready=True, is_current=True, value=value)


@dataclass(slots=True)
class _Task(Generic[T]):
    """One computation: the version of the store when it began, its result, and when it ended."""

    version: str
    future: Future[T]
    ended: float | None = None


class Later(Generic[T]):
    """Computes one answer at a time, and the same one only once for all who ask meanwhile.

    Args:
        version: tells one state of the store from another.
        patience: seconds that ``ask`` waits.
        clock: seconds, from any beginning.
    """

    def __init__(
        self, version: Callable[[], str], patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._version = version
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._tasks: dict[Hashable, _Task[T]] = {}

    def ask(self, key: Hashable, make: Callable[[], T]) -> Reply[T]:
        """The answer, if it is there in time.

        Args:
            key: what is asked for. While it is computed, whoever asks for the same waits for the same.
            make: computes it.

        Returns:
            The answer. The next question after one that was ready computes it again.

        Raises:
            Exception: what ``make`` raised.
        """
        with self._lock:
            now = self._version()
            task = self._tasks.get(key)
            if task is None or (task.ended is not None and task.version != now and self._clock() - task.ended > FRESH):
                task = self._tasks[key] = self._start(now, make)
        try:
            task.future.exception(self._patience)
        except NotYetError:
            return Reply(is_ready=False, is_current=False, value=None)
        with self._lock:
            if self._tasks.get(key) is task:
                del self._tasks[key]
        return Reply(is_ready=True, is_current=task.version == self._version(), value=task.future.result())

    def _start(self, version: str, make: Callable[[], T]) -> _Task[T]:
        ended = [key for key, task in self._tasks.items() if task.ended is not None]
        for key in ended[: max(0, len(self._tasks) + 1 - MOST)]:
            del self._tasks[key]
        task = _Task[T](version, Future())

        def compute() -> None:
            with self._turn:
                try:
                    result = make()
                except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                    task.ended = self._clock()
                    task.future.set_exception(error)
                else:
                    task.ended = self._clock()
                    task.future.set_result(result)

        # The server does not wait for it when it stops.
        threading.Thread(target=compute, daemon=True, name="answer").start()
        return task
