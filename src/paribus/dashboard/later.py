"""Answers that take seconds are computed beside the page that asked: it is sent without them, and asks again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PATIENCE: Final = 0.25
"""Seconds that a page waits for an answer before it is sent without."""


class Later(Generic[T]):
    """Computes one answer at a time, and the same one only once for all who ask meanwhile.

    Args:
        patience: seconds that ``ask`` waits.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._threads = ThreadPoolExecutor(1, "answers")
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[T]] = {}

    def ask(self, key: Hashable, make: Callable[[], T]) -> tuple[bool, T | None]:
        """The answer, if it is there in time.

        Args:
            key: what is asked for. While it is computed, whoever asks for the same waits for the same.
            make: computes it.

        Returns:
            Whether the answer is there, and the answer. The next question after that computes it again.

        Raises:
            Exception: what ``make`` raised.
        """
        with self._lock:
            if key not in self._under_way:
                self._under_way[key] = self._threads.submit(make)
            future = self._under_way[key]
        try:
            future.exception(self._patience)
        except NotYetError:
            return False, None
        with self._lock:
            if self._under_way.get(key) is future:
                del self._under_way[key]
        return True, future.result()
