"""What this process knows of data files already, so that gigabytes are not checked and hashed several times a command.

Files are known by name, inode, size and time of change (in nanoseconds), taken before they are opened. Nothing of it
outlives the process: the next command reads the content again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Stamp = tuple[str, int, int, int]

_FINGERPRINTS: dict[tuple[Stamp, ...], str] = {}
_CHECKED: set[tuple[Stamp, ...]] = set()


def stamps(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    """What distinguishes these files, as they are now, from others and from later versions of themselves.

    Args:
        paths: the files.

    Returns:
        For each its path, inode, size and time of change in nanoseconds.

    Raises:
        OSError: one is not there.
    """
    states = ((path, path.stat()) for path in paths)
    return tuple((str(path.resolve()), at.st_ino, at.st_size, at.st_mtime_ns) for path, at in states)


def fingerprint(files: tuple[Stamp, ...]) -> str | None:
    """The fingerprint of the data in these files, if it is known; of data without files (``()``) it never is."""
    return _FINGERPRINTS.get(files)


def learn_fingerprint(files: tuple[Stamp, ...], digest: str) -> None:
    """Remember that the data in these files has this fingerprint."""
    if files:
        _FINGERPRINTS[files] = digest


def files_of(fingerprint: str) -> tuple[Stamp, ...]:
    """The files that were last seen to hold the data of this fingerprint; () where none are known."""
    return next((files for files, digest in reversed(_FINGERPRINTS.items()) if digest == fingerprint), ())


def is_checked(files: tuple[Stamp, ...]) -> bool:
    """Whether every value in these files is known to be one that can be trained on."""
    return files in _CHECKED


def learn_checked(files: tuple[Stamp, ...]) -> None:
    """Remember that every value in these files can be trained on."""
    if files:
        _CHECKED.add(files)
