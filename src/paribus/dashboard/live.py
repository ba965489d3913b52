"""Reads the live log of a store while another process writes it."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any, Final

from paribus.display.live_log import MAX_BYTES, NAME
from paribus.errors import StoreError
from paribus.store.regular import open_regular

EVENTS: Final = frozenset({"planned", "started", "epoch", "ended", "interrupted", "over"})
"""The events of a log; a line that is none of them is left out."""

HEAD: Final = 128
"""Bytes at the beginning of a log by which it is known again."""

MAX_LINE: Final = 1 << 16
"""Bytes of the longest line that is read."""


class LiveReader:
    """The events of a store's live log, read on as it grows.

    Args:
        folder: the store's folder.

    Attributes:
        generation: grows when another process has begun a log of its own: all events before are of an earlier one.
        is_running: whether a process still writes, when the log was last read.
        events: the events of the present log. Their values may be anything: a store may be a stranger's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._head = b""
        self._rest = b""
        self.generation = 0
        self.events: list[dict[str, Any]] = []
        self.is_running = False
        self._lock = threading.Lock()

    def read(self) -> tuple[int, list[dict[str, Any]]]:
        """Read what was added. Threads may share a reader.

        Returns:
            The generation and its events, of one moment; only added to as long as the generation stays.
        """
        with self._lock:
            self._read()
            return self.generation, self.events

    def _read(self) -> None:
        try:
            descriptor = open_regular(self._path, os.O_RDONLY)
        except (OSError, StoreError):
            self._begin(None)
            self.is_running = False
            return
        try:
            status = os.fstat(descriptor)
            identity = (status.st_dev, status.st_ino)
            # A new file may have the inode of the one before: its first line, which has the time, differs.
            head = os.pread(descriptor, HEAD, 0)
            if identity != self._identity or status.st_size < self._offset or not head.startswith(self._head):
                self._begin(identity)
            self._head = head
            self.is_running = _is_locked(descriptor)
            length = min(status.st_size, MAX_BYTES) - self._offset
            if length > 0:
                added = os.pread(descriptor, length, self._offset)
                self._offset += len(added)
                self._add(added)
        finally:
            os.close(descriptor)

    def _begin(self, identity: tuple[int, int] | None) -> None:
        if identity == self._identity and not self.events and not self._offset:
            return
        self._identity, self._offset, self._head, self._rest = identity, 0, b"", b""
        self.events = []
        self.generation += 1

    def _add(self, content: bytes) -> None:
        *lines, rest = (self._rest + content).split(b"\n")
        self._rest = rest if len(rest) <= MAX_LINE else b""
        for line in lines:
            try:
                event = json.loads(line) if len(line) <= MAX_LINE else None
            except (ValueError, RecursionError):
                continue  # cut off, or a stranger's
            if isinstance(event, dict) and event.get("event") in EVENTS:
                self.events.append(event)


def _is_locked(descriptor: int) -> bool:
    """Whether another process holds the lock of the log."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
