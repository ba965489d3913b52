"""Whole wall time of the notebook's five networks, process start to final metrics: paribus, and Keras ``fit`` on JAX.

Everything runs one after the other on the same machine; run nothing else meanwhile. Prints the table and the JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - started, done.stdout


def accuracies(runs: list[dict[str, object]]) -> dict[str, float]:
    by_arm: dict[str, list[float]] = {}
    for run in runs:
        by_arm.setdefault(str(run["arm"]), []).append(float(str(run["test_accuracy"])))
    return {arm: round(statistics.fmean(values), 4) for arm, values in by_arm.items()}


def paribus(seeds: int, epochs: int, folder: Path, store: str) -> tuple[float, dict[str, float]]:
    environment = dict(os.environ, PARIBUS_CACHE=str(folder / "cache"))
    options = ["--seeds", str(seeds), "--epochs", str(epochs), "--store", str(folder / store), "--json"]
    seconds, text = timed([sys.executable, "-m", "paribus", "run", "mnist-mlps", *options], environment)
    runs = [{**run, "arm": arm["name"]} for arm in json.loads(text)["arms"] for run in arm["runs"]]
    return seconds, accuracies(runs)


def keras_fit(seeds: int, epochs: int) -> tuple[float, dict[str, float]]:
    command = [sys.executable, str(HERE / "keras_notebook.py"), "--seeds", str(seeds), "--epochs", str(epochs)]
    seconds, text = timed(command, dict(os.environ))
    return seconds, accuracies([json.loads(line) for line in text.splitlines()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold, ours = paribus(options.seeds, options.epochs, folder, "cold")
        theirs_seconds, theirs = keras_fit(options.seeds, options.epochs)
        warm, _ = paribus(options.seeds, options.epochs, folder, "warm")
    result = {
        "seeds": options.seeds,
        "epochs": options.epochs,
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.processor() or platform.machine(),
        "paribus_seconds": round(cold, 1),
        "paribus_kept_programs_seconds": round(warm, 1),
        "keras_fit_jax_seconds": round(theirs_seconds, 1),
        "ratio": round(theirs_seconds / cold, 2),
        "ratio_kept_programs": round(theirs_seconds / warm, 2),
        "paribus_test_accuracy": ours,
        "keras_test_accuracy": theirs,
    }
    print(f"paribus          {cold:8.1f} s   (programs cached: {warm:.1f} s)")
    print(f"Keras fit on JAX {theirs_seconds:8.1f} s   {result['ratio']} times as long")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
