"""One writer a store: a lock that the kernel keeps, and drops with the process that holds it.

The lock is ``flock`` on ``writer.lock``. The file stays when the lock is gone, and its content (who holds the lock) is
only ever read to word a message; whether the store is held is asked of the kernel alone, so nothing can go stale.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from paribus.errors import StoreBusyError, StoreError
from paribus.store.regular import open_regular

LOCK_NAME = "writer.lock"
_HELD: weakref.WeakSet[WriterLock] = weakref.WeakSet()


@final
class WriterLock:
    """The right to write to a store, from construction until ``release`` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, or say who has it.

        Raises:
            NotRegularError: the lock file is a link, or no regular file.
            StoreBusyError: another process (or another store object of this one) holds it.
            StoreError: the lock file cannot be made or locked.
        """
        self.path = folder / LOCK_NAME
        try:
            # Not inherited over exec (PEP 446); _drop_in_child sees to fork, which shares the lock otherwise.
            self._descriptor: int | None = open_regular(self.path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot be written to ({error.strerror}); choose another with --store"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise StoreBusyError(
                    f"{folder}: {holder} is writing to this store, and a store has one writer; "
                    "wait until it is done, or choose another folder with --store"
                ) from None
            raise StoreError(
                f"{folder}: this file system cannot lock files ({error.strerror}); keep the store on a local disk"
            ) from error
        _HELD.add(self)
        # A file of two names may be somebody's: it is locked all the same, and not written to.
        self._mine = os.fstat(self._descriptor).st_nlink == 1
        if self._mine:
            self._say_who()

    @property
    def held(self) -> bool:
        """Whether this process still holds the lock; False in a process forked from the holder."""
        return self._descriptor is not None

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is None:
            return
        _HELD.discard(self)
        if self._mine:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def _say_who(self) -> None:
        assert self._descriptor is not None
        content = json.dumps({"pid": os.getpid(), "started": _process_start()}).encode()
        # Only words for a message: a disk too full for them must not keep a reader of finished runs out.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, content, 0)

    def _drop(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextlib.contextmanager
def no_writer(folder: Path) -> Iterator[bool]:
    """Keep writers out while somebody looks around who may not write himself; False if one is in already."""
    try:
        descriptor = open_regular(folder / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        yield True  # no process ever wrote here
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _drop_in_child() -> None:
    """After a fork the child closes its copy, or it would hold its dead parent's lock."""
    for lock in list(_HELD):
        lock._drop()
    _HELD.clear()


os.register_at_fork(after_in_child=_drop_in_child)


def _process_start() -> str:
    """When this process started, in UTC, as far as Linux tells; otherwise now."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        boot = next(
            int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if line[:6] == "btime "
        )
        moment = datetime.fromtimestamp(boot + ticks / os.sysconf("SC_CLK_TCK"), UTC)
    except (OSError, ValueError, IndexError, StopIteration):
        moment = datetime.now(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _holder(descriptor: int) -> str:
    """Who holds the lock, in words. The content can be of a dead holder for the moment before the new one writes."""
    try:
        content = json.loads(os.pread(descriptor, 1000, 0))
        pid, started = int(content["pid"]), str(content["started"])
        os.kill(pid, 0)
    except PermissionError:
        pass  # alive, and another user's
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
    return f"process {pid} (started {started})"
