"""Training on a data set larger than a process may hold: what every process holds at most, and what streaming costs.

Writes ``--gigabytes`` of uint8 examples as ``.npy`` files into a temporary folder (removed at the end), trains a small
network on them for one epoch with ``paribus run``, and reads every process's peak from the kernel (``VmHWM``: all that
was resident at once, memory of its own and mapped pages). Then MNIST from ``.npy`` files, held in memory and streamed,
interleaved: the ratio of training times, and whether the weights are the same. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from paribus import data
from paribus.records import DataSpec

WIDTH, CLASSES, TEST, ROWS = 784, 10, 10_000, 50_000

STUDY = """
name = "larger-than-memory"
question = "Does it fit?"
[data]
source = "{folder}"
scale = 255
[protocol]
epochs = 1
batch_size = 1000
[arms.small]
layers = [{{ Dense = {{ units = 32, activation = "relu" }} }}, {{ Dense = {{ units = 10, activation = "softmax" }} }}]
optimizer = "Adam"
"""


def write(folder: Path, gigabytes: float) -> int:
    """Noisy copies of ten patterns, written part by part; returns the number of training examples."""
    count = int(gigabytes * 1e9 / WIDTH)
    generator = np.random.default_rng(0)
    patterns = generator.integers(0, 128, (CLASSES, WIDTH), np.uint8)
    noise = generator.integers(0, 128, (ROWS, WIDTH), np.uint8)
    for split, size in (("train", count), ("test", TEST)):
        labels = generator.integers(0, CLASSES, size, np.uint8)
        np.save(folder / f"y_{split}.npy", labels)
        with (folder / f"x_{split}.npy").open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (size, WIDTH)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, size, ROWS):
                part = labels[start : start + ROWS]
                (patterns[part] + noise[: len(part)]).tofile(file)
    return count


def paribus(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "paribus", *arguments, "--json"]
    return subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True)


def held(process: int) -> dict[str, int]:
    """A process's memory in bytes, by the kernel's names; empty once it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in lines)
    return {key: int(fields[key].split()[0]) << 10 for key in ("VmHWM", "RssAnon", "RssFile") if key in fields}


def descendants(process: int) -> list[int]:
    """A process and all its children."""
    try:
        tasks = Path(f"/proc/{process}/task").iterdir()
        children = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return [process]
    return [process, *(each for child in children for each in descendants(child))]


def watched(run: subprocess.Popen[str]) -> list[dict[str, object]]:
    """The peaks of a command and its workers until it ends."""
    peaks: dict[int, dict[str, int]] = {}
    names: dict[int, str] = {}
    while run.poll() is None:
        for process in descendants(run.pid):
            now, before = held(process), peaks.setdefault(process, {})
            peaks[process] = {key: max(before.get(key, 0), value) for key, value in now.items()} or before
            names.setdefault(process, "driver" if process == run.pid else "worker")
        time.sleep(0.02)
    return [
        {"process": names[p], **{key: round(v / 1e9, 3) for key, v in peak.items()}}
        for p, peak in peaks.items()
        if peak
    ]


def large(folder: Path, gigabytes: float, workers: int) -> dict[str, object]:
    count = write(folder, gigabytes)
    study = folder / "study.toml"
    study.write_text(STUDY.format(folder=folder), encoding="utf-8")
    started = time.perf_counter()
    store = str(folder / "store")
    run = paribus("run", str(study), "--seeds", str(workers), "--workers", str(workers), "--store", store)
    processes = watched(run)
    assert run.stdout is not None
    answer = json.loads(run.stdout.read())
    if run.returncode != 0:
        raise SystemExit(run.returncode)
    runs = answer["arms"][0]["runs"]
    return {
        "gigabytes": gigabytes,
        "examples": count,
        "runs": workers,
        "wall_seconds": round(time.perf_counter() - started, 1),
        "run_seconds": [round(each["seconds"], 1) for each in runs],
        "test_accuracy": [each["test_accuracy"] for each in runs],
        "peak_gigabytes": processes,
        "largest_peak": max(float(str(each["VmHWM"])) for each in processes),
    }


def ratio(folder: Path, repeats: int) -> dict[str, object]:
    """MNIST, two epochs of two arms, one worker: seconds streamed against seconds held in memory."""
    spooled = folder / "mnist"
    data.spool(data.load(DataSpec("mnist")), spooled)
    seconds: dict[str, dict[str, list[float]]] = {}
    digests: dict[str, set[str]] = {}
    for repeat in range(repeats):
        for kind, most in (("resident", "512"), ("streamed", "0")):
            arguments = ["--arm", "simple", "--arm", "deep-dropout", "--seeds", "1", "--epochs", "2", "--workers", "1"]
            store = str(folder / f"{kind}-{repeat}")
            run = paribus(
                "run", "mnist-mlps", *arguments, "--data", str(spooled), "--store", store, PARIBUS_RESIDENT=most
            )
            for arm in json.loads(run.communicate()[0])["arms"]:
                seconds.setdefault(arm["name"], {}).setdefault(kind, []).append(arm["runs"][0]["seconds"])
                digests.setdefault(arm["name"], set()).add(arm["runs"][0]["weights_digest"])
    return {
        arm: {
            **{kind: round(statistics.median(each), 3) for kind, each in kinds.items()},
            "streamed_to_resident": round(
                statistics.median(s / r for s, r in zip(kinds["streamed"], kinds["resident"], strict=True)), 3
            ),
            "same_weights": len(digests[arm]) == 1,
        }
        for arm, kinds in seconds.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=4.0, help="0 leaves the large data set out")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="of the MNIST runs; 0 leaves them out")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="paribus-larger-"))
    try:
        if shutil.disk_usage(folder).free < 2 * options.gigabytes * 1e9:
            raise SystemExit(f"{folder}: less than twice {options.gigabytes} GB are free")
        answer: dict[str, object] = {}
        if options.gigabytes:
            answer["large"] = large(folder, options.gigabytes, options.workers)
        if options.repeats:
            answer["mnist_seconds"] = ratio(folder, options.repeats)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
