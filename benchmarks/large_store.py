"""How long the answer of a large study takes: ``report`` over many stored runs, its time and its memory.

``python benchmarks/large_store.py FOLDER --arms 1000 --seeds 100``: writes the study's store first, where it is not
there yet, with runs that were never trained (``backends/fake.py``); their test split is that of ``digits``.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.runner.recorder import MOST
from paribus.runner.run import compute_request, resolve_request
from paribus.store.sqlite import SqliteStore
from paribus.study.load import load_study

HEAD = """
name = "large"
question = "How long does the answer take?"
seeds = {seeds}
[data]
source = "digits"
scale = 16
flatten = true
[protocol]
epochs = 2
batch_size = 100
[[contrasts]]
a = "arm-1"
b = "arm-0"
"""
ARM = """
[arms.arm-{number}]
layers = [{{ Dense = {{ units = {units} }} }}, {{ Dense = {{ units = 10, activation = "softmax" }} }}]
"""


class Bursts(FakeBackend):
    """Says that more runs end at once, so that they are committed in groups."""

    has_more = True


def write(folder: Path, arms: int, seeds: int) -> None:
    """The study's store."""
    study = folder / "large.toml"
    text = "".join(ARM.format(number=number, units=number + 1) for number in range(arms))
    study.write_text(HEAD.format(seeds=seeds) + text, encoding="utf-8")
    begun = time.monotonic()
    with SqliteStore.open(folder / "runs", "write") as store:
        backend = Bursts()
        request = resolve_request(load_study(str(study)), store, backend, Silent())
        compute_request(request, store, backend, Silent())
    seconds = time.monotonic() - begun
    print(f"{arms * seeds} runs written in {seconds:.0f} s, groups of {MOST}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arms", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--without-fsync", action="store_true", help="write the store fast, for a trial")
    options = parser.parse_args()
    folder: Path = options.folder
    if options.without_fsync:
        os.fsync = lambda _: None
    if not folder.exists():
        folder.mkdir(parents=True)
        write(folder, options.arms, options.seeds)
    for kind in ("json", "html"):
        command = [sys.executable, "-m", "paribus", "report", "large", "--format", kind]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.monotonic()
        size = len(subprocess.run([*command, "--store", str(folder / "runs")], check=True, capture_output=True).stdout)
        seconds = time.monotonic() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        memory = after.ru_maxrss / 1024
        print(f"report --format {kind}: {seconds:.0f} s ({processor:.0f} s of processor time), {memory:.0f} MiB")
        print(f"  {size} bytes", flush=True)


if __name__ == "__main__":
    main()
