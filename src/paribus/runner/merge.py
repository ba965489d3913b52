"""Merging stores: every run, study and judgement of several stores in one (decision 0099).

The target is written as any store is: artifacts first, then the row that names them, group by group, and the studies
last. Killed at any moment it holds what it held and some whole runs more, and the same command goes on from there.
Sources are opened for reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import final

from paribus.errors import StoreError, UsageError
from paribus.records import RunResult, Status
from paribus.runner.uniting import Renamed, StoreStudies, United, unite_judgements, unite_studies
from paribus.store.artifacts import Kind
from paribus.store.base import StoredStudy, gives_way
from paribus.store.copies import DamagedRunError, RunCopy, RunRow, RunRows, StoreReader
from paribus.store.doctor import is_store
from paribus.store.quarantine import QUARANTINE_NAME
from paribus.store.sqlite import SqliteStore

_GROUP = 64
_GROUP_BYTES = 64 << 20
"""Runs, and bytes of their artifacts, that are committed together at most; one larger run is a group of its own."""

_ORDER = {Status.FINISHED: 0, Status.DIVERGED: 1, Status.FAILED: 2}

Progress = Callable[[int, int], None]
"""Called with the number of runs that were looked at and the number of all."""


@dataclass(frozen=True, slots=True)
class Version:
    """One of several results of a run.

    Attributes:
        store: the store that has it.
        merged: whether it is the one that the target has after the merge.
        run: the result.
    """

    store: str
    merged: bool
    run: RunResult


@dataclass(frozen=True, slots=True)
class DifferingRun:
    """A run whose results differ between stores.

    Attributes:
        name: study, arm and seed, for readers: ``digits/small/0``.
        fingerprint: its fingerprint.
        parts: what differs: status, weights, predictions, scores.
        versions: the results that differ, each once.
    """

    name: str
    fingerprint: str
    parts: tuple[str, ...]
    versions: tuple[Version, ...]

    @property
    def is_explained(self) -> bool:
        """Whether all of them come from different environments, between which equal bits are not promised."""
        environments = [version.run.environment for version in self.versions]
        return len(set(environments)) == len(environments)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A damaged run of a store, which is not merged.

    Attributes:
        name: study, arm and seed, for readers: ``digits/small/0``.
        fingerprint: its fingerprint.
        store: the store that has it.
        reason: how it is damaged.
        elsewhere: whether another store had it whole, or the target has it.
    """

    name: str
    fingerprint: str
    store: str
    reason: str
    elsewhere: bool


