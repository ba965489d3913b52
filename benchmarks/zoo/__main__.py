"""Measure, resume, report: `python -m benchmarks.zoo` (see `benchmarks/README.md`).

As ``benchmarks.peers`` does: two runs of a network at once by paribus, a core each; a peer in one process on all cores,
or in two pinned to a core each. Every measurement is one line in the log, and what is in the log is not measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import machine
from benchmarks.peers.__main__ import DISTURBED, RESULTS, ROOT, logged, measure
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.zoo.figure import draw
from benchmarks.zoo.report import compared, report

NAMES = ("paribus", "keras-tensorflow", "keras-tensorflow-x2", "keras-jax", "keras-torch", "keras-torch-x2")
MEASURED = tuple(
    contender if contender.name == "paribus" else replace(contender, script="../zoo/keras_fit.py")
    for contender in CONTENDERS
    if contender.name in NAMES
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-peers", help="the peers' environment (make peers)")
    parser.add_argument("--networks", nargs="+", help="only these")
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=NAMES, help="only these contenders")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="one to compile, the others timed (3)")
    parser.add_argument("--log", type=Path, default=RESULTS / "zoo.jsonl", help="measurements, one a line; resumed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no measurement after so many")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds that one measurement may take")
    parser.add_argument(
        "--disturbed",
        type=float,
        default=DISTURBED,
        help=f"the share of the machine that others may take ({DISTURBED}); 1 on a shared machine, where only "
        "processor seconds say something",
    )
    parser.add_argument("--figure", type=Path, help="a PNG file for the picture of the ratios")
    parser.add_argument("--report", action="store_true", help="measure nothing, only report what is in the log")
    options = parser.parse_args()
    began = time.monotonic()
    done = {(entry["round"], entry["contender"], entry["arm"]) for entry in logged(options.log, options.disturbed)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not options.report:
            line = [sys.executable, "-m", "benchmarks.zoo.write", str(folder), *(options.networks or [])]
            subprocess.run(line, check=True, cwd=ROOT)
        contenders = [contender for contender in MEASURED if contender.name in options.peers]
        pending = [
            (number, contender, network)
            for number in range(options.rounds)
            for network in sorted(path.name for path in folder.iterdir())
            for contender in (*contenders[number % len(contenders) :], *contenders[: number % len(contenders)])
            if (number, contender.name, network) not in done
        ]
        for number, contender, network in pending:
            if time.monotonic() - began > options.seconds:
                break
            entry = {"round": number} | measure(contender, network, options.epochs, folder, options.venv, options.limit)
            with options.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
            result = entry.get("failed") or f"{entry['epoch_seconds']:.3f} s an epoch"
            line = f"round {number} {network:17} {contender.name:19} {result}; others {entry['foreign']:.0%}"
            print(line, file=sys.stderr, flush=True)
    measured = [entry for entry in logged(options.log, options.disturbed) if "failed" not in entry]
    results = options.log.with_suffix(".json")
    on = machine.measured_on(measured, results)
    print(report(measured, results, options.venv, on))
    rows = compared(measured, "epoch_seconds")
    if options.figure is not None and rows:
        draw(rows, on, options.figure)


if __name__ == "__main__":
    main()
