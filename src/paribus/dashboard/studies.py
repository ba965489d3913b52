"""What the dashboard knows of the studies of a store: progress, answers up to the last look, curves."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paribus.dashboard.feed import Feed
from paribus.dashboard.moments import Moments, limit_results, without_waiting
from paribus.display.live_log import name_seeds
from paribus.errors import UnknownNameError
from paribus.outcome.outcome import Outcome
from paribus.records import RunResult, Seeds, Status, StudyKind
from paribus.report.html.build import Markup
from paribus.results.stored_study import open_results
from paribus.store.base import Store, StoredStudy, labelled_study
from paribus.store.database import DATABASE_NAME
from paribus.store.sqlite import SqliteStore

MOST_PARTS: Final = 32
"""Parts of pages that are remembered."""


@dataclass(frozen=True, slots=True)
class StudyProgress:
    """How far a stored study is.

    Attributes:
        label: the name that the user sees.
        question: its question; empty where it has none.
        kind: what its runs are for.
        data: the name of its data.
        arms: for each arm how many runs have ended, and how many were asked for.
        statuses: how many runs ended with each status.
        failures: names of runs that failed or diverged, with their reasons.
    """

    label: str
    question: str
    kind: StudyKind
    data: str
    arms: Mapping[str, tuple[int, int]]
    statuses: Mapping[Status, int]
    failures: tuple[tuple[str, Status, str], ...]

    @property
    def ended(self) -> int:
        """How many runs have ended."""
        return sum(ended for ended, _ in self.arms.values())

    @property
    def requested(self) -> int:
        """How many runs were asked for."""
        return sum(requested for _, requested in self.arms.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a study up to the last moment, and what waits for the next one."""

    outcome: Outcome
    moments: Moments


class Studies:
    """The studies of a store that another process may be writing to.

    Args:
        folder: the store's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._store: Store = SqliteStore.open(folder, mode="read")
        self._answers: dict[str, tuple[tuple[str, ...], Answer]] = {}
        self._parts: dict[tuple[str, ...], tuple[Answer, Markup]] = {}
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._reading = threading.Lock()
        self._finished: dict[str, RunResult] = {}
        self._inode = ""
        self._feeds: dict[str, Feed] = {}
        self._feeding = threading.Lock()

    def version(self) -> str:
        """A text that changes whenever the files of the store change."""
        try:
            status = (self.folder / DATABASE_NAME).stat()
        except OSError:
            return "none"
        return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"

    def list_progress(self) -> list[StudyProgress]:
        """How far all studies are, sorted by name.

        Raises:
            StoreError: the store cannot be read.
        """
        return [_progress(study, self._runs(study)) for study in self._store.studies()]

    def progress(self, label: str) -> StudyProgress:
        """How far one study is.

        Args:
            label: the name that the user sees.

        Raises:
            UnknownNameError: there is no such study.
            StoreError: the store cannot be read.
        """
        study = self._study(label)
        return _progress(study, self._runs(study))

    def answer(self, label: str) -> Answer | None:
        """The answer of a study up to its last moment. It is computed once for the same runs.

        Args:
            label: the name that the user sees.

        Returns:
            The answer; None for runs that are no study: candidates, noise.

        Raises:
            UnknownNameError: there is no such study.
            ParibusError: its runs or its data cannot be read.
        """
        study = self._study(label)
        if study.kind not in (StudyKind.STUDY, StudyKind.ABLATION):
            return None
        with self._lock:
            results = open_results(label, self._store)
            limited, moments = limit_results(results, self._runs(study))
            runs = (study.document, *(f"{arm.name} {run.fingerprint}" for arm in limited.arms for run in arm.runs))
            known = self._answers.get(label)
            if known is None or known[0] != runs:
                known = self._answers[label] = (runs, Answer(without_waiting(limited.outcome(), moments), moments))
            if known[1].moments != moments:
                known = self._answers[label] = (runs, Answer(known[1].outcome, moments))
            return known[1]

    def labels(self) -> list[str]:
        """The names of all studies."""
        return [study.label for study in self._store.studies()]

    def comparable(self) -> list[str]:
        """The names of the studies that have two arms and are judged."""
        return [
            study.label
            for study in self._store.studies()
            if study.kind in (StudyKind.STUDY, StudyKind.ABLATION) and len(study.arms) > 1
        ]

    def written_pairs(self, label: str) -> list[tuple[str, str]]:
        """The two arms of each contrast that a study writes out, in its order.

        Raises:
            UnknownNameError: there is no such study.
        """
        written = _document(self._study(label)).get("contrasts") or []
        return [(str(contrast.get("a")), str(contrast.get("b"))) for contrast in written if isinstance(contrast, dict)]

    def playable(self) -> list[str]:
        """The names of the studies whose networks can be asked: those with a test split that all runs share."""
        return [
            study.label
            for study in self._store.studies()
            if study.kind in (StudyKind.STUDY, StudyKind.ABLATION)
            and study.data is not None
            and not study.data.folds
            and any(not arm.recipe.is_estimator for arm in study.arms)
        ]

    def is_table(self, label: str) -> bool:
        """Whether an example of a study's data is a row of a table, and no picture that was made one row."""
        study = self._study(label)
        flattened = (_document(study).get("data") or {}).get("flatten")
        return study.data is not None and len(study.data.input_shape) == 1 and not flattened

    def remember(self, key: tuple[str, ...], answer: Answer, make: Callable[[], Markup]) -> Markup:
        """A part of a page that takes a second to make: made once for the same answer.

        Args:
            key: what it is, beside the answer that it is made from.
            answer: as long as ``answer`` returns this object nothing has changed.
            make: makes it.
        """
        with self._making:
            known = self._parts.pop(key, None)
            if known is None or known[0] is not answer:
                known = (answer, make())
            self._parts[key] = known
            while len(self._parts) > MOST_PARTS:
                self._parts.pop(next(iter(self._parts)))
            return known[1]

    def curves(self, label: str, since: str = "") -> dict[str, Any]:
        """The stored runs of a study as JSON values: what training measured, and nothing of the test split.

        Args:
            label: the name that the user sees.
            since: the ``token`` of an earlier answer: runs that have not changed since are left out.

        Returns:
            The arms with their runs; a ``token``; whether these are all runs, ``whole``, or those that have changed.

        Raises:
            UnknownNameError: there is no such study.
            StoreError: the store cannot be read.
        """
        study = self._study(label)
        levels = _levels(study)
        with self._feeding:  # who reads first is first: an older state would take newer runs for gone
            runs = self._runs(study)
            feed = self._feeds[label] = self._feeds.get(label, Feed()).notice(study.arms, runs)
            changed, token = feed.since(since), feed.token
        return {
            "study": study.label,
            "token": token,
            "whole": changed is None,
            "arms": [
                {
                    "name": arm.name,
                    "levels": levels.get(arm.name, {}),
                    "runs": [
                        _curve(run.seeds, result)
                        for run in arm.runs
                        if (changed is None or (arm.name, run.fingerprint) in changed)
                        and (result := runs.get(run.fingerprint))
                    ],
                }
                for arm in study.arms
            ],
        }

    def _study(self, label: str) -> StoredStudy:
        study = labelled_study(self._store, label)
        if study is None:
            raise UnknownNameError("there is no such study in this store")
        return study

    def _runs(self, study: StoredStudy) -> dict[str, RunResult]:
        """Its runs that have ended. Finished ones never change, so that they are read once."""
        with self._reading:
            inode = self.version().partition("-")[0]
            if inode != self._inode:  # another database has taken its place
                self._inode, self._finished = inode, {}
            asked = [run.fingerprint for arm in study.arms for run in arm.runs]
            fresh = self._store.runs([name for name in asked if name not in self._finished])
            self._finished |= {name: run for name, run in fresh.items() if run.status is Status.FINISHED}
            return {name: run for name in asked if (run := fresh.get(name) or self._finished.get(name)) is not None}


