"""The command line, called in this process (quick) or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

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
    with pytest.raises(SystemExit) as left:
        main()
    code = left.value.code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return Said(code if isinstance(code, int) else 0, out, err)


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
