"""Whether the kernel killed a worker because memory ran out: read from the kernel's own counters, where there are any.

A SIGKILL by itself says nothing: a user's ``kill -9`` looks the same. The kernel counts what it kills when memory
runs out before it sends the signal, so that the count has risen when the death is seen. The control group's count is
read first (``memory.events`` of version 2, ``memory.oom_control`` of version 1: only processes of this group and
those below), then the machine's (``/proc/vmstat``). See "memory.events" in
https://docs.kernel.org/admin-guide/cgroup-v2.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import final


def kernel_kills(root: Path = Path("/")) -> int | None:
    """How many processes the kernel has killed so far because memory ran out; None where that cannot be read.

    Args:
        root: the root of the file system, another one in tests.
    """
    for path in _counters(root):
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            continue
        for line in lines:
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.isdigit():
                return int(count)
    return None


def _counters(root: Path) -> Iterator[Path]:
    """Files that may hold the count, the most telling first."""
    for group in _groups(root):
        number, controllers, path = group
        if "memory" in controllers.split(","):
            place, name = root / "sys/fs/cgroup/memory", "memory.oom_control"
        elif number == "0":
            place, name = root / "sys/fs/cgroup", "memory.events"
        else:
            continue
        # In a container the path may be the host's, and the group itself what is mounted.
        yield from (place / path.lstrip("/") / name, place / name)
    yield root / "proc/vmstat"


def _groups(root: Path) -> list[tuple[str, str, str]]:
    """This process's control groups: number of the hierarchy, its controllers, the group's path."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    parts = [line.split(":", 2) for line in lines]
    # Where version 1 counts memory, version 2 does not, whatever else is mounted: those with a name come first.
    return sorted(((n, c, p) for n, c, p in (part for part in parts if len(part) == 3)), key=lambda group: not group[1])


@final
class OomKills:
    """Which deaths of workers the kernel's count explains; each of its kills explains one."""

    def __init__(self, count: Callable[[], int | None] = kernel_kills) -> None:
        """``count`` is how many processes the kernel has killed until now, or None."""
        self._count = count
        self._explained = 0

    def unexplained(self) -> int | None:
        """How many of the kernel's kills so far were no death of a worker. To be called when a job begins."""
        count = self._count()
        return None if count is None else count - self._explained

    def explain(self, before: int | None) -> bool | None:
        """Whether the kernel has killed one more since ``before`` was read; None if that cannot be known.

        Args:
            before: what :meth:`unexplained` returned when the job began.
        """
        now = self.unexplained()
        if before is None or now is None:
            return None
        risen = now > before
        self._explained += risen
        return risen
