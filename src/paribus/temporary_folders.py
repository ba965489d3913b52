"""Folders that appear whole or not at all, and what is left of one whose maker was killed.

A folder is made under a temporary name beside its place, with a lock on it that the kernel drops with the process.
Whoever makes the next one removes those whose lock no process holds; no clock and no process id is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

PREFIX = ".paribus-spool-"


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """An empty folder inside ``parent``; what is left of it at the end is removed.

    Raises:
        OSError: it cannot be made.
    """
    remove_left(parent)
    folder, lock = _locked(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def make_lasting_folder() -> tuple[Path, Callable[[], None]]:
    """A folder among the system's temporary files, and what removes it.

    Where it is not removed, because its maker was killed, whoever makes the next one removes it.

    Raises:
        OSError: it cannot be made.
    """
    parent = Path(tempfile.gettempdir())
    remove_left(parent)
    folder, lock = _locked(parent)

    def remove() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)

    return folder, remove


def remove_left(parent: Path) -> None:
    """Remove the temporary folders of makers that are gone; of other users none."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody is at work in it, or removes it as well
            if folder.lstat().st_uid != os.getuid():
                continue
            lock = _lock(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(parent: Path) -> tuple[Path, int | None]:
    """A new folder and the lock on it; made again if somebody took it for a left one before it was locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError:
            return folder, None  # a file system without locks: no process takes it for an abandoned one either
        if folder.exists():
            return folder, lock
        os.close(lock)


def _lock(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
