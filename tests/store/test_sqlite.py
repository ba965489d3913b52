"""The store in a folder: who may open it, what readers see, and what damage does."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paribus.errors import StoreBusyError, StoreError, StoreTooNewError
from paribus.store import reading, schema
from paribus.store.artifacts import Artifacts
from paribus.store.doctor import examine, repair
from paribus.store.sqlite import SqliteStore
from paribus.version import __version__
from store_crashes import NEXT_FORMAT, Child
from store_examples import arm, fingerprint, holds, recipe, run, same_array


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as started:
        yield started


def filled(folder: Path, *numbers: int) -> Path:
    with SqliteStore.open(folder, "write") as store:
        for number in numbers or (1, 2):
            store.record(run(number))
        store.save_recipe("key", recipe(1))
        store.save_study("s", "{}", [arm("a", [1, 2])])
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def artifact(folder: Path, number: int, kind: str = "weights") -> Path:
    (path,) = (folder / "artifacts").rglob(f"{fingerprint(number)}.{kind}.*")
    return path


# Opening.


def test_folders_are_made(tmp_path: Path) -> None:
    filled(tmp_path / "a" / "b c" / "?d#%41")
    with SqliteStore.open(tmp_path / "a" / "b c" / "?d#%41") as store:
        assert holds(store, run(1))


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_file_is_no_store(tmp_path: Path, mode: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="not a folder, and a store is one; choose another with --store"):
        SqliteStore.open(tmp_path / "file", mode)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="Not a directory"):
        SqliteStore.open(tmp_path / "file" / "runs", "write")


def test_a_reader_of_nothing_finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with SqliteStore.open(folder) as store:
            assert store.runs([fingerprint(1)]) == {}
            assert store.recipe("key") is None
            assert store.study("s") is None
            assert store.studies() == ()
            with pytest.raises(StoreError, match="no run"):
                store.weights(fingerprint(1))
    assert list(tmp_path.iterdir()) == []


def test_a_reader_waits_for_a_store_to_appear_and_follows_it(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "runs") as reader:
        assert reader.runs([fingerprint(1)]) == {}
        with SqliteStore.open(tmp_path / "runs", "write") as writer:
            assert reader.runs([fingerprint(1)]) == {}
            writer.record(run(1))
            assert holds(reader, run(1))
            writer.record(run(2))
            assert holds(reader, run(2))


def test_a_reader_may_not_write(tmp_path: Path) -> None:
    filled(tmp_path)
    before = everything(tmp_path)
    with SqliteStore.open(tmp_path) as reader:
        with pytest.raises(StoreError, match="opened for reading; open it with mode='write'"):
            reader.record(run(3))
        with pytest.raises(StoreError, match="opened for reading"):
            reader.save_study("t", "{}", [])
    assert everything(tmp_path) == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "paribus.sqlite")
    connection.execute("CREATE TABLE runs (mine)")
    connection.commit()
    connection.close()
    before = (tmp_path / "paribus.sqlite").read_bytes()
    with pytest.raises(StoreError, match="a SQLite database, but not one of paribus; choose another folder"):
        SqliteStore.open(tmp_path, "write")
    with SqliteStore.open(tmp_path) as reader, pytest.raises(StoreError, match="not one of paribus"):
        reader.studies()
    for look in (examine, repair):
        with pytest.raises(StoreError, match="not one of paribus"):
            look(tmp_path)
    assert (tmp_path / "paribus.sqlite").read_bytes() == before


def test_what_is_no_database_at_all(tmp_path: Path) -> None:
    (tmp_path / "paribus.sqlite").write_text("It was a dark and stormy night. " * 100)
    with pytest.raises(StoreError, match=r"file is not a database.*paribus doctor --repair"):
        SqliteStore.open(tmp_path, "write")
    with SqliteStore.open(tmp_path) as reader, pytest.raises(StoreError, match="file is not a database"):
        reader.studies()


def test_a_store_from_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "paribus.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = everything(tmp_path)
    words = f"format 99, written by a newer paribus; paribus {__version__} knows formats up to {len(schema.MIGRATIONS)}"
    with pytest.raises(StoreTooNewError, match=words) as error:
        SqliteStore.open(tmp_path, "write")
    assert error.value.exit_code == 6
    with SqliteStore.open(tmp_path) as reader, pytest.raises(StoreTooNewError, match="Update paribus"):
        reader.runs([fingerprint(1)])
    for look in (examine, repair):
        with pytest.raises(StoreTooNewError):
            look(tmp_path)
    assert everything(tmp_path) == before


# An older format.


def test_a_store_of_an_older_format_is_migrated_by_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT_FORMAT))
    with SqliteStore.open(tmp_path, "write") as store:
        assert holds(store, run(1))
        store.record(run(3))
    connection = sqlite3.connect(tmp_path / "paribus.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert connection.execute("SELECT * FROM later").fetchall() == []
    connection.close()


def test_a_store_of_an_older_format_is_read_without_touching_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    before = everything(tmp_path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT_FORMAT))
    with SqliteStore.open(tmp_path) as store:
        assert holds(store, run(1))
        assert [study.name for study in store.studies()] == ["s"]
    assert examine(tmp_path) == []
    assert everything(tmp_path) == before


def test_a_migration_that_fails_leaves_the_older_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    released = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*released, (*NEXT_FORMAT, "CREATE TABLE runs (x)")))
    with pytest.raises(StoreError, match="table runs already exists"):
        SqliteStore.open(tmp_path, "write")
    monkeypatch.setattr(schema, "MIGRATIONS", released)
    with SqliteStore.open(tmp_path, "write") as store:
        assert holds(store, run(1))


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """Nothing here can cut the power from under SQLite; its settings say what it does. 3 is EXTRA."""
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / "paribus.sqlite")
    assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)  # by some database browser
    connection.close()
    with SqliteStore.open(tmp_path, "write") as store:
        assert not isinstance(store._database, reading.ReadingDatabase)
        assert store._database.connection.execute("PRAGMA synchronous").fetchone() == (3,)
        assert store._database.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


# One writer.

HOLD = """
import sys, time
from paribus.store.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1], "write")
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_second_writer_is_refused_by_name_of_the_first(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    started = r"\(started \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)"
    with pytest.raises(StoreBusyError, match=rf"process {holder.pid} {started} is writing to this store") as error:
        SqliteStore.open(tmp_path, "write")
    assert error.value.exit_code == 5
    with pytest.raises(StoreBusyError, match=str(holder.pid)):
        repair(tmp_path)
    with SqliteStore.open(tmp_path) as reader:  # readers are let in
        assert reader.studies() == ()
    assert examine(tmp_path) == []


def test_a_killed_writer_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / "writer.lock").read_text())["pid"] == holder.pid
    with SqliteStore.open(tmp_path, "write") as store:
        store.record(run(1))


