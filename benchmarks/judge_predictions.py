"""Time and memory of ``paribus judge``: `python -m benchmarks.judge_predictions -o benchmarks/results/judge.json`.

100,000 examples x 10 arms x 10 seeds: predicted classes of 10 classes as Parquet, CSV and npz, all 45 pairs of arms
judged; the same with ten columns of probabilities as Parquet; and a tenth of the examples with probabilities as CSV.
Wall seconds from process start to the printed answer, processor seconds, and the peak memory as the kernel counts it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine

ARMS, SEEDS, EXAMPLES, CLASSES = 10, 10, 100_000, 10


def predictions(examples: int, run: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels of all examples, and the answers of a run of which 5 to 8 % are wrong."""
    labels = np.random.default_rng(0).integers(0, CLASSES, examples, dtype=np.int32)
    generator = np.random.default_rng(run + 1)
    wrong = generator.random(examples) < 0.05 + 0.003 * (run // SEEDS)
    return labels, np.where(wrong, (labels + 1) % CLASSES, labels).astype(np.int32)


def columns(examples: int, run: int, *, probabilities: bool) -> dict[str, Any]:
    """The rows of one run."""
    labels, predicted = predictions(examples, run)
    rows: dict[str, Any] = {
        "arm": np.full(examples, f"arm-{run // SEEDS}"),
        "seed": np.full(examples, run % SEEDS, np.int64),
        "example": np.arange(examples, dtype=np.int64),
        "label": labels,
    }
    if not probabilities:
        return rows | {"prediction": predicted}
    matrix = np.random.default_rng(run).random((examples, CLASSES))
    matrix[np.arange(examples), predicted] += 3
    matrix /= matrix.sum(axis=1, keepdims=True)
    return rows | {f"p_{cls}": matrix[:, cls] for cls in range(CLASSES)}


def write(path: Path, examples: int, *, probabilities: bool) -> None:
    """Write all runs, one after the other."""
    import pyarrow
    from pyarrow import csv, parquet

    runs = range(ARMS * SEEDS)
    if path.suffix == ".npz":
        parts = [columns(examples, run, probabilities=probabilities) for run in runs]
        np.savez(path, **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
        return
    schema = pyarrow.table(columns(1, 0, probabilities=probabilities)).schema
    writer = (parquet.ParquetWriter if path.suffix == ".parquet" else csv.CSVWriter)(path, schema)
    with writer:
        for run in runs:
            writer.write_table(pyarrow.table(columns(examples, run, probabilities=probabilities), schema=schema))


def measure(path: Path) -> dict[str, float]:
    """Judge a file in a process of its own: wall and processor seconds, and peak memory in MiB."""
    line = [sys.executable, "-m", "paribus", "judge", str(path), "--json"]
    started = time.perf_counter()
    done = subprocess.run(line, capture_output=True, check=False, env=dict(os.environ))
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "wall_seconds": round(wall, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mebibytes": round(used.ru_maxrss / 1024),
        "contrasts": len(json.loads(done.stdout)["contrasts"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    parser.add_argument("-o", "--output", type=Path)
    chosen = parser.parse_args()
    cases = (
        ("classes.parquet", chosen.examples, False),
        ("classes.csv", chosen.examples, False),
        ("classes.npz", chosen.examples, False),
        ("probabilities.parquet", chosen.examples, True),
        ("probabilities.csv", chosen.examples // 10, True),
    )
    results: dict[str, Any] = {"machine": machine.describe(), "arms": ARMS, "seeds": SEEDS}
    # Each in a child of its own: the kernel keeps the largest memory of all children of a process.
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for name, examples, probabilities in cases:
            path = Path(folder) / name
            write(path, examples, probabilities=probabilities)
            with context.Pool(1) as pool:
                results[name] = {"examples": examples, **pool.apply(measure, (path,))}
            path.unlink()
            print(name, results[name], flush=True)
    if chosen.output is not None:
        chosen.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
