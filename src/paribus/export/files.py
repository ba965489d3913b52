"""The folder of an export: every file in it is written whole or not at all; none is replaced unless asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paribus.errors import ParibusError, UsageError
from paribus.files import whole


def open_folder(folder: Path, names: Iterable[str], *, replace: bool) -> None:
    """Make the folder of an export, and refuse to replace a file in it unless ``replace`` says so.

    Args:
        folder: the folder; missing parents are made too.
        names: all files that will be written there.
        replace: whether existing files may be replaced.

    Raises:
        UsageError: one of the names is there already, or the folder cannot be made or written to.
    """
    existing = [name for name in names if os.path.lexists(folder / name)]
    if existing and not replace:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise UsageError(
            f"{folder}: {existing[0]}{more} {'are' if more else 'is'} there already; name another folder with -o, or "
            "replace them with --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UsageError(f"{folder}: this is a file; name a folder with -o") from error
    except (OSError, ValueError) as error:  # a byte 0 in its name, says Python
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{folder}: cannot be made: {reason}; name another folder with -o") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: cannot be written to; name another folder with -o")


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """A temporary path to write a file to; at the end it is flushed to disk and renamed to ``path``, or removed.

    Args:
        path: the file.

    Raises:
        ParibusError: it could not be written; an older file is untouched.
    """
    try:
        with whole.write_whole(path) as draft:
            yield draft
    except OSError as error:
        raise ParibusError(f"{path}: the file cannot be written: {error.strerror or error}") from error


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Args:
        path: the file.
        content: its bytes.

    Raises:
        ParibusError: as :func:`write_whole`.
    """
    with write_whole(path) as draft:
        draft.write_bytes(content)
