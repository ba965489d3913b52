"""Programs that several workers need at one moment are compiled by one of them, which hands them to the others.

Workers that begin with the same arm need the same programs. Each program has a lock, a file that the kernel locks and
unlocks with the process that holds it. A worker that finds a program being compiled goes on with the next one, and
comes back to wait. Workers of one command have the same code and the same data: what one has compiled the others read
from the locked file, without tracing it themselves. Other processes read it from the cache of compiled programs, which
they have to lower it for. It decides speed, never results: no bit depends on whether a program was compiled or read,
and where nothing can be locked each worker compiles by itself. See ``docs/decisions/0113-one-worker-compiles.md`` and
``docs/decisions/0149-programs-are-handed-on.md``.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from paribus.engine.compilation_cache import own_folder

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds to wait for another process; one that was stopped, or crawls, is not waited for any longer."""

_INTERVAL = 0.02

_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Packing(Generic[T]):
    """How a compiled program becomes bytes, and is a program again in another worker.

    Attributes:
        pack: returns None where a program cannot be handed on.
        unpack: the reverse.
    """

    pack: Callable[[T], bytes | None]
    unpack: Callable[[bytes], T]


def compile_once(
    programs: Mapping[str, Callable[[], Callable[[], T]]], identity: str, packing: Packing[T] | None = None
) -> dict[str, T]:
    """Compile programs, each in one process at a time.

    Args:
        programs: by name, in the order in which one process alone compiles them; each is lowered by being
            called, and returns what compiles it.
        identity: says of what they are the programs: processes with an equal one share them.
        packing: how workers of one command hand them on; None where they do not.

    Returns:
        What was compiled or read, by name, in the order of ``programs``.

    Raises:
        Exception: whatever lowering or compiling raises; the lock is released.
    """
    compiled: dict[str, T] = {}
    with contextlib.ExitStack() as waiting:
        left: dict[str, _Turn] = {}
        for name, lower in programs.items():
            turn = _Turn(name, identity)
            if turn.ours:
                with turn:
                    compiled[name] = lower()()
                    if packing is not None:
                        turn.hand_on(packing.pack(compiled[name]))
            else:
                left[name] = waiting.enter_context(turn)
        for name, turn in left.items():
            compile_lowered = None
            if packing is None or not turn.is_siblings:
                # To know the program in the cache by: meanwhile the other one compiles it.
                compile_lowered = programs[name]()
            turn.wait(PATIENCE)
            with turn:
                packed = turn.handed_on()
                if packing is not None and packed is not None:
                    compiled[name] = packing.unpack(packed)
                else:
                    compiled[name] = (compile_lowered or programs[name]())()
    return {name: compiled[name] for name in programs}


class _Turn:
    """The right to compile a program, or to read what the process that had it has compiled.

    The file begins with the process whose workers may read what follows; the digest of that, and that itself, are
    written once it is compiled. It is removed then: only who has it open can read it.

    Attributes:
        ours: whether this process has the right.
        is_siblings: whether a worker of the same command has it.
    """

    def __init__(self, name: str, identity: str) -> None:
        self.ours = True
        self.is_siblings = False
        self._descriptor: int | None = None
        self._command = f"{platform.node()} {os.getppid()}\n".encode()
        folder = own_folder()
        if folder is None:
            return
        digest = hashlib.sha256(f"{folder.name} {name} {identity}".encode()).hexdigest()
        self._path = folder.with_name("compiling") / digest
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.ours = self._locked()
            if self.ours:
                os.ftruncate(self._descriptor, 0)  # of a process that was killed
                os.write(self._descriptor, self._command)
            else:
                self.is_siblings = os.pread(self._descriptor, len(self._command), 0) == self._command

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if self.ours:  # who opened this file before has the program in the cache, and who opens it later too
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        os.close(descriptor)

    def hand_on(self, packed: bytes | None) -> None:
        """Write a compiled program for the workers of the same command that wait for it."""
        if packed is None or self._descriptor is None:
            return
        left = memoryview(hashlib.sha256(packed).digest() + packed)
        with contextlib.suppress(OSError):  # a full disk: what is not whole is not read
            while left:
                left = left[os.write(self._descriptor, left) :]

    def wait(self, patience: float) -> None:
        """Wait for the right, at most so many seconds."""
        end = time.monotonic() + patience
        while self._descriptor is not None and not self.ours and time.monotonic() < end:
            time.sleep(_INTERVAL)
            self.ours = self._locked()

    def handed_on(self) -> bytes | None:
        """What a worker of the same command has written; None where there is nothing, or it is not whole."""
        if not self.ours or not self.is_siblings or self._descriptor is None:
            return None
        os.lseek(self._descriptor, len(self._command), os.SEEK_SET)
        with contextlib.suppress(OSError), open(self._descriptor, "rb", closefd=False) as file:
            digest, packed = file.read(_DIGEST), file.read()
            if digest == hashlib.sha256(packed).digest():
                return packed
        return None

    def _locked(self) -> bool:
        """Whether the file is this process's now, or cannot be locked."""
        assert self._descriptor is not None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True
