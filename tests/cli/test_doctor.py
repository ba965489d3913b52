"""``paribus doctor`` on the command line: what it says, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Said, call
from paribus.store import schema
from paribus.store.lock import WriterLock
from paribus.store.sqlite import SqliteStore
from store_examples import arm, fingerprint, run

Doctor = Callable[..., Said]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with SqliteStore.open(tmp_path / "runs", "write") as store:
        for number in (1, 2):
            store.record(run(number))
        store.save_study("s", "{}", [arm("a", [1, 2])])
    return tmp_path / "runs"


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Doctor:
    return lambda *arguments: call(capsys, monkeypatch, "doctor", "--store", folder, *arguments)


def damage(folder: Path) -> Path:
    (path,) = (folder / "artifacts").rglob(f"{fingerprint(2)}.weights.*")
    path.write_bytes(b"rubbish")
    return path


def test_a_sound_store(doctor: Doctor, folder: Path) -> None:
    assert doctor() == doctor("--repair") == Said(0, f"{folder}: sound\n", "")
    assert json.loads(doctor("--json").out) == {"store": str(folder), "sound": True, "findings": [], "mended": []}


def test_no_store(doctor: Doctor, tmp_path: Path) -> None:
    """Nothing is wrong with nothing, but a folder that was mistyped is not called sound."""
    missing = tmp_path / "missing"
    for options in ((), ("--repair",)):
        said = doctor("--store", missing, *options)
        assert (said.code, said.out) == (0, f"{missing}: there is no store here, so nothing is wrong with it\n")
    (tmp_path / "empty").mkdir()
    assert "there is no store here" in doctor("--store", tmp_path / "empty").out
    assert not missing.exists()


def test_a_damaged_artifact_is_named_then_mended(doctor: Doctor, folder: Path) -> None:
    path = damage(folder)
    found = doctor()
    assert found.code == 1
    assert f"damaged artifact {fingerprint(2)}: {path} has sha256" in found.out
    assert "1 problem; `paribus doctor --repair` repairs" in found.out
    assert path.read_bytes() == b"rubbish", "looking changes nothing"
    mended = doctor("--repair")
    assert mended.code == 0
    assert "moved to quarantine/" in mended.out
    assert f"{folder}: 1 repaired, now sound" in mended.out
    assert (folder / "quarantine" / path.name).read_bytes() == b"rubbish"
    assert doctor().code == 0


def test_json(doctor: Doctor, folder: Path) -> None:
    damage(folder)
    found = doctor("--json")
    (finding,) = json.loads(found.out)["findings"]
    assert (found.code, found.err) == (1, "")
    assert (finding["problem"], finding["subject"]) == ("damaged artifact", fingerprint(2))
    mended = doctor("--json", "--repair")
    document = json.loads(mended.out)
    assert (mended.code, document["sound"], document["findings"]) == (0, True, [])
    assert document["mended"] == [{**finding, "done": document["mended"][0]["done"]}]


def test_a_store_that_somebody_writes_to_is_looked_at_but_not_mended(doctor: Doctor, folder: Path) -> None:
    lock = WriterLock(folder)
    try:
        assert doctor().code == 0
        refused = doctor("--repair")
    finally:
        lock.release()
    assert refused.code == 5
    assert "is writing to this store" in refused.err


def test_a_newer_store(doctor: Doctor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*migrations, ("CREATE TABLE later (x)",)))
    SqliteStore.open(folder, "write").close()
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    for options in ((), ("--repair",)):
        said = doctor(*options)
        assert said.code == 6
        assert "newer" in said.err


def test_a_file_is_no_store(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    said = doctor("--store", tmp_path / "thesis.txt")
    assert said.code == 1
    assert "not a folder, and a store is one" in said.err
