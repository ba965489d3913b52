"""paribus itself, as `paribus run` does it: two seeds at once, one worker a core, into a store, to the end."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from collections import defaultdict
from pathlib import Path

from paribus.backends.local import LocalBackend
from paribus.display.base import Display
from paribus.records import DataSummary, Ended, EpochDone, Event
from paribus.runner.start import start_workers
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.plan import RunPlan


def processor_seconds() -> float:
    """Processor seconds of this process's children so far, the workers; 0 where there is no /proc."""
    ticks = 0
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text(encoding="utf-8").split():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Clock(Display):
    """When the epochs of each run ended, and the processor seconds of all workers by then."""

    def __init__(self) -> None:
        self.ends: dict[str, list[float]] = defaultdict(list)
        self.processor: dict[str, list[float]] = defaultdict(list)
        self.seconds: list[float] = []

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Nothing."""

    def show(self, event: Event) -> None:
        if isinstance(event, EpochDone):
            self.ends[event.job.fingerprint].append(time.perf_counter())
            self.processor[event.job.fingerprint].append(processor_seconds())
        elif isinstance(event, Ended):
            self.seconds.append(event.result.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", required=True)
    parser.add_argument("--study", default="mnist-mlps")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--lanes", type=int)
    parser.add_argument("--precision")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--started", type=float, required=True, help="time.time() of the process's start")
    options = parser.parse_args()
    document = load_study(options.study)
    document = override(document, seeds=options.seeds, epochs=options.epochs)
    if options.precision:
        protocol = document.protocol.model_validate({**document.protocol.model_dump(), "precision": options.precision})
        document = document.model_copy(update={"protocol": protocol})
    clock = Clock()
    with (
        SqliteStore.open(options.store, mode="write") as store,
        LocalBackend(options.workers, lanes=options.lanes) as backend,
    ):
        start_workers(document, store, backend, arms=[options.arm])
        # As `paribus run` does, what judges is imported while workers start.
        from paribus.runner.run import run_study

        ready = time.time() - options.started
        outcome = run_study(document, store, backend, clock, arms=[options.arm])
    (arm,) = outcome.arms
    scores = [run.scores for run in arm.runs if run.scores is not None]
    line = {
        "ready": ready,
        "runs": len(scores),
        "epoch_ends": list(clock.ends.values()),
        "processor_ends": list(clock.processor.values()),
        "engine_seconds": clock.seconds,
        "fit_accuracy": scores[-1].fit_accuracy,
        "train_accuracy": scores[-1].train_accuracy,
        "test_accuracy": scores[-1].test_accuracy,
        "test_accuracies": [each.test_accuracy for each in scores],
        "device": outcome.environments[0].device,
        "wall": time.time() - options.started,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
