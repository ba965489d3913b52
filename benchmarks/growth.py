"""How cost grows with the number of runs: `python -m benchmarks.growth` trains `digits` for one epoch, 9 to 999 runs.

Each size is one ``paribus run`` into a fresh store, with the programs cached by a run before. The overhead of a run is
the wall time of one more run times the workers, less the seconds that the engine itself spent on it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.arithmetic import Line, overhead_per_run

ARMS = 3
SEEDS = (3, 10, 33, 100, 333)


@dataclass(frozen=True, slots=True)
class Size:
    """One ``paribus run``."""

    runs: int
    wall_seconds: float
    engine_seconds: float
    driver_mib: float
    worker_mib: float
    store_mib: float


def measure(seeds: int, workers: int, folder: Path) -> Size:
    store = folder / f"store-{seeds}-{time.monotonic_ns()}"
    options = ["--seeds", str(seeds), "--epochs", "1", "--workers", str(workers), "--store", str(store), "--json"]
    command = [sys.executable, "-m", "paribus", "run", "digits", *options]
    environment = dict(os.environ, PARIBUS_CACHE=str(folder / "cache"))
    with (folder / "answer.json").open("w+") as answer, (folder / "log").open("w") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=answer, stderr=log)
        seen: dict[int, float] = {}
        while process.poll() is None:
            seen |= machine.peaks(process.pid)
            time.sleep(0.05)
        wall = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(f"paribus run failed:\n{(folder / 'log').read_text()[-2000:]}")
        answer.seek(0)
        runs = [run for arm in json.load(answer)["arms"] for run in arm["runs"]]
    driver = seen.pop(process.pid)
    return Size(
        runs=len(runs),
        wall_seconds=wall,
        engine_seconds=sum(run["seconds"] for run in runs),
        driver_mib=driver,
        worker_mib=max(seen.values(), default=0.0),
        store_mib=sum(file.stat().st_size for file in store.rglob("*") if file.is_file()) / 2**20,
    )


def summary(sizes: list[Size], workers: int) -> dict[str, float]:
    """Wall time as a line over the runs, and what a run costs beside its training."""
    line = Line.through([size.runs for size in sizes], [size.wall_seconds for size in sizes])
    engine = sum(size.engine_seconds for size in sizes) / sum(size.runs for size in sizes)
    return {
        "start_seconds": line.intercept,
        "wall_ms_per_run": 1000 * line.slope,
        "engine_ms_per_run": 1000 * engine,
        "overhead_ms_per_run": 1000 * overhead_per_run(line.slope, workers, engine),
        "largest_distance_from_line": line.residual,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help=f"seeds an arm; there are {ARMS} arms")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(1, options.workers, Path(name))
        sizes = [measure(seeds, options.workers, Path(name)) for seeds in options.seeds]
    totals = summary(sizes, options.workers)
    print(f"{'runs':>6} {'wall s':>8} {'engine s':>9} {'driver MiB':>11} {'worker MiB':>11} {'store MiB':>10}")
    for size in sizes:
        print(
            f"{size.runs:6} {size.wall_seconds:8.2f} {size.engine_seconds:9.2f} {size.driver_mib:11.0f} "
            f"{size.worker_mib:11.0f} {size.store_mib:10.2f}"
        )
    print("\n".join(f"{key}: {value:.3g}" for key, value in totals.items()))
    result = {"machine": machine.describe(), "workers": options.workers, "sizes": [*map(asdict, sizes)], **totals}
    if options.output is not None:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
