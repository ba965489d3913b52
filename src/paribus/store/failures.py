"""Failures of the medium in words: what was lost, where, why, and what to do about it."""

from __future__ import annotations

import errno
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paribus.errors import StoreError
from paribus.store.rows import BrokenRowError

_CHECK = "check the disk, then run the same command again: only what is missing is computed"
_REMEDIES = {
    errno.ENOSPC: "free some space, then run the same command again: only what is missing is computed",
    errno.EDQUOT: "free some space, then run the same command again: only what is missing is computed",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), then run the same command again",
    errno.EROFS: "make it writable, or choose another folder with --store",
    errno.EACCES: "make it writable, or choose another folder with --store",
    errno.EPERM: "make it writable, or choose another folder with --store",
}


@contextmanager
def explained(folder: Path, lost: str) -> Iterator[None]:
    """Turn failures of SQLite and of the file system into StoreError.

    Args:
        folder: the store.
        lost: what did not happen, such as "the store cannot be read".

    Raises:
        StoreError: in place of BrokenRowError, sqlite3.Error, OSError, and UnicodeEncodeError (SQLite stores UTF-8);
            also where no folder can have the name.
    """
    if "\0" in str(folder):
        raise StoreError(f"{folder}: no folder can have this name, which holds a byte 0; choose another with --store")
    try:
        with decodable():
            yield
    except BrokenRowError as error:
        raise StoreError(f"{folder}: {lost}: {error}; {doctor(folder)}") from error
    except sqlite3.Error as error:
        raise StoreError(
            f"{folder}: {lost}: SQLite says '{error}' ({_name(error)}); {_remedy(folder, error)}"
        ) from error
    except UnicodeEncodeError as error:
        raise StoreError(f"{folder}: {lost}: {error.object!r} is not valid Unicode; rename it") from error
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, _CHECK)
        where = f" ({error.filename})" if error.filename else ""
        raise StoreError(f"{folder}: {lost}: {error.strerror or error}{where}; {remedy}") from error


@contextmanager
def decodable() -> Iterator[None]:
    """Name a text that is no UTF-8, which Python's module reports without a code.

    Raises:
        BrokenRowError: there is one.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        raise BrokenRowError("a text in the database is not UTF-8") from error


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the database itself is at fault, and not the moment: no permission, no space, somebody's lock."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)


def doctor(folder: Path) -> str:
    """The remedy for what only ``paribus doctor`` can repair, as the end of a message."""
    return f"repair the store with `paribus doctor --repair --store {shlex.quote(str(folder))}`"


def _name(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def _remedy(folder: Path, error: sqlite3.Error) -> str:
    name = _name(error)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_CONSTRAINT")):
        return doctor(folder)
    if name.startswith("SQLITE_FULL"):
        return _REMEDIES[errno.ENOSPC]
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return _REMEDIES[errno.EACCES]
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program keeps the database open; close it and try again"
    return _CHECK
