"""Which core of a machine a worker has, where several drivers, or several nodes of a cluster, share the machine.

A cluster counts cores and does not say which. So whoever computes on a core holds a lock on a file of that core. The
system gives the lock up when its holder ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from paribus.errors import BackendError
from paribus.machine import Core

PAUSE: Final = 0.1
"""Seconds between two tries: a worker that was killed just now may still hold its core."""


@final
class CoreClaim:
    """One core, held until ``release`` or the end of this process."""

    def __init__(self, core: Core, descriptor: int) -> None:
        """Use ``claim_core``."""
        self.core = core
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the core up."""
        os.close(self._descriptor)


def claim_core(cores: Sequence[Core], patience: float = 10.0, folder: Path | None = None) -> CoreClaim:
    """Take the first core that no other process has claimed.

    Args:
        cores: those that this process may use.
        patience: seconds after which none will become free.
        folder: where the locks are; by default one of the user's in the system's folder for temporary files.

    Raises:
        BackendError: none has become free, or the folder cannot be written to.
    """
    folder = folder or Path(tempfile.gettempdir()) / f"paribus-cores-{os.getuid()}"
    end = time.monotonic() + patience
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        while True:
            for core in cores:
                descriptor = _lock(folder / str(core.number))
                if descriptor is not None:
                    return CoreClaim(core, descriptor)
            if time.monotonic() > end:
                break
            time.sleep(PAUSE)
    except OSError as error:
        raise BackendError(f"{folder}: the locks of the cores cannot be written: {error}") from error
    raise BackendError(
        f"all {len(cores)} cores are in use by workers of paribus: the cluster was started with more CPUs than there "
        "are; start its node with `ray start --num-cpus` and the number of cores"
    )


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
