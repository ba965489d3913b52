"""Where the doctor puts what is broken. Nothing in it is ever replaced or removed, but for a copy that was cut off."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from paribus.store.durable import make_folder, remove_temporary, sync_folder, write_synced
from paribus.store.points import Hook, Point
from paribus.store.regular import is_folder

QUARANTINE_NAME: Final = "quarantine"
_UNFINISHED: Final = ".paribus-copy.tmp"


@final
class Quarantine:
    """The quarantine of one store, for the holder of its lock."""

    def __init__(self, folder: Path, at: Hook) -> None:
        self._folder = folder / QUARANTINE_NAME
        self._at = at

    def copy(self, name: str, content: bytes) -> Path:
        """Keep a copy, whole or not at all. One that a killed repair made already is used, and not made twice."""
        make_folder(self._folder, self._at)
        for path in self._copies(name):
            if _holds(path, content):
                # It may have its name and not be durable: its maker was killed before that.
                sync_folder(self._folder)
                return path
        unfinished, path = self._folder / _UNFINISHED, self._free(name)
        write_synced(unfinished, content, self._at)
        self._at(Point.BEFORE_RENAME)
        unfinished.replace(path)
        self._at(Point.AFTER_RENAME)
        sync_folder(self._folder)
        return path

    def move(self, path: Path) -> None:
        """Move a file here."""
        make_folder(self._folder, self._at)
        self._at(Point.BEFORE_MOVE)
        path.rename(self._free(path.name))
        self._at(Point.AFTER_MOVE)
        sync_folder(self._folder)
        sync_folder(path.parent)

    def clean(self) -> None:
        """Remove the beginning of a copy whose maker was killed."""
        if is_folder(self._folder):
            remove_temporary(self._folder / _UNFINISHED)

    def _free(self, name: str) -> Path:
        """A name that is not taken."""
        *_, last = self._names(name)
        return last

    def _copies(self, name: str) -> Iterator[Path]:
        """What has this name here, and the numbered ones after it."""
        *taken, _ = self._names(name)
        yield from taken

    def _names(self, name: str) -> Iterator[Path]:
        """The names in their order, up to the first that is not taken."""
        path, number = self._folder / name, 0
        while os.path.lexists(path):
            yield path
            number += 1
            path = self._folder / f"{name}.{number}"
        yield path


def _holds(path: Path, content: bytes) -> bool:
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_size == len(content) and path.read_bytes() == content