def _progress(study: StoredStudy, runs: Mapping[str, RunResult]) -> StudyProgress:
    arms, failures = {}, []
    statuses = dict.fromkeys(Status, 0)
    for arm in study.arms:
        ended = [(run.seeds.seed, runs[run.fingerprint]) for run in arm.runs if run.fingerprint in runs]
        arms[arm.name] = (len(ended), len(arm.runs))
        for seed, result in ended:
            statuses[result.status] += 1
            if result.status is not Status.FINISHED:
                failures.append((f"{arm.name}, seed {seed}", result.status, result.reason or "no reason is stored"))
    data = "" if study.data is None else study.data.name
    return StudyProgress(study.label, _question(study), study.kind, data, arms, statuses, tuple(failures))


def _document(study: StoredStudy) -> dict[str, Any]:
    document = json.loads(study.document)
    return document if isinstance(document, dict) else {}


def _question(study: StoredStudy) -> str:
    return str(_document(study).get("question") or "")


def _levels(study: StoredStudy) -> dict[str, dict[str, str]]:
    arms = _document(study).get("arms")
    if not isinstance(arms, dict):
        return {}
    return {name: arm.get("levels") or {} for name, arm in arms.items() if isinstance(arm, dict)}


def _curve(seeds: Seeds, run: RunResult) -> dict[str, Any]:
    curve = run.curve
    return {
        "seed": name_seeds(seeds),
        "status": str(run.status),
        "reason": run.reason,
        "seconds": None if math.isnan(run.seconds) else run.seconds,
        "ended": run.ended,
        "fit_loss": _finite(curve.fit_loss),
        "fit_accuracy": _finite(curve.fit_accuracy),
        "val_loss": _finite(curve.val_loss),
        "val_accuracy": _finite(curve.val_accuracy),
    }


def _finite(values: Sequence[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
