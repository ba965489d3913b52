"""A store may be a stranger's: nothing in it is opened through a link, or unless it is a regular file."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from paribus.errors import ParibusError, StoreError
from paribus.store.doctor import examine, repair
from paribus.store.sqlite import SqliteStore
from store_examples import arm, fingerprint, holds, run

THESIS = b"three years of work\n"
FOLDERS = ["artifacts", "quarantine"]
DATABASE = "paribus.sqlite"
NAMED = ["writer.lock", DATABASE, f"{DATABASE}-journal", f"{DATABASE}-wal", f"{DATABASE}-shm", *FOLDERS]
INSIDE = ["artifacts/00", "weights"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with SqliteStore.open(tmp_path / "runs", "write") as store:
        store.record(run(1))
        store.save_study("s", "{}", [arm("a", [1])])
    (tmp_path / "home" / "00").mkdir(parents=True)
    (tmp_path / "home" / "thesis.tex").write_bytes(THESIS)
    return tmp_path / "runs"


def planted(folder: Path, name: str, kind: str) -> Path:
    """Something in the place of a part of the store."""
    if name == "weights":
        (path,) = (folder / "artifacts").rglob("*.weights.*")
    else:
        path = folder / name
    if path.exists():
        path.rename(folder.parent / "home" / "moved")
    home = folder.parent / "home"
    if kind == "link to a file":
        path.symlink_to(home / "thesis.tex")
    elif kind == "link to what was there" and (home / "moved").exists():
        path.symlink_to(home / "moved")
    elif kind == "link to nothing":
        path.symlink_to(home / "new")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root may make a device")
    elif kind == "folder or file":
        if name in FOLDERS or name in INSIDE[:1]:
            path.write_bytes(b"no folder")
        else:
            path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            before = Path.cwd()
            os.chdir(path.parent)  # such names are short
            server.bind(path.name)
            os.chdir(before)
    else:
        path.symlink_to(home)
    return path


def write(folder: Path) -> None:
    with SqliteStore.open(folder, "write") as store:
        store.record(run(2))
        store.save_study("t", "{}", [arm("a", [1])])


def read(folder: Path) -> None:
    with SqliteStore.open(folder) as store:
        store.studies()
        store.runs([fingerprint(1)])
        store.weights(fingerprint(1))


def state(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


KINDS = [
    "link to a file",
    "link to what was there",
    "link to nothing",
    "link to a folder",
    "pipe",
    "socket",
    "device",
    "folder or file",
]


@pytest.mark.parametrize("use", [write, read, examine, repair])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMED)
def test_what_a_store_opens_by_name(folder: Path, name: str, kind: str, use: Callable[[Path], object]) -> None:
    path = planted(folder, name, kind)
    before = state(folder.parent / "home")
    with pytest.raises(StoreError, match=r"nothing in a store is opened through a link.*move it away") as caught:
        use(folder)
    assert str(path) in str(caught.value)
    assert state(folder.parent / "home") == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INSIDE)
def test_an_artifact_and_its_folder(folder: Path, name: str, kind: str) -> None:
    planted(folder, name, kind)
    before = state(folder.parent / "home")
    with pytest.raises(ParibusError, match=r"where a store has"):
        read(folder)
    assert examine(folder)
    assert repair(folder)
    assert examine(folder) == []
    with SqliteStore.open(folder, "write") as store:
        assert store.runs([fingerprint(1)]) == {}
        store.record(run(1))
        assert holds(store, run(1))
    assert examine(folder) == []
    assert state(folder.parent / "home") == before


def test_a_lock_file_of_two_names_is_not_written_to(folder: Path) -> None:
    thesis = folder.parent / "home" / "thesis.tex"
    (folder / "writer.lock").unlink()
    (folder / "writer.lock").hardlink_to(thesis)
    write(folder)
    assert thesis.read_bytes() == THESIS


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "pipe", "socket", "folder or file"])
def test_what_has_the_name_of_a_temporary_file_goes(folder: Path, kind: str) -> None:
    (folder / "quarantine").mkdir()
    temporary = (".paribus-salvaged.tmp", "quarantine/.paribus-copy.tmp")
    for name in (f"artifacts/00/.paribus-{fingerprint(2)}.weights.tmp", *temporary):
        planted(folder, name, kind)
    write(folder)
    assert examine(folder) == []
    assert state(folder.parent / "home") == {"thesis.tex": THESIS}
    assert [path for path in folder.rglob("*") if path.name.endswith(".tmp")] == []


def test_a_link_to_a_store_is_a_store(folder: Path) -> None:
    """Its user names that one."""
    link = folder.parent / "link"
    link.symlink_to(folder)
    write(link)
    read(link)
    assert examine(link) == []
