"""What is not training, and what a second worker brings: `python -m benchmarks.overhead`.

For each arm of ``mnist-mlps``: the wall time of ``paribus run`` with one seed and one epoch, from process start to the
printed answer, less the engine's own seconds of training and evaluation; cold (nothing compiled before) and warm
(programs cached by the command before). The same for all arms in one command on one worker, shared out among them. And
the throughput of two workers against one, epochs of two seeds.
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
from benchmarks.arithmetic import Spread
from benchmarks.peers.contenders import cost_of_paribus
from paribus.study.load import load_study

ROOT = Path(__file__).parent.parent


def overhead(arms: Sequence[str], cache: Path, folder: Path) -> float:
    """Wall seconds an arm beside its training, one run of each, one after the other."""
    selection = [word for arm in arms for word in ("--arm", arm)]
    store = folder / f"store-{time.monotonic_ns()}"
    options = ["--seeds", "1", "--epochs", "1", "--workers", "1", "--store", str(store)]
    environment = dict(os.environ, PARIBUS_CACHE=str(cache))
    started = time.perf_counter()
    line = [sys.executable, "-m", "paribus", "run", "mnist-mlps", *selection, *options, "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    runs = [run for arm in json.loads(done.stdout)["arms"] for run in arm["runs"]]
    return (wall - sum(float(run["seconds"]) for run in runs)) / len(runs)


def epoch_seconds(arm: str, workers: int, epochs: int, cache: Path, folder: Path) -> float:
    """Seconds of the machine for one epoch of one run, two seeds being trained by so many workers."""
    script = ROOT / "benchmarks" / "peers" / "paribus_study.py"
    line = [sys.executable, str(script), "--arm", arm, "--seeds", str(workers), "--workers", str(workers)]
    line += ["--epochs", str(epochs), "--started", str(time.time())]
    line += ["--store", str(folder / f"store-{time.monotonic_ns()}")]
    environment = dict(os.environ, PARIBUS_CACHE=str(cache), PYTHONPATH=str(ROOT))
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    line_of_study: dict[str, Any] = json.loads(done.stdout)
    return cost_of_paribus(line_of_study, line_of_study["wall"]).epoch


def spread(values: Sequence[float]) -> str:
    """Median, and the least and the most."""
    of_values = Spread.of(list(values))
    return f"{of_values.median:5.2f} ({of_values.low:.2f}-{of_values.high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--arms", nargs="+", default=[*load_study("mnist-mlps").arms])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="of which the first is not timed (4)")
    parser.add_argument("--start-only", action="store_true", help="leave two workers against one out")
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    rows = []
    print(f"{'seconds an arm':15} {'cold':>19} {'warm':>19} {'two workers against one':>24}")
    for arms in (*([arm] for arm in options.arms), options.arms):
        cold, warm, gain = [], [], []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(options.rounds):
                cache = folder / f"cache-{number}"
                cold.append(overhead(arms, cache, folder))
                warm.append(overhead(arms, cache, folder))
                if len(arms) == 1 and not options.start_only:
                    one, two = (epoch_seconds(arms[0], workers, options.epochs, cache, folder) for workers in (1, 2))
                    gain.append(one / two)
        rows.append({"arms": arms, "cold": cold, "warm": warm, "two_workers": gain})
        label = arms[0] if len(arms) == 1 else f"{len(arms)} in a command"
        print(f"{label:15} {spread(cold):>19} {spread(warm):>19} {spread(gain) if gain else '':>24}", flush=True)
    if options.output is not None:
        result = {"machine": machine.describe(), "arms": rows}
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
