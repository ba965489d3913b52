"""The command line, called in this process (quick) or as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from paribus.cli.app import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Said:
    """What the command says and exits with."""
    monkeypatch.setattr(sys, "argv", ["paribus", *map(str, arguments)])
    capsys.readouterr()
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        signal.signal(signal.SIGINT, before)  # what was interrupted no longer listens
    code = left.value.code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return Said(code if isinstance(code, int) else 0, out, err)


MARK = "PARIBUS_TEST_MARK"
"""A variable in the environment of a driver, and with that of everything that it starts."""


def alive(mark: str) -> list[int]:
    """The processes that a driver with this mark has started, and the driver itself."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:
            continue  # gone meanwhile, or somebody else's
    return found


def processor_seconds(pid: int) -> float:
    """What a process has used of a processor until now; 0 for one that is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def all_gone(mark: str) -> dict[int, float] | None:
    """What everything of this mark had used of a processor when it was last seen, once all of it has ended.

    What was told to end a moment ago is waited for; None if something stays.
    """
    used: dict[int, float] = {}
    for _ in range(400):
        left = alive(mark)
        if not left:
            return used
        used |= {pid: max(used.get(pid, 0.0), processor_seconds(pid)) for pid in left}
        time.sleep(0.025)
    return None


@contextmanager
def started(
    *arguments: object, environment: Mapping[str, str] = os.environ, **options: object
) -> Iterator[subprocess.Popen[str]]:
    """A driver in a process of its own; it is gone at the end, whatever happens."""
    command = [sys.executable, "-m", "paribus", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(environment),
        **options,  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
