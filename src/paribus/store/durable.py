"""Files and folders that survive a power cut: what is fsynced, and in which order."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from typing import Final

from paribus.store.points import Hook, Point, nothing
from paribus.store.regular import check_folder, is_folder

_AT_ONCE: Final = 8
"""Files that are fsynced side by side: a file system writes its journal once for all that ask at the same time."""


def write_synced(path: Path, content: bytes, at: Hook = nothing) -> None:
    """Write a file and fsync it; its name is durable only after ``sync_folder``.

    Raises:
        OSError: the medium failed.
    """
    write_all_synced({path: content}, at)


def write_all_synced(contents: Mapping[Path, bytes], at: Hook = nothing) -> None:
    """Write files and fsync them together, which takes hardly longer than one; for a few hundred at most.

    Raises:
        OSError: the medium failed.
    """
    descriptors: list[int] = []
    try:
        for path, content in contents.items():
            at(Point.BEFORE_WRITE)
            try:
                descriptor = _open_new(path)
            except FileExistsError:
                remove_temporary(path)
                descriptor = _open_new(path)
            descriptors.append(descriptor)
            half = len(content) // 2
            _write_all(descriptor, memoryview(content)[:half])
            at(Point.HALF_WRITTEN)
            _write_all(descriptor, memoryview(content)[half:])
            at(Point.AFTER_WRITE)
        at(Point.BEFORE_SYNC)
        _sync_all(descriptors)
        at(Point.AFTER_SYNC)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def sync_folders(folders: Iterable[Path]) -> None:
    """Make the names in several folders durable, together."""
    descriptors: list[int] = []
    try:
        for folder in folders:
            descriptors.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))  # noqa: PERF401 - closed below
        _sync_all(descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _sync_all(descriptors: Sequence[int]) -> None:
    if len(descriptors) <= 1:
        for descriptor in descriptors:
            os.fsync(descriptor)
        return
    count = min(_AT_ONCE, len(descriptors))
    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(_sync, [descriptors[start::count] for start in range(count)]):
            pass


def _sync(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.fsync(descriptor)


def _open_new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def remove_temporary(path: Path) -> None:
    """Remove whatever has the name of a temporary file of ours: its beginning, a link, a pipe, or even a folder."""
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, at: Hook = nothing) -> None:
    """``mkdir -p``, durable."""
    missing = list(takewhile(lambda place: not place.exists(), (folder, *folder.parents)))
    for place in reversed(missing):
        at(Point.BEFORE_FOLDER)
        place.mkdir(exist_ok=True)
        at(Point.AFTER_FOLDER)
        sync_folder(place.parent)


def make_folder_inside(folder: Path, at: Hook = nothing) -> None:
    """``make_folder`` for a folder in a store, which is no link.

    Raises:
        NotRegularError: it is a link, or no folder.
    """
    check_folder(folder.parent)
    check_folder(folder)
    make_folder(folder, at)


def _write_all(descriptor: int, content: memoryview) -> None:
    """``os.write`` may write less than its argument, at most 2 GiB at a time."""
    while content:
        content = content[os.write(descriptor, content) :]
