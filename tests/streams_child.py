"""A process that calls commands in forked children whose standard streams are full, closed, ended, ASCII or narrow.

Reads one order a line (JSON) from stdin and answers each with one line: the exit code, what was written to stdout and
to stderr. Forking spares every command the imports: a process of its own would take seconds.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import traceback
from typing import Any

from terminals import open_terminal, read_terminal

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

    # `verify` draws other runs every time: here the same ones, so that its answers can be compared.
    random.SystemRandom = lambda: random.Random(0)  # type: ignore[assignment, misc]
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
    main_end = terminal = -1
    narrow = NARROW in (order.get("stdout"), order.get("stderr"))
    if narrow:
        try:
            main_end, terminal = open_terminal(20)
        except OSError:  # a chroot without /dev/pts: as narrow, without a terminal
            order["environment"] = {**order.get("environment", {}), "COLUMNS": "20"}
    files = [open(f"{order['scratch']}/{name}", "w+b", buffering=0) for name in ("out", "err")]  # noqa: SIM115, PTH123
    targets = [
        terminal if terminal >= 0 and order.get(name) == NARROW else file.fileno()
        for name, file in zip(("stdout", "stderr"), files, strict=True)
    ]
    pid = os.fork()
    if pid == 0:
        os._exit(child(order, *targets))
    written = None
    if terminal >= 0:
        os.close(terminal)
        written = read_terminal(main_end)
    _, status = os.waitpid(pid, 0)
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read())
        file.close()
    if written is not None:
        texts[0 if order.get("stdout") == NARROW else 1] = written
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": texts[0].decode("utf-8", "replace"),
        "err": texts[1].decode("utf-8", "replace"),
    }


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    preload()
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), file=answers, flush=True)
