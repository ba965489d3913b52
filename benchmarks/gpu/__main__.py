"""Throughput on one GPU against the number of lanes, and Keras ``fit`` there: `python -m benchmarks.gpu`.

Each measurement is a process of its own: ``paribus run`` of as many seeds as lanes on one worker, or one ``fit``. In
each round all train an arm one after the other, every round beginning with another one. The first epoch compiles and is
not timed. Keras on JAX keeps its own settings: TF32 products, kernels selected by timing, any order of operations.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.gpu.report import KERAS, Measured, lanes, rate_of_keras, rate_of_paribus, table
from benchmarks.peers.__main__ import HERE as PEERS
from benchmarks.peers.__main__ import ROOT, prepare
from paribus.machine import list_gpus

UNWANTED = ("XLA_FLAGS", "PARIBUS_LANES", "PARIBUS_WORKERS", "JAX_DEFAULT_MATMUL_PRECISION")
"""What somebody's shell may say about how to compute."""

NO_GPU = (
    "benchmarks.gpu: JAX sees no NVIDIA GPU here (a device, its plugin, and no JAX_PLATFORMS that says otherwise are "
    "needed); --cpu runs it small on the CPU, to see that it works"
)


def commands(arm: str, counts: Sequence[int], epochs: int, folder: Path) -> dict[str, list[str]]:
    """How each contender is started."""
    lines = {}
    for count in counts:
        store = str(folder / f"store-{time.monotonic_ns()}")
        line = [str(PEERS / "paribus_study.py"), "--arm", arm, "--store", store, "--workers", "1"]
        lines[lanes(count)] = [*line, "--seeds", str(count), "--lanes", str(count)]
    lines[KERAS] = [str(PEERS / "keras_fit.py"), "--data", str(folder / arm)]
    return {name: [sys.executable, *line, "--epochs", str(epochs)] for name, line in lines.items()}


def measure(name: str, command: list[str], environment: dict[str, str], limit: float) -> dict[str, Any]:
    """The JSON line that a process prints; or why there is none."""
    path = str(PEERS if name == KERAS else ROOT)
    try:
        done = subprocess.run(
            [*command, "--started", str(time.time())],
            env=environment | {"PYTHONPATH": path, "KERAS_BACKEND": "jax"},
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done within {limit:.0f} s"}
    if done.returncode:
        errors = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failed": errors[-1][-300:]}
    line: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return line


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="write the measurements as JSON")
    parser.add_argument("--arms", nargs="+", help="only these of mnist-mlps (all; with --cpu: simple)")
    parser.add_argument("--lanes", nargs="+", type=int, help="(1 2 4 8 16 32 64; with --cpu: 1 2)")
    parser.add_argument("--rounds", type=int, help="(3; with --cpu: 1)")
    parser.add_argument("--epochs", type=int, help="one to compile, the others timed (6; with --cpu: 2)")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that one measurement may take (600)")
    parser.add_argument("--cpu", action="store_true", help="on the CPU, to see that it works; the figures mean nothing")
    options = parser.parse_args()
    usual = (["simple"], [1, 2], 1, 2) if options.cpu else (None, [1, 2, 4, 8, 16, 32, 64], 3, 6)
    for name, value in zip(("arms", "lanes", "rounds", "epochs"), usual, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.epochs < 2:
        parser.error("--epochs: the first one is not timed; at least 2 are needed")
    return options


def main() -> None:
    options = arguments()
    gpus = () if options.cpu else list_gpus()
    if not options.cpu and not gpus:
        raise SystemExit(NO_GPU)
    environment = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    environment |= {"JAX_PLATFORMS": "cpu"} if options.cpu else {"CUDA_VISIBLE_DEVICES": gpus[0].name}
    measured: list[Measured] = []
    entries: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        known = prepare(Path(name))
        if unknown := set(options.arms or ()) - set(known):
            raise SystemExit(f"--arms {' '.join(sorted(unknown))}: mnist-mlps has {', '.join(known)}")
        for number in range(options.rounds):
            for arm in options.arms or known:
                started = list(commands(arm, options.lanes, options.epochs, Path(name)).items())
                first = number % len(started)
                for contender, command in (*started[first:], *started[:first]):
                    line = measure(contender, command, environment, options.limit)
                    entries.append({"round": number, "arm": arm, "contender": contender} | line)
                    if "failed" in line:
                        print(f"round {number} {arm:13} {contender:18} {line['failed']}", file=sys.stderr, flush=True)
                        continue
                    rate = rate_of_keras(line) if contender == KERAS else rate_of_paribus(line)
                    accuracy = line["test_accuracy"] if contender == KERAS else line["test_accuracies"][0]
                    measured.append(Measured(number, arm, contender, rate, accuracy))
                    print(f"round {number} {arm:13} {contender:18} {rate:.3f} /s", file=sys.stderr, flush=True)
    devices = sorted({entry["device"].split(",")[0] for entry in entries if "device" in entry})
    where = machine.describe()
    print(f"{machine.sentence(where)}; computed on {', '.join(devices) or 'nothing'}\n\n{table(measured)}")
    if options.output:
        content = {"machine": where, "devices": devices, "measurements": entries}
        options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
