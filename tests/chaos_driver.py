"""``paribus`` that kills itself at a named point of the store: ``chaos_driver.py POINT TIMES ARGUMENT...``."""

from __future__ import annotations

import os
import signal
import sys

from paribus.cli import main
from paribus.store import doctor
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore


def killer(point: Point, times: int) -> None:
    """From now on, the point is deadly when it is passed for the so-manyth time."""
    passed = 0

    def at(reached: str) -> None:
        nonlocal passed
        passed += reached == point
        if passed == times:
            os.kill(os.getpid(), signal.SIGKILL)

    opened = SqliteStore.open.__func__  # type: ignore[attr-defined]
    SqliteStore.open = classmethod(lambda cls, folder, mode="read": opened(cls, folder, mode, at))  # type: ignore[method-assign, assignment]
    repaired = doctor.repair
    doctor.repair = lambda folder: repaired(folder, at)


if __name__ == "__main__":
    name, count, *arguments = sys.argv[1:]
    killer(Point(name), int(count))
    sys.argv = ["paribus", *arguments]
    main()
