"""Standard streams that may be full, closed, an ended pipe, or in an encoding that lacks a character.

Stderr is best effort: what cannot be written there is lost, and the command goes on. Stdout holds the answer: where
that cannot be written, the command says so on stderr and exits with 1. Characters that an encoding lacks are written in
ASCII.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
import unicodedata
from typing import Final, final

from paribus.errors import ParibusError

ASCII: Final = "paribus-ascii"
"""The name of the handler for characters that an encoding lacks."""

_PLAIN: Final = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "x", "·": ".", "±": "+/-", "≥": ">=", "≤": "<=", "≈": "~",
    "≠": "!=", "→": "->", "←": "<-", "…": "...", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "•": "*", "†": "+",
    "√": "sqrt", "σ": "sigma", "α": "alpha", "Δ": "delta", "✓": "ok", "✗": "x",
}  # fmt: skip


@final
class _BestEffort(io.RawIOBase):
    """Writes to a descriptor what can be written there; the rest is lost."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, content: object) -> int:
        """Write all of it, or lose what is left."""
        left = memoryview(content)  # type: ignore[arg-type]  # RawIOBase declares a narrower type than its callers pass
        size = left.nbytes
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            pass
        return size


def prepare_streams() -> None:
    """Make this process's own streams what the module says; streams that somebody has put in their place stay."""
    codecs.register_error(ASCII, _in_ascii)
    _occupy_closed()
    if sys.stderr is sys.__stderr__:
        old = sys.stderr
        encoding = "utf-8" if old is None else old.encoding
        raw = _BestEffort(2)
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=encoding, errors=ASCII, line_buffering=True, write_through=True
        )
    if sys.stdout is sys.__stdout__:
        if sys.stdout is None:
            sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors=ASCII)
        else:
            sys.stdout.reconfigure(errors=ASCII)


def write_stdout(text: str) -> None:
    """Write text to stdout, to its end.

    Args:
        text: the text.

    Raises:
        BrokenPipeError: its reader has closed it.
        ParibusError: it cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
        raise
    except (OSError, ValueError) as error:
        abandon_stdout()
        raise unwritable(error) from error


def unwritable(error: OSError | ValueError) -> ParibusError:
    """The error for an answer that cannot be written to stdout."""
    number = error.errno if isinstance(error, OSError) else None
    reason = error.strerror if isinstance(error, OSError) and number != errno.EBADF else "it is closed"
    remedy = "free some space" if number == errno.ENOSPC else "send it somewhere else"
    return ParibusError(
        f"the answer cannot be written to stdout: {reason}; {remedy} and repeat the command: stored runs stay"
    )


def abandon_stdout() -> None:
    """Have nothing more written to stdout: Python would try again at its end, and fail again."""
    with contextlib.suppress(OSError, ValueError):  # a stream of somebody else's has no descriptor
        if sys.stdout.fileno() != 1:
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.close(nothing)


def _occupy_closed() -> None:
    """Take the numbers of closed streams: the next file opened would get one, and be written to by whoever prints."""
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            # Read-only for stdout: what is written there must fail. The lowest free number is this one.
            os.open(os.devnull, flags)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_plain, text)), error.end


def _plain(character: str) -> str:
    """A character in ASCII: one that looks alike, its letter without accents, a line of a box, or its number."""
    if character in _PLAIN:
        return _PLAIN[character]
    if "\u2500" <= character <= "\u257f":
        name = unicodedata.name(character)
        return "-" if "HORIZONTAL" in name and "VERTICAL" not in name else "|" if "VERTICAL" in name else "+"
    if "\u2580" <= character <= "\u259f":
        return "#"
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return letters or character.encode("ascii", "backslashreplace").decode("ascii")
