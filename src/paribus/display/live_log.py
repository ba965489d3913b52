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
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from paribus.display.base import Display
from paribus.display.wording import name_run
from paribus.records import DataSummary, Ended, EpochDone, Event, Interrupted, Seeds, Started, Status, TrainJob
from paribus.study.document import StudyDocument
from paribus.study.plan import RunPlan

NAME: Final = "live.jsonl"
"""The file's name in the folder of a store."""

BYTES: Final = 4 << 20
"""A log that would be longer is replaced by a shorter one: its readers hold all of it in memory."""

MAX_BYTES: Final = 64 << 20
"""Where the shorter one would be more than half of this, nothing is written until a run has ended."""

MOST_PROBLEMS: Final = 100
"""Runs that failed or diverged that the shorter log still names."""


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
        self._close: Callable[[], object] = int
        self._bytes = 0
        self._limit = BYTES
        self._is_full = False
        self._planned: dict[str, Any] = {}
        self._under_way: dict[str, list[bytes]] = {}
        self._problems: deque[bytes] = deque(maxlen=MOST_PROBLEMS)

    def planned(self, document: StudyDocument, data: DataSummary, plan: RunPlan) -> None:
        """Replace the file, and write the study with its number of stored and missing runs."""
        if self._descriptor is None:
            self._begin(b"")
        self._planned = {
            "event": "planned",
            "time": self._now(),
            "study": document.name,
            "data": data.name,
            "epochs": document.protocol.epochs,
            "runs": plan.run_count,
            "stored": plan.stored_count,
            "missing": len(plan.missing),
            "ended": 0,
        }
        self._problems.clear()
        self._append(_line(self._planned))

    def show(self, event: Event) -> None:
        """Write one event; those of arms that are described are left out."""
        match event:
            case Started(job, attempt, death, worker):
                self._under_way[job.fingerprint] = []
                self._write("started", job, **_run(job), attempt=attempt, death=death, worker=worker)
            case EpochDone(job, report):
                self._write(
                    "epoch",
                    job,
                    run=job.fingerprint,
                    epoch=report.epoch,
                    epochs=report.epochs,
                    fit_loss=_finite(report.fit_loss),
                    fit_accuracy=_finite(report.fit_accuracy),
                    val_loss=_finite(report.val_loss),
                    val_accuracy=_finite(report.val_accuracy),
                )
            case Ended(job, result):
                self._under_way.pop(job.fingerprint, None)
                self._planned["ended"] = self._planned.get("ended", 0) + 1
                self._write("ended", None, **_run(job), status=str(result.status), reason=result.reason)
            case Interrupted(finishing, stopped):
                self._write(
                    "interrupted",
                    None,
                    finishing=[job.fingerprint for job in finishing],
                    stopped=[job.fingerprint for job in stopped],
                )
            case _:
                pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("over", None)

    def _write(self, event: str, job: TrainJob | None, **fields: Any) -> None:
        """Write an event; one of a run that is under way is remembered as long as it is."""
        line = _line({"event": event, "time": self._now(), **fields})
        if job is not None:
            self._under_way.setdefault(job.fingerprint, []).append(line)
        if event == "ended":
            self._is_full = False
            if fields["status"] != Status.FINISHED:
                self._problems.append(line)
        self._append(line, is_known=job is not None or event == "ended")

    def _append(self, line: bytes, *, is_known: bool = False) -> None:
        """Write a line, or replace the log where it would be too long. ``is_known``: the shorter log has it already."""
        if self._descriptor is None or self._is_full:
            return
        if self._bytes + len(line) <= self._limit:
            self._bytes += os.write(self._descriptor, line)
            return
        # The problems were counted among the runs that have ended, and are counted again by whoever reads them.
        ended = self._planned["ended"] - len(self._problems)
        short = [_line(self._planned | {"ended": ended}), *self._problems, *chain(*self._under_way.values())]
        content = b"".join(short if is_known else [*short, line])
        self._is_full = 2 * len(content) > MAX_BYTES
        if not self._is_full:
            self._begin(content)
            self._limit = min(MAX_BYTES, max(BYTES, 4 * len(content)))

    def _begin(self, content: bytes) -> None:
        """Put a new file in the place of the one before, if there is one."""
        before, self._descriptor = self._close, _replace(self._path, content)
        before()
        self._bytes = len(content)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def _now(self) -> float:
        return round(self._clock(), 3)


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, allow_nan=False).encode() + b"\n"


def _replace(path: Path, content: bytes) -> int:
    """A descriptor of a new, locked file in the place of an older one. Readers see the one or the other.

    Raises:
        OSError: it cannot be made.
    """
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o644)
    try:
        with suppress(OSError):  # a file system without locks: readers take the run for over, and show what it wrote
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        while content:
            content = content[os.write(descriptor, content) :]
        unfinished.replace(path)
    except BaseException:
        os.close(descriptor)
        unfinished.unlink(missing_ok=True)
        raise
    return descriptor


def name_seeds(seeds: Seeds) -> int | str:
    """The seed of a run, or its three seeds where they differ: ``0/1/0``."""
    return seeds.seed if seeds.seed is not None else f"{seeds.init}/{seeds.order}/{seeds.dropout}"


def _run(job: TrainJob) -> dict[str, Any]:
    return {
        "run": job.fingerprint,
        "name": name_run(job),
        "arm": job.arm,
        "seed": name_seeds(job.seeds),
        "estimator": job.recipe.is_estimator,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no nan; the chart of a run that diverged ends where its loss did."""
    return value if value is not None and math.isfinite(value) else None