def test_a_closed_store_names_nobody(tmp_path: Path) -> None:
    """Or the next writer's refusals would name the last one, until it has written its own name."""
    filled(tmp_path)
    assert (tmp_path / "writer.lock").read_text() == ""


def test_a_stopped_writer_still_holds(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(StoreBusyError):
        SqliteStore.open(tmp_path, "write")


def test_one_writer_within_a_process_too(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path, "write"), pytest.raises(StoreBusyError, match=f"process {os.getpid()}"):
        SqliteStore.open(tmp_path, "write")
    SqliteStore.open(tmp_path, "write").close()


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', '{"pid": 999999999, "started": "x"}', "[]"])
def test_the_content_of_the_lock_file_is_only_words(tmp_path: Path, content: str) -> None:
    filled(tmp_path)
    (tmp_path / "writer.lock").write_text(content)
    with SqliteStore.open(tmp_path, "write"):
        (tmp_path / "writer.lock").write_text(content)
        with pytest.raises(StoreBusyError, match="another process is writing"):
            SqliteStore.open(tmp_path, "write")


FORK = """
import os, sys, time
from paribus.errors import StoreError
from paribus.store.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1], "write")
if os.fork():
    os._exit(0)  # like a kill: nothing is given back
for use in (lambda: store.studies(), lambda: store.save_study("t", "{}", [])):
    try:
        use()
    except StoreError as error:
        print(error, flush=True)
store.close()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_forked_child_neither_holds_nor_uses_its_parents_store(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FORK, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        words = list(iter(process.stdout.readline, "ready\n"))
        process.wait()  # the parent; its child still has both pipes
        assert len(words) == 2
        assert all("before it forked; open the store again" in line for line in words)
        SqliteStore.open(tmp_path, "write").close()


# Media that cannot be written to.


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_one_may_not_write_to(child: Child, open_place: Path) -> None:
    folder = filled(open_place / "runs")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = everything(folder)
    try:
        for steps in ([("open",)], [("repair",)]):
            refused = child.ask(folder, steps, uid=65534)
            assert refused.error == "StoreError"
            assert refused.message is not None
            assert re.search(r"/runs: .*Permission denied.* choose another.*--store", refused.message)
        refused = child.ask(open_place / "new", [("open",)], uid=65534)
        if os.getuid() == 0:
            assert refused.message is not None
            assert re.search(r"/new: .*Permission denied.* choose another", refused.message)
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
    assert everything(folder) == before


IN_NAMESPACE = """
import subprocess, sys
from pathlib import Path
from typing import Any
sys.path.insert(0, sys.argv[2])
from store_examples import holds, run
from paribus.errors import StoreError
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore
folder = sys.argv[1]
def refused(*words):
    try:
        with SqliteStore.open(folder, "write") as store:
            for number in range(10, 400):
                store.record(run(number, size=1000))
    except StoreError as error:
        assert all(word in str(error) for word in words), error
        return
    sys.exit("not refused")
if sys.argv[3] == "read-only":
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    refused("Read-only file system", "choose another")
else:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", folder], check=True)
    refused("was not recorded", "free some space")
    assert not [p for p in Path(folder).rglob("*") if "tmp" in p.name or "journal" in p.name]
    with SqliteStore.open(folder) as store:
        recorded = [n for n in range(10, 400) if store.runs([run(n).fingerprint])]
        assert recorded
        assert all(holds(store, run(n, size=1000)) for n in recorded)
    assert examine(folder) == []
    sys.exit()
with SqliteStore.open(folder) as store:
    assert holds(store, run(1))
assert examine(folder) == []
"""


@pytest.mark.parametrize("what", ["read-only", "full"])
def test_a_file_system_that_is(tmp_path: Path, what: str) -> None:
    """A real one, mounted where only this test sees it."""
    inside = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        subprocess.run([*inside, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount; the same is tested with injected errors")
    filled(tmp_path)
    before = everything(tmp_path)
    command = [*inside, sys.executable, "-c", IN_NAMESPACE, str(tmp_path), str(Path(__file__).parents[1]), what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(tmp_path) == before


# A writer killed in the middle of SQLite's own commit leaves a journal that must be played back.

CUT_OFF = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the commit
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE runs SET reason = 'half a commit'")
statement = "INSERT INTO studies (name, document, kind, checksum) VALUES (?, ?, 'study', '')"
connection.executemany(statement, [(str(n), "x" * 4000) for n in range(50)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def cut_off(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CUT_OFF, str(folder / "paribus.sqlite")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (folder / "paribus.sqlite-journal").stat().st_size > 0


def test_readers_see_the_last_commit_though_its_successor_was_cut_off(tmp_path: Path) -> None:
    filled(tmp_path)
    with SqliteStore.open(tmp_path) as reader:
        assert holds(reader, run(1))
        cut_off(tmp_path)
        before = everything(tmp_path)
        for _ in range(2):
            assert holds(reader, run(1))
            assert [study.name for study in reader.studies()] == ["s"]
        assert examine(tmp_path) == []
        assert everything(tmp_path) == before
        with SqliteStore.open(tmp_path, "write") as writer:
            assert holds(writer, run(1))
            assert not (tmp_path / "paribus.sqlite-journal").exists()
            writer.record(run(3))
            assert holds(reader, run(3))


def test_a_reader_that_copies_while_a_writer_plays_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy would mix an old journal with a newer database: the reader notices, and looks again."""
    cut_off(filled(tmp_path))
    copy = reading._copy_database

    def late(path: Path, target: Path) -> None:
        with SqliteStore.open(tmp_path, "write") as writer:
            for number in range(3, 60):
                writer.record(run(number, "failed"))
        copy(path, target)

    monkeypatch.setattr(reading, "_copy_database", late)
    with SqliteStore.open(tmp_path) as reader:
        assert len(reader.runs([fingerprint(number) for number in range(1, 60)])) == 59
        assert [study.name for study in reader.studies()] == ["s"]


READ = """
import os, signal, sys
from paribus.store import reading
from paribus.store.sqlite import SqliteStore
copy = reading._copy_database
def killed(path, target):
    copy(path, target)
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2:]:
    reading._copy_database = killed
with SqliteStore.open(sys.argv[1]) as store:
    print([study.name for study in store.studies()])
"""


def test_a_reader_that_is_killed_leaves_nothing_for_ever(tmp_path: Path) -> None:
    """What it played the journal back in goes with the next reader that has to do so."""
    cut_off(filled(tmp_path / "runs"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-c", READ, str(tmp_path / "runs")]
    environment = os.environ | {"TMPDIR": str(temporary)}
    killed = subprocess.run([*command, "killed"], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path for path in temporary.rglob("*") if path.is_file()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("['s']\n", "")
    assert list(temporary.iterdir()) == []


def test_a_reader_whose_run_is_replaced_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read the row, and the file that the row names is gone: the row is read again."""
    with SqliteStore.open(tmp_path, "write") as writer:
        writer.record(run(1, "diverged"))
        read = Artifacts.read
        versions = iter([1])

        def late(self: Artifacts, *values: Any) -> bytes:
            for version in versions:
                writer.record(run(1, "diverged", version=version))
            return read(self, *values)

        monkeypatch.setattr(Artifacts, "read", late)
        with SqliteStore.open(tmp_path) as reader:
            kernel = reader.weights(fingerprint(1))["dense/kernel"]
    expected = run(1, "diverged", version=1).weights
    assert expected is not None
    assert same_array(kernel, expected["dense/kernel"])


def test_a_reader_that_meets_the_playing_back(tmp_path: Path) -> None:
    """Readers in a loop, while writers are cut off and others play the journal back: always whole states."""
    filled(tmp_path)
    stop, wrong = threading.Event(), list[str]()

    def read() -> None:
        with SqliteStore.open(tmp_path) as reader:
            while not stop.is_set():
                names = [study.name for study in reader.studies()]
                if names != ["s"] or not holds(reader, run(1)):
                    wrong.append(f"{names}")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        cut_off(tmp_path)
        time.sleep(0.02)
        SqliteStore.open(tmp_path, "write").close()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# Damage.


@pytest.mark.parametrize("kind", ["weights", "predictions"])
@pytest.mark.parametrize("damage", ["missing", "flipped", "short", "empty"])
def test_damaged_artifacts_are_named_and_the_rest_works(tmp_path: Path, kind: str, damage: str) -> None:
    path = artifact(filled(tmp_path), 1, kind)
    content = bytearray(path.read_bytes())
    match damage:
        case "missing":
            path.unlink()
        case "flipped":
            content[-1] ^= 1
            path.write_bytes(content)
        case "short":
            path.write_bytes(content[:-1])
        case "empty":
            path.write_bytes(b"")
    words = rf"the {kind} of run 000000010000 are damaged: .*paribus doctor --repair --store"
    with SqliteStore.open(tmp_path) as store:
        with pytest.raises(StoreError, match=words):
            store.weights(fingerprint(1)) if kind == "weights" else store.predictions(fingerprint(1))
        assert fingerprint(1) in store.runs([fingerprint(1)])
        assert holds(store, run(2))


def test_a_bit_that_flips_inside_a_row(tmp_path: Path) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "paribus.sqlite") as connection:
        connection.execute(
            "UPDATE runs SET test_accuracy = test_accuracy + 1e-9 WHERE fingerprint = ?", (fingerprint(1),)
        )
    connection.close()
    with SqliteStore.open(tmp_path) as store:
        with pytest.raises(StoreError, match=r"row of run '0000000100.*' is not what was written.*paribus doctor"):
            store.runs([fingerprint(1)])
        assert holds(store, run(2))


def test_another_program_that_keeps_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.store.database._PATIENCE", 0.05)
    with SqliteStore.open(tmp_path, "write") as store:
        other = sqlite3.connect(tmp_path / "paribus.sqlite", isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT * FROM runs").fetchall()
        with pytest.raises(StoreError, match="another program keeps the database open; close it"):
            store.record(run(1))
        assert list((tmp_path / "artifacts").rglob("*.safetensors")) == []
        other.close()
        store.record(run(1))
        assert holds(store, run(1))


def test_replaced_artifacts_are_removed(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path, "write") as store:
        store.record(run(1, "diverged"))
        store.record(run(1, "diverged", version=1))
        assert len(list((tmp_path / "artifacts").rglob("*.safetensors"))) == 2
        assert holds(store, run(1, "diverged", version=1))


def test_only_our_temporary_files_are_removed(tmp_path: Path) -> None:
    folder = filled(tmp_path) / "artifacts" / "00"
    ours = folder / f".paribus-{fingerprint(1)}.weights.tmp"
    others = [folder / ".paribus-notes.tmp", folder / f"{fingerprint(1)}.tmp", tmp_path / "mine.tmp"]
    for path in (ours, *others):
        path.write_text("x")
    SqliteStore.open(tmp_path, "write").close()
    assert not ours.exists()
    assert all(path.exists() for path in others)


def test_the_room_imports_neither_keras_nor_jax_nor_what_it_may_not_need() -> None:
    code = "import sys, paribus.store.sqlite, paribus.store.doctor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "jax", "jaxlib", "safetensors", "pydantic"} & set(done.stdout.split())
