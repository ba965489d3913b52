"""Pseudo-terminals for tests. Where none may be opened (a chroot without /dev/pts), a test says so or does without."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios

import pytest


def open_terminal(columns: int = 80) -> tuple[int, int]:
    """Both ends of a pseudo-terminal of that width: ours, and the program's.

    Raises:
        OSError: none may be opened here.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return ours, theirs


def need_terminal(columns: int = 80) -> tuple[int, int]:
    """As :func:`open_terminal`, for tests of what only a terminal shows; skips where none may be opened."""
    try:
        return open_terminal(columns)
    except OSError as error:
        pytest.skip(f"no pseudo-terminal may be opened here (is /dev/pts mounted?): {error}")


def read_terminal(ours: int) -> bytes:
    """Everything that a program writes to its terminal, until it has ended; closes our end."""
    blocks = []
    try:
        while block := os.read(ours, 65536):
            blocks.append(block)
    except OSError:
        pass  # the way in which a terminal on Linux says that everybody has left
    os.close(ours)
    return b"".join(blocks)
