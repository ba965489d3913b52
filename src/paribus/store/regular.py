"""Nothing in a store is opened through a link, or unless it is a regular file.

A store may be a stranger's: a lock file that is a link to somebody's thesis must not be emptied, and a pipe in the
place of the database must not be waited for. The store's own folder may be a link: its user names that one.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from paribus.errors import StoreError

_KINDS: Final = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_FILES: Final = ("paribus.sqlite", "paribus.sqlite-journal", "paribus.sqlite-wal", "paribus.sqlite-shm", "writer.lock")
_FOLDERS: Final = ("artifacts", "quarantine")


class NotRegularError(StoreError):
    """Something in a store is a link, a pipe, a device, or a folder where a file should be."""


def check_kinds(folder: Path) -> None:
    """Look at everything that a store opens by a fixed name, before any of it is opened.

    Raises:
        NotRegularError: one of them is neither absent nor what it should be.
        OSError: it cannot be looked at.
    """
    for name in _FILES:
        _check(folder / name, stat.S_IFREG)
    for name in _FOLDERS:
        _check(folder / name, stat.S_IFDIR)


def check_folder(folder: Path) -> None:
    """Check that there is a folder of that name, or nothing.

    Raises:
        NotRegularError: there is something else.
    """
    _check(folder, stat.S_IFDIR)


def is_folder(path: Path) -> bool:
    """Whether this is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def open_regular(path: Path, flags: int) -> int:
    """A descriptor of a regular file that is not a link; it is not inherited.

    Raises:
        NotRegularError: it is something else.
        OSError: it is not there, or cannot be opened.
    """
    # Looked at first: opening some devices does something, and without O_NONBLOCK a pipe is waited for.
    _check(path, stat.S_IFREG)
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(f"{path}: not a regular file any more")
    return descriptor


def _check(path: Path, kind: int) -> None:
    try:
        kind_there = stat.S_IFMT(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return
    if kind_there != kind:
        raise NotRegularError(
            f"{path}: {_KINDS.get(kind_there, 'something else')}, where a store has {_KINDS[kind]}: nothing in a store "
            "is opened through a link, or unless it is a regular file; move it away"
        )
