"""A process that calls commands in forked children whose standard streams are full, closed, ended, ASCII or narrow.

Reads one order a line (JSON) from stdin and answers each with one line: the exit code, what was written to stdout and
to stderr. Forking spares every command the imports: a process of its own would take seconds.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import struct
import sys
import termios
import traceback
from pathlib import Path
from typing import Any

FULL, CLOSED, ENDED, ASCII, NARROW, PIPE = "full", "closed", "ended", "ascii", "narrow", "pipe"


def preload() -> None:
    """Import what the commands need, once."""
    import scipy.stats  # noqa: F401

    import paribus.cli.stored
    import paribus.report.html
    import paribus.report.terminal
    import paribus.results.stored_study
    import paribus.runner.run
    import paribus.store.doctor
    import paribus.store.sqlite  # noqa: F401


def stream(descriptor: int, kind: str, target: int) -> None:
    """Make a standard stream what Python would make of it at its start."""
    encoding = "ascii" if kind == ASCII else "utf-8"
    if kind == FULL:
        target = os.open("/dev/full", os.O_WRONLY)
    elif kind == ENDED:
        reading, target = os.pipe()
        os.close(reading)
    name = "stdout" if descriptor == 1 else "stderr"
    if kind == CLOSED:
        os.close(descriptor)
        made = None
    else:
        os.dup2(target, descriptor)
        made = io.TextIOWrapper(io.FileIO(descriptor, "w", closefd=False), encoding=encoding, write_through=True)
    setattr(sys, name, made)
    setattr(sys, f"__{name}__", made)


def child(order: dict[str, Any], out: int, err: int) -> int:
    stream(2, order.get("stderr", PIPE), err)
    stream(1, order.get("stdout", PIPE), out)
    os.environ.update(order.get("environment", {}))
    os.chdir(order["folder"])
    from paribus.cli.app import main

    sys.argv = ["paribus", *order["arguments"]]
    try:
        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    except BaseException:  # noqa: BLE001 - whatever it is is what the test looks for
        os.write(err, traceback.format_exc().encode())
        return 99
    try:
        # As Python does at its end.
        for each in (sys.stdout, sys.stderr):
            if each is not None:
                each.flush()
    except (OSError, ValueError):
        return 120
    return code


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    if NARROW in (order.get("stdout"), order.get("stderr")):
        main_end, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    else:
        main_end = terminal = -1
    files = [open(f"{order['scratch']}/{name}", "w+b", buffering=0) for name in ("out", "err")]  # noqa: SIM115, PTH123
    out = terminal if order.get("stdout") == NARROW else files[0].fileno()
    err = terminal if order.get("stderr") == NARROW else files[1].fileno()
    pid = os.fork()
    if pid == 0:
        os._exit(child(order, out, err))
    if terminal >= 0:
        os.close(terminal)
    said = b""
    while main_end >= 0:
        try:
            block = os.read(main_end, 65536)
        except OSError:
            break
        if not block:
            break
        said += block
    _, status = os.waitpid(pid, 0)
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read())
        file.close()
    if main_end >= 0:
        os.close(main_end)
        texts[0 if order.get("stdout") == NARROW else 1] = said
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": texts[0].decode("utf-8", "replace"),
        "err": texts[1].decode("utf-8", "replace"),
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    answers = os.fdopen(os.dup(1), "w")
    preload()
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), file=answers, flush=True)
