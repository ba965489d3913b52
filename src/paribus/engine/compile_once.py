"""Programs that several workers need at one moment are compiled by one of them; the others read them from the cache.

Workers that begin with the same arm need the same programs. Each program has a lock, which the kernel keeps and drops
with the process that holds it. A worker that finds a program being compiled goes on with the next one, and comes back
to wait. It decides speed, never results: no bit depends on whether a program was compiled or read, and where nothing
can be locked each worker compiles by itself. See ``docs/decisions/0113-one-worker-compiles.md``.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from paribus.engine.compilation_cache import own_folder

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds to wait for another process; one that was stopped, or crawls, is not waited for any longer."""

_INTERVAL = 0.02


def compile_once(programs: Mapping[str, Callable[[], Callable[[], T]]], identity: str) -> dict[str, T]:
    """Compile programs, each in one process at a time.

    Args:
        programs: by name, in the order in which one process alone compiles them; each is lowered by being
            called, and returns what compiles it.
        identity: says of what they are the programs: processes with an equal one share them.

    Returns:
        What was compiled or read, by name, in the order of ``programs``.

    Raises:
        Exception: whatever lowering or compiling raises; the lock is released.
    """
    compiled: dict[str, T] = {}
    left: list[str] = []
    for name, lower in programs.items():
        with _turn(name, identity, patience=0.0) as ours:
            if ours:
                compiled[name] = lower()()
            else:
                left.append(name)
    for name in left:
        compile_lowered = programs[name]()  # to know the program in the cache by: meanwhile the other one compiles it
        with _turn(name, identity, patience=PATIENCE):
            compiled[name] = compile_lowered()
    return {name: compiled[name] for name in programs}


@contextlib.contextmanager
def _turn(name: str, identity: str, patience: float) -> Iterator[bool]:
    """The right to compile a program; False if another process has it for longer than ``patience`` seconds."""
    descriptor = path = None
    ours = True
    if (folder := own_folder()) is not None:
        path = folder.with_name("compiling") / hashlib.sha256(f"{folder.name} {name} {identity}".encode()).hexdigest()
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            ours = _locked(descriptor, patience)
    try:
        yield ours
    finally:
        if descriptor is not None and path is not None:
            if ours:  # who opened this file before has the program in the cache, and who opens it later too
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            os.close(descriptor)


def _locked(descriptor: int, patience: float) -> bool:
    """Whether a file could be locked in time.

    Raises:
        OSError: this file system cannot lock.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_INTERVAL)
        else:
            return True
