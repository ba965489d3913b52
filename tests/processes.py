"""Worker processes as the system sees them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

WORKER = b"paribus.backends.worker"
STUB = b"stub_worker"
BOUND = 30.0
"""Seconds after which something that should happen at once is taken not to happen."""


def workers_of(driver: int, module: bytes = WORKER) -> list[int]:
    """The process ids of a driver's workers that are alive."""
    return [pid for pid in _processes() if _parent(pid) == driver and module in _command(pid)]


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that still are the workers they were."""
    return [pid for pid in pids if WORKER in _command(pid)]


def gone(pids: list[int]) -> bool:
    """Whether all of them are gone, at once or soon."""
    end = time.monotonic() + BOUND
    while alive(pids) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pids)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _command(pid: int) -> bytes:
    """The command line; empty for a process that is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return -1


def own_workers(module: bytes = WORKER) -> list[int]:
    """The workers of this process."""
    return workers_of(os.getpid(), module)


def unmeasured() -> dict[str, str]:
    """This process's environment, without what starts coverage in a child: for long ones that pass no line alone."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}


def run_python(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter without anything that this process has set for JAX."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XLA_", "PJRT_", "KERAS_", "JAX_"))} | variables
    return subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, check=False)
