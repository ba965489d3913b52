"""A power cut, modelled as losing what was not fsynced.

SQLite's own files are taken as they stand (SQLite's promise about them is SQLite's to test); of all others only the
content of the last fsync of the file is kept, under the names of the last fsync of the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paribus.store.doctor import Problem, examine
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore
from store_crashes import Step, model_after
from store_examples import fingerprint, holds, run

STEPS: list[Step] = [
    ("record", 1, "finished", 0),
    ("record", 2, "diverged", 0),
    ("record", 2, "diverged", 1),
    ("record", 3, "finished", 0),
]


@dataclass
class Disk:
    """What would be on the disk after a power cut now."""

    root: Path
    contents: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)

    def fsync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        # Held open for good, so that no later file gets this inode's number.
        self.kept.append(os.dup(descriptor))
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        if stat.S_ISDIR(status.st_mode):
            self.names[status.st_ino] = {entry.name: entry.inode() for entry in os.scandir(path)}
        else:
            self.contents[status.st_ino] = path.read_bytes()

    def after_power_cut(self, target: Path) -> Path:
        target.mkdir()
        if not self.root.exists():
            return target
        # The store's own folder is fsynced by SQLite, which nobody here can watch.
        for path in self.root.iterdir():
            if path.name.startswith("paribus.sqlite"):
                (target / path.name).write_bytes(path.read_bytes())
        self._restore(self.names.get(self.root.stat().st_ino, {}), target)
        return target

    def _restore(self, names: dict[str, int], target: Path) -> None:
        for name, inode in names.items():
            if inode in self.names or name == "artifacts" or len(name) == 2:
                (target / name).mkdir()
                self._restore(self.names.get(inode, {}), target / name)
            elif not (target / name).exists():
                (target / name).write_bytes(self.contents.get(inode, b""))


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    real, watched = os.fsync, Disk(tmp_path / "runs")

    def fsync(descriptor: int) -> None:
        real(descriptor)
        watched.fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    yield watched
    for descriptor in watched.kept:
        os.close(descriptor)


class Killed(BaseException):
    """Stands in for a kill: everything of ours passes it on, and the store is not closed."""


def test_killed_while_making_folders_then_a_power_cut(tmp_path: Path, disk: Disk) -> None:
    """A folder that a killed writer made but did not fsync is fsynced by the next one, who finds it made."""
    makings = 0

    def at(point: str) -> None:
        nonlocal makings
        makings += point == Point.AFTER_FOLDER
        if makings == number and point == Point.AFTER_FOLDER:
            raise Killed

    for number in (2, 3):  # artifacts/, artifacts/00/
        makings = 0
        disk.root = tmp_path / str(number)
        with pytest.raises(Killed), SqliteStore.open(disk.root, "write", at) as store:
            store.record(run(1))
        with SqliteStore.open(disk.root, "write") as store:
            store.record(run(1))
        left = disk.after_power_cut(tmp_path / f"left {number}")
        with SqliteStore.open(left) as reader:
            assert holds(reader, run(1))


def test_power_cuts_at_every_point(tmp_path: Path, disk: Disk) -> None:
    done, cuts = 0, 0

    def at(point: str) -> None:
        nonlocal cuts
        cuts += 1
        left = disk.after_power_cut(tmp_path / f"cut {cuts}")
        # No row without its artifacts, at any moment. (A writer that cannot look at the journal may have left one.)
        problems = {finding.problem for finding in examine(left)}
        assert problems <= {Problem.ORPHAN, Problem.TEMPORARY}, point
        with SqliteStore.open(left) as reader:
            states = [model_after(STEPS[:done]), model_after(STEPS[: done + 1])]
            assert any(state.is_in(reader, range(5)) for state in states), point

    with SqliteStore.open(disk.root, "write", at) as store:
        for _, number, *values in STEPS:
            store.record(run(number, *values))
            done += 1
            left = disk.after_power_cut(tmp_path / f"done {done}")
            with SqliteStore.open(left) as reader:
                assert model_after(STEPS[:done]).is_in(reader, range(5))
                assert fingerprint(number) in reader.runs([fingerprint(number)])
    assert cuts > 60