@dataclass(slots=True)
class Merge:
    """What was merged.

    Attributes:
        copied: how many runs are new in the target.
        replaced: how many runs of the target gave way to one that ended better (finished rather than diverged).
        known: how many runs the target had already.
        studies: the labels of the studies that are new, or have grown.
        renamed: the studies that are stored under another name.
        judgements: how many judgements are new.
        differing: the runs of which there are two results with different bits.
        left_out: the damaged runs.
        quarantined: the names of the files in the quarantine of each source, which are not looked at.
    """

    copied: int = 0
    replaced: int = 0
    known: int = 0
    studies: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    judgements: int = 0
    differing: list[DifferingRun] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    quarantined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether no run was lost to damage, and none has two results from one environment."""
        return all(run.elsewhere for run in self.left_out) and all(run.is_explained for run in self.differing)


def merge_stores(
    sources: Sequence[Path], into: Path, *, rename: bool = False, progress: Progress | None = None
) -> Merge:
    """Put everything of some stores into one, which is made where it is not there.

    The order of the stores changes nothing, nor does merging twice. Of several results of a run the one that ended best
    counts; among those that ended alike the target's stays, else the one with the smallest digest is taken.

    Args:
        sources: folders of stores; one that is the target is passed over.
        into: the folder of the target.
        rename: see ``uniting.unite_studies``.
        progress: called after every group of runs.

    Returns:
        What was merged, what was left out, and what differs.

    Raises:
        UsageError: a folder holds no store, or two studies of one name are not one study; nothing was written.
        StoreError: a store cannot be read, or the target cannot be written.
    """
    folders = _list_sources(sources, into)
    with ExitStack() as stack:
        readers = [stack.enter_context(StoreReader(folder)) for folder in folders]
        target = stack.enter_context(StoreReader(into))
        # Once before the target is opened for writing, so that what is refused leaves nothing behind.
        _unite(target, readers, rename=rename)
        store = stack.enter_context(SqliteStore.open(into, mode="write"))
        united = _unite(target, readers, rename=rename)
        names = _name_runs(study for reader in (target, *readers) for study in reader.studies())
        merge = _Copying(store, target, readers, names, progress).all()
        judgements = unite_judgements(target.judgements(), [reader.judgements() for reader in readers])
        recipes = {key: recipe for reader in reversed(readers) for key, recipe in reader.recipes().items()}
        store.adopt_studies(united.studies, recipes, judgements)
        merge.studies = tuple(study.label for study in united.studies)
        merge.renamed, merge.judgements = united.renamed, len(judgements)
        merge.quarantined = {str(folder): files for folder in folders if (files := _list_quarantine(folder))}
        return merge


def _list_sources(sources: Sequence[Path], into: Path) -> list[Path]:
    """The folders to read without repetition, in an order of their own."""
    by_place: dict[Path, Path] = {}
    for folder in sources:
        if not is_store(folder):
            raise UsageError(f"{folder}: there is no store here to merge; nothing was merged")
        if folder.resolve() != into.resolve():
            by_place.setdefault(folder.resolve(), folder)
    if not by_place:
        raise UsageError(f"{into}: merged into itself; name other stores to merge")
    return [by_place[place] for place in sorted(by_place)]


def _unite(target: StoreReader, readers: Sequence[StoreReader], *, rename: bool) -> United:
    own, *others = (StoreStudies(str(reader.folder), reader.studies()) for reader in (target, *readers))
    return unite_studies(own, others, rename=rename)


def _name_runs(studies: Iterator[StoredStudy]) -> dict[str, str]:
    """``digits/small/0`` for each run that a study knows, by fingerprint."""
    names: dict[str, str] = {}
    for study in studies:
        for arm in study.arms:
            for run in arm.runs:
                seeds = run.seeds
                seed = seeds.seed if seeds.seed is not None else f"{seeds.init}-{seeds.order}-{seeds.dropout}"
                name = f"{study.label}/{arm.name}/{seed}"
                names[run.fingerprint] = min(names.get(run.fingerprint, name), name)
    return names


def _list_quarantine(folder: Path) -> tuple[str, ...]:
    place = folder / QUARANTINE_NAME
    try:
        return tuple(sorted(path.name for path in place.iterdir())) if place.is_dir() else ()
    except OSError as error:
        raise StoreError(f"{place}: cannot be read ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class _Candidate:
    reader: StoreReader
    row: RunRow


@final
class _Copying:
    """Copies the runs of some stores into one."""

    def __init__(
        self,
        store: SqliteStore,
        target: StoreReader,
        readers: Sequence[StoreReader],
        names: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        self._store, self._target, self._readers = store, target, readers
        self._names, self._progress = names, progress
        self._merge = Merge()
        self._waiting: list[RunCopy] = []

    def all(self) -> Merge:
        """Copy every run that the target does not have.

        Raises:
            StoreError: a run of the target is damaged, or a store cannot be read or written.
        """
        fingerprints = sorted({name for reader in self._readers for name in reader.fingerprints()})
        for start in range(0, len(fingerprints), _GROUP):
            group = fingerprints[start : start + _GROUP]
            own = self._target.rows(group)
            if own.broken:
                raise StoreError(
                    f"{self._target.folder}: {len(own.broken)} of its runs are damaged; repair it first with `paribus "
                    f"doctor --repair --store {self._target.folder}`"
                )
            rows = [reader.rows(group) for reader in self._readers]
            for fingerprint in group:
                self._copy(fingerprint, own.sound.get(fingerprint), rows)
            self._flush()
            if self._progress is not None:
                self._progress(start + len(group), len(fingerprints))
        return self._merge

    def _copy(self, fingerprint: str, own: RunRow | None, rows: Sequence[RunRows]) -> None:
        pairs = list(zip(self._readers, rows, strict=True))
        damaged = [(reader, r.broken[fingerprint]) for reader, r in pairs if fingerprint in r.broken]
        candidates = [_Candidate(reader, r.sound[fingerprint]) for reader, r in pairs if fingerprint in r.sound]
        candidates.sort(key=lambda candidate: _preference(candidate.row))
        taken: _Candidate | None = None
        for candidate in candidates:
            if own is not None and not _ends_better(candidate.row.result, own.result):
                break
            try:
                copy = candidate.reader.copy(candidate.row)
            except DamagedRunError as error:
                damaged.append((candidate.reader, str(error)))
                continue
            taken = candidate
            self._wait(copy)
            break
        if taken is not None:
            self._merge.copied += own is None
            self._merge.replaced += own is not None
        self._merge.known += taken is None and own is not None
        self._compare(fingerprint, own, candidates, taken)
        there = own is not None or taken is not None
        self._merge.left_out += [
            LeftOut(self._name(fingerprint), fingerprint, str(reader.folder), reason, there)
            for reader, reason in damaged
        ]

    def _compare(
        self, fingerprint: str, own: RunRow | None, candidates: Sequence[_Candidate], taken: _Candidate | None
    ) -> None:
        """Note results that differ: one version of each, the one that is in the target first."""
        entries = [] if own is None else [_Candidate(self._target, own)]
        entries += candidates
        merged = taken or (entries[0] if own is not None else None)
        entries.sort(key=lambda entry: entry is not merged)
        distinct: dict[tuple[str, ...], _Candidate] = {}
        for entry in entries:
            if entry.row.result.scores is not None:
                distinct.setdefault(_bits(entry.row), entry)
        if len(distinct) < 2:
            return
        parts = tuple(part for part, *values in zip(_PARTS, *distinct, strict=True) if len(set(values)) > 1)
        versions = tuple(
            Version(str(entry.reader.folder), entry is merged, entry.row.result) for entry in distinct.values()
        )
        self._merge.differing.append(DifferingRun(self._name(fingerprint), fingerprint, parts, versions))

    def _wait(self, run: RunCopy) -> None:
        self._waiting.append(run)
        if sum(len(content) for copy in self._waiting for content in copy.artifacts.values()) >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._store.adopt(self._waiting)
        self._waiting = []

    def _name(self, fingerprint: str) -> str:
        return self._names.get(fingerprint, fingerprint[:12])


_PARTS = ("status", "weights", "predictions", "scores")


def _bits(row: RunRow) -> tuple[str, str, str, str]:
    """What two results of a run must agree in, in the order of ``_PARTS``; floats are spelled to the last bit."""
    result = row.result
    assert result.scores is not None, "a failed run has no bits"
    return (
        str(result.status),
        f"{result.weights_digest} {row.artifacts.get(Kind.WEIGHTS)}",
        str(row.artifacts.get(Kind.PREDICTIONS)),
        repr((astuple(result.scores), sorted(result.metrics.items()))),
    )


def _preference(row: RunRow) -> tuple[object, ...]:
    """The best ending first, then by what does not depend on where or when the run was computed, then by the rest."""
    result = row.result
    return _ORDER[result.status], result.weights_digest or "", result.seeds, row.checksum


def _ends_better(new: RunResult, old: RunResult) -> bool:
    return gives_way(old.status, new.status) and new.status is not old.status
