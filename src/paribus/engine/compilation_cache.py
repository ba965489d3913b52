"""Damaged entries of JAX's compilation cache are removed, so that their programs are cached again.

JAX writes an entry of its cache in place and never replaces one that is there. A process that is killed while it writes
leaves an entry that cannot be read, and every later process would compile that program again: JAX only warns.
"""

from __future__ import annotations

import contextlib
import os
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

from paribus.engine.environment import cache_folder

_UNREADABLE = re.compile(r"Error reading persistent compilation cache entry for '([^']*)'")


@contextlib.contextmanager
def damage_removed() -> Iterator[None]:
    """Where JAX says inside this block that it cannot read a cached program, remove the damaged entry.

    Only in our own folder: what is in a user's own ``JAX_COMPILATION_CACHE_DIR`` is the user's. Warnings of anything
    else are passed on.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=_UNREADABLE.pattern)
        yield
    unreadable = set()
    for warning in caught:
        if match := _UNREADABLE.match(str(warning.message)):
            unreadable.add(match[1])
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    for name in unreadable:
        _remove_damaged(name)


def own_folder() -> Path | None:
    """Where this process has its compiled programs cached, if the folder is ours and not a user's."""
    folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR", ""))
    return folder if folder.parent == cache_folder() else None


def _remove_damaged(program: str) -> None:
    """Remove a program's entries that are no whole zlib stream; one in another compression is compiled once more."""
    folder = own_folder()
    if folder is None:
        return
    for path in folder.glob(f"{program}-*-cache"):
        with contextlib.suppress(OSError):
            if not _whole(path.read_bytes()):
                path.unlink(missing_ok=True)


def _whole(content: bytes) -> bool:
    try:
        zlib.decompress(content)
    except zlib.error:
        return False
    return True
