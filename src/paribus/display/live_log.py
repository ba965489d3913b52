"""The events of a run in a file of the store's folder, for other processes (decision record 0128).

A line is one JSON object. The file may be lost or cut without harm: what counts is in the store. It holds what training
measures, and nothing of the test split, so that whoever watches it learns nothing that a planned look may use.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from paribus.display.base import Display
from paribus.display.wording import name_run
from paribus.records import DataSummary, Ended, EpochDone, Event, Interrupted, Started, TrainJob
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan

NAME: Final = "live.jsonl"
"""The file's name in the folder of a store."""

MAX_BYTES: Final = 64 << 20
"""A log that is longer is written no further: its readers keep all of it."""


class LiveLog(Display):
    """Appends events to the file. The file of an earlier process is replaced when the first plan is known.

    A lock on the file is held as long as the display exists: where no process holds it, the run is over.

    Args:
        folder: the store's folder; it must exist.
        clock: the time, in seconds since 1970.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / NAME
        self._clock = clock
        self._descriptor: int | None = None
        self._bytes = 0

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Replace the file, and write the study with its number of stored and missing runs."""
        if self._descriptor is None:
            self._descriptor = _replace(self._path)
            weakref.finalize(self, os.close, self._descriptor)
        self._write(
            "planned",
            study=document.name,
            data=data.name,
            epochs=document.protocol.epochs,
            runs=plan.run_count,
            stored=plan.stored_count,
            missing=len(plan.missing),
        )

    def show(self, event: Event) -> None:
        """Write one event; those of arms that are described are left out."""
        match event:
            case Started(job, attempt, death, worker):
                self._write("started", **_run(job), attempt=attempt, death=death, worker=worker)
            case EpochDone(job, report):
                self._write(
                    "epoch",
                    run=job.fingerprint,
                    epoch=report.epoch,
                    epochs=report.epochs,
                    fit_loss=_finite(report.fit_loss),
                    fit_accuracy=_finite(report.fit_accuracy),
                    val_loss=_finite(report.val_loss),
                    val_accuracy=_finite(report.val_accuracy),
                )
            case Ended(job, result):
                self._write("ended", **_run(job), status=str(result.status), reason=result.reason)
            case Interrupted(finishing, stopped):
                self._write(
                    "interrupted",
                    finishing=[job.fingerprint for job in finishing],
                    stopped=[job.fingerprint for job in stopped],
                )
            case _:
                pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("over")

    def _write(self, event: str, **fields: Any) -> None:
        if self._descriptor is None:
            return
        line = json.dumps({"event": event, "time": round(self._clock(), 3), **fields}, allow_nan=False) + "\n"
        content = line.encode()
        if self._bytes + len(content) <= MAX_BYTES:
            self._bytes += os.write(self._descriptor, content)


def _replace(path: Path) -> int:
    """A descriptor of a new, locked file in the place of an older one.

    Raises:
        OSError: it cannot be made.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o644)
    with suppress(OSError):  # a file system without locks: readers take the run for over, and show what it wrote
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _run(job: TrainJob) -> dict[str, Any]:
    seeds = job.seeds
    return {
        "run": job.fingerprint,
        "name": name_run(job),
        "arm": job.arm,
        "seed": seeds.seed if seeds.seed is not None else f"{seeds.init}/{seeds.order}/{seeds.dropout}",
        "estimator": job.recipe.is_estimator,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no nan; the chart of a run that diverged ends where its loss did."""
    return value if value is not None and math.isfinite(value) else None
