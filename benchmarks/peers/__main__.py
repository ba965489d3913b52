"""Measure, resume, report: `python -m benchmarks.peers` (see `benchmarks/README.md`).

Every measurement is one or two processes and one line in the log; what is in the log already is not measured again. In
each round all contenders train an arm one after the other, every round beginning with another one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.machine import Busy
from benchmarks.peers.contenders import (
    CONTENDERS,
    STUDY,
    Contender,
    Cost,
    cost_of_paribus,
    cost_of_peer,
    processor_seconds,
)
from benchmarks.peers.report import Measured, report
from paribus import data
from paribus.study.load import load_study

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RESULTS = ROOT / "benchmarks" / "results"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
LONGER = {"simple": 3}
"""Its epochs are a fraction of a second: so many times as many are trained."""

DISTURBED = 0.05
"""A measurement during which other programs took more of the machine is taken again, and does not count."""


def prepare(folder: Path) -> tuple[str, ...]:
    """Write the arms and their data where every peer can read them; the names of the arms."""
    document = load_study(STUDY)
    mnist = data.load(document.data.spec())
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(folder / "data.npz", **{name: getattr(mnist, name) for name in names})
    for name, arm in document.arms.items():
        (folder / name).mkdir()
        (folder / name / "data.npz").symlink_to(folder / "data.npz")
        content = {"layers": arm.layers, "optimizer": arm.optimizer, "batch_size": document.protocol.batch_size}
        (folder / name / "arm.json").write_text(json.dumps(content), encoding="utf-8")
    return tuple(document.arms)


def environment(contender: Contender, folder: Path) -> dict[str, str]:
    """Without the shell's settings of threads and kernels; single-threaded where two processes run at once."""
    unwanted = (*THREADS, "OPENBLAS_CORETYPE", "XLA_FLAGS")
    variables = {key: value for key, value in os.environ.items() if key not in unwanted}
    variables |= contender.environment | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(HERE)}
    if contender.script.startswith("paribus"):
        return variables | {"PARIBUS_CACHE": str(folder / f"cache-{time.monotonic_ns()}"), "PYTHONPATH": str(ROOT)}
    if contender.processes > 1:
        variables |= dict.fromkeys(THREADS, "1") | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    return variables


def command(contender: Contender, arm: str, epochs: int, folder: Path, peers: Path) -> list[str]:
    script = str(HERE / contender.script)
    if contender.script.startswith("paribus"):
        store = str(folder / f"store-{time.monotonic_ns()}")
        line = [sys.executable, script, "--arm", arm, "--epochs", str(epochs), "--store", store]
        study = folder / arm / "study.toml"
        line += ["--study", str(study)] if study.exists() else []
        return [*line, "--precision", contender.variant] if contender.variant else line
    threads = str(1 if contender.processes > 1 else len(os.sched_getaffinity(0)))
    line = [str(peers / "bin" / "python"), script, "--data", str(folder / arm), "--epochs", str(epochs)]
    return [*line, "--threads", threads, *(["--variant", contender.variant] if contender.variant else [])]


def measure(contender: Contender, arm: str, epochs: int, folder: Path, peers: Path, limit: float) -> dict[str, Any]:
    """Run it; the line for the log. A contender that fails or takes too long has its reason instead of a cost."""
    cores = sorted(os.sched_getaffinity(0))
    before, started = Busy.now(), time.perf_counter()
    processes = []
    for number in range(contender.processes):
        pinned = ["taskset", "-c", str(cores[number])] if contender.processes > 1 else []
        line = [*pinned, *command(contender, arm, epochs, folder, peers), "--started", str(time.time())]
        environ = environment(contender, folder)
        processes.append(subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    outputs, errors = [], []
    for process in processes:
        try:
            out, err = process.communicate(timeout=max(1.0, limit - (time.perf_counter() - started)))
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f"\nnot done within {limit:.0f} s"
        outputs.append(out.strip().splitlines()[-1:] if process.returncode == 0 else [])
        errors.append(err)
    wall = time.perf_counter() - started
    foreign = Busy.now().foreign_since(before, wall)
    entry: dict[str, Any] = {
        "contender": contender.name,
        "arm": arm,
        "epochs": epochs,
        "wall": wall,
        "foreign": foreign,
        "machine": machine.describe(),
    }
    if not all(outputs):
        reason = next(error for output, error in zip(outputs, errors, strict=True) if not output)
        return entry | {"failed": reason.strip().splitlines()[-1][-200:]}
    lines = [json.loads(output[0]) for output in outputs]
    ours = contender.script.startswith("paribus")
    cost: Cost = cost_of_paribus(lines[0], wall) if ours else cost_of_peer(lines, wall)
    if (processor := processor_seconds(lines)) is not None:
        entry["processor_seconds"] = processor
    return entry | {"epoch_seconds": cost.epoch, "whole_seconds": cost.whole, "lines": lines}


def logged(log: Path, disturbed: float = DISTURBED) -> list[dict[str, Any]]:
    """What was measured while other programs took no more of the machine than this share."""
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    return [entry for entry in entries if entry.get("foreign", 0.0) <= disturbed]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-peers", help="the peers' environment (make peers)")
    parser.add_argument("--arms", nargs="+", help="only these")
    parser.add_argument("--peers", nargs="+", choices=[c.name for c in CONTENDERS], help="only these contenders")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="one to compile, the others timed (3)")
    parser.add_argument("--log", type=Path, default=RESULTS / "peers.jsonl", help="measurements, one a line; resumed")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="begin no measurement after so many seconds"
    )
    parser.add_argument("--limit", type=float, default=240.0, help="seconds that one measurement may take")
    parser.add_argument("--report", action="store_true", help="measure nothing, only report what is in the log")
    options = parser.parse_args()
    began = time.monotonic()
    done = {(entry["round"], entry["contender"], entry["arm"]) for entry in logged(options.log)}
    with tempfile.TemporaryDirectory() as name:
        arms = options.arms or prepare(Path(name))
        if options.arms:
            prepare(Path(name))
        contenders = [c for c in CONTENDERS if options.peers is None or c.name in options.peers]
        pending = [
            (number, contender, arm)
            for number in range(options.rounds)
            for arm in arms
            for contender in (*contenders[number % len(contenders) :], *contenders[: number % len(contenders)])
            if contender.expresses(arm) and (number, contender.name, arm) not in done
        ]
        for number, contender, arm in () if options.report else pending:
            if time.monotonic() - began > options.seconds:
                break
            epochs = options.epochs * LONGER.get(arm, 1)
            entry = {"round": number} | measure(contender, arm, epochs, Path(name), options.venv, options.limit)
            with options.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
            summary = (
                entry.get("failed") or f"{entry['epoch_seconds']:.3f} s an epoch, {entry['whole_seconds']:.1f} s whole"
            )
            if entry["foreign"] > DISTURBED:
                summary += f"; other programs took {entry['foreign']:.0%} of the machine: to be measured again"
            print(f"round {number} {arm:13} {contender.name:21} {summary}", file=sys.stderr, flush=True)
    entries = [entry for entry in logged(options.log) if "failed" not in entry]
    measured = [
        Measured(entry["round"], entry["contender"], entry["arm"], entry["epoch_seconds"], entry["whole_seconds"])
        for entry in entries
    ]
    on = machine.measured_on(entries, options.log.with_suffix(".json"))
    print(report(measured, options.log.with_suffix(""), options.venv, on))


if __name__ == "__main__":
    main()
