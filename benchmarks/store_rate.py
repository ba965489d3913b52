"""How many runs a second one process stores, by how many are committed together.

``python benchmarks/store_rate.py FOLDER [--runs 2000]``: each size of groups has a store of its own, which is removed.
A run is as ``digits`` has them: 360 predictions and the weights of a small network. Beside each, how fast the same two
files a run are written, fsynced and renamed without a store: what the medium allows.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np

from paribus.records import Curve, Environment, Predictions, RunResult, Scores, Seeds, Status
from paribus.store.durable import sync_folder, write_all_synced
from paribus.store.sqlite import SqliteStore

SIZES = (1, 8, 32, 128)
HERE = Environment("0", "0", "0", "0", "0", "0", "here", "cpu", "cpu", "")


def make_run(number: int) -> RunResult:
    generator = np.random.default_rng(number)
    confidence = generator.random(360, dtype=np.float32)
    return RunResult(
        fingerprint=f"{int.from_bytes(generator.bytes(32)):064x}",
        status=Status.FINISHED,
        seeds=Seeds.of(number),
        scores=Scores(0.9, 0.1, 0.9, 0.1, 0.9, 0.1),
        curve=Curve((0.1,) * 20, (0.9,) * 20),
        seconds=0.0,
        weights_digest="0" * 64,
        environment=HERE,
        predictions=Predictions(generator.integers(0, 10, 360, np.int32), confidence, confidence),
        weights={"dense/kernel": generator.random((64, 16), dtype=np.float32)},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=2000)
    options = parser.parse_args()
    for size in SIZES:
        count = min(options.runs, 100 * size)
        runs = [make_run(number) for number in range(count)]
        place = options.folder / f"groups-of-{size}"
        with SqliteStore.open(place, "write") as store:
            begun, processor = time.perf_counter(), time.process_time()
            for start in range(0, count, size):
                store.record(*runs[start : start + size])
            seconds, processor = time.perf_counter() - begun, time.process_time() - processor
        shutil.rmtree(place)
        rate, cost, floor = count / seconds, 1000 * processor / count, count / write_files(place, count, size)
        line = (
            f"groups of {size:3}: {rate:6.0f} runs/s, {cost:.2f} ms of processor time a run; files alone {floor:6.0f}/s"
        )
        print(line, flush=True)


def write_files(folder: Path, count: int, size: int) -> float:
    """Seconds to write the two files of each run, fsynced in groups, and give them their names."""
    folder.mkdir()
    contents = [b"p" * 4500, b"w" * 4200]
    begun = time.perf_counter()
    for start in range(0, count, size):
        unfinished = {
            folder / f"{number}.{kind}.tmp": content
            for number in range(start, min(start + size, count))
            for kind, content in enumerate(contents)
        }
        write_all_synced(unfinished)
        for path in unfinished:
            path.replace(path.with_suffix(""))
        sync_folder(folder)
    seconds = time.perf_counter() - begun
    shutil.rmtree(folder)
    return seconds


if __name__ == "__main__":
    main()
