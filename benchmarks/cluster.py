"""What ``--backend ray`` costs: runs on a cluster of two nodes here, against two local workers; and tiny runs.

``.venv-ray/bin/python benchmarks/cluster.py FOLDER [--tiny 10000] [--study digits --seeds 10 --epochs 5]``; `make
ray-test` sets up the environment. Tiny runs come from a worker that answers at once (tests/fake_worker.py): what is
left is the way from the nodes through the driver into the store.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paribus.backends.base import Backend
from paribus.backends.local import LocalBackend
from paribus.backends.ray import RayBackend
from paribus.display.base import Silent
from paribus.records import Ended, Event
from paribus.runner.run import compute_request, resolve_request
from paribus.store.sqlite import SqliteStore
from paribus.study.load import load_study
from paribus.study.overrides import override

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from ray_cluster import two_nodes

KIB = 1024


class Clock(Silent):
    """When runs ended, and how much memory this process had by then."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.memory: list[int] = []

    def show(self, event: Event) -> None:
        """Note the end of a run."""
        if isinstance(event, Ended):
            self.ends.append(time.monotonic())
            if len(self.ends) % 1000 == 0:
                self.memory.append(resident())


def resident() -> int:
    """MiB of memory of this process now."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // KIB


def compute(study: Any, backend: Backend, folder: Path) -> Clock:
    """The missing runs of a study, into a new store."""
    clock = Clock()
    with backend, SqliteStore.open(folder, "write") as store:
        compute_request(resolve_request(study, store, backend, Silent()), store, backend, clock)
    return clock


def report_tiny(count: int, folder: Path, backend: Backend, what: str) -> None:
    """Runs that cost nothing to compute."""
    study = override(load_study("digits"), seeds=-(-count // 3), epochs=2)
    begun = time.process_time()
    clock = compute(study, backend, folder)
    processor = time.process_time() - begun
    # The first ones wait for workers.
    runs, seconds = len(clock.ends) - 100, clock.ends[-1] - clock.ends[99]
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    cost = 1000 * processor / len(clock.ends)
    print(f"{what}: {len(clock.ends)} tiny runs, {runs / seconds:.0f} a second")
    print(f"processor time of the driver: {cost:.2f} ms a run; store: {size / len(clock.ends) / KIB:.1f} KiB a run")
    print(f"memory of the driver after each 1,000 runs (MiB): {clock.memory}", flush=True)
    shutil.rmtree(folder)


def report_overhead(study: Any, folder: Path, backends: dict[str, Backend]) -> None:
    """The same runs by both, the first ones (imports, compilation) left out."""
    for what, backend in backends.items():
        clock = compute(study, backend, folder)
        runs, seconds = len(clock.ends) - 10, clock.ends[-1] - clock.ends[9]
        print(f"{what}: {study.name}, {len(clock.ends)} runs, {1000 * seconds / runs:.1f} ms a run", flush=True)
        shutil.rmtree(folder)


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes."""
    with two_nodes() as nodes:
        yield nodes.address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", type=int, default=10_000)
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--epochs", type=int, help="of each run; those of the study where nothing is said")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder: Path = options.folder
    study = override(load_study(options.study), seeds=options.seeds, epochs=options.epochs)
    with cluster() as address:
        if options.tiny:
            report_tiny(options.tiny, folder / "tiny", RayBackend(address, module="fake_worker"), "Ray")
        for _ in range(options.rounds):
            backends = {"local": LocalBackend(2), "Ray": RayBackend(address)}
            report_overhead(study, folder / "overhead", backends)
    print(f"most memory of the driver: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB} MiB")


if __name__ == "__main__":
    main()
