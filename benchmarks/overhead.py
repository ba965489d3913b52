"""What is not training, and what a second worker brings: `python -m benchmarks.overhead`.

For each arm of ``mnist-mlps``: the wall time of ``paribus run`` with one seed and one epoch, from process start to the
printed answer, less the engine's own seconds of training and evaluation; cold (nothing compiled before) and warm
(programs kept from the command before). And the throughput of two workers against one, epochs of two seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.arithmetic import Spread
from benchmarks.peers.contenders import cost_of_paribus
from paribus import study_files

ROOT = Path(__file__).parent.parent


def overhead(arm: str, cache: Path, folder: Path) -> float:
    """Wall seconds of one run beside its training."""
    options = ["--arm", arm, "--seeds", "1", "--epochs", "1", "--store", str(folder / f"store-{time.monotonic_ns()}")]
    environment = dict(os.environ, PARIBUS_CACHE=str(cache))
    started = time.perf_counter()
    line = [sys.executable, "-m", "paribus", "run", "mnist-mlps", *options, "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    ((run,),) = (found["runs"] for found in json.loads(done.stdout)["arms"])
    return wall - float(run["seconds"])


def epoch_seconds(arm: str, workers: int, epochs: int, cache: Path, folder: Path) -> float:
    """Seconds of the machine for one epoch of one run, two seeds being trained by so many workers."""
    script = ROOT / "benchmarks" / "peers" / "paribus_study.py"
    line = [sys.executable, str(script), "--arm", arm, "--seeds", str(workers), "--workers", str(workers)]
    line += ["--epochs", str(epochs), "--started", str(time.time())]
    line += ["--store", str(folder / f"store-{time.monotonic_ns()}")]
    environment = dict(os.environ, PARIBUS_CACHE=str(cache), PYTHONPATH=str(ROOT))
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return cost_of_paribus(said, said["wall"]).epoch


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--arms", nargs="+", default=[*study_files.load("mnist-mlps").arms])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="of which the first is not timed (4)")
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    asked = parser.parse_args()
    found = []
    print(f"{'arm':13} {'cold s':>7} {'warm s':>7} {'two workers against one':>24}")
    for arm in asked.arms:
        cold, warm, gain = [], [], []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(asked.rounds):
                cache = folder / f"cache-{number}"
                cold.append(overhead(arm, cache, folder))
                warm.append(overhead(arm, cache, folder))
                one, two = (epoch_seconds(arm, workers, asked.epochs, cache, folder) for workers in (1, 2))
                gain.append(one / two)
        found.append({"arm": arm, "cold": cold, "warm": warm, "two_workers": gain})
        spread = Spread.of(gain)
        print(
            f"{arm:13} {statistics.median(cold):7.1f} {statistics.median(warm):7.1f} "
            f"{spread.median:9.2f} ({spread.low:.2f}-{spread.high:.2f})",
            flush=True,
        )
    if asked.output is not None:
        result = {"machine": machine.describe(), "arms": found}
        asked.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
