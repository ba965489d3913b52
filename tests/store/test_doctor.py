"""``paribus doctor``: everything that can be wrong is found and named, mended by moving aside, and the rest works."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paribus.errors import StoreError
from paribus.store.doctor import Problem, examine, repair
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore
from store_crashes import Child, Model, Step, first_and_last, quick_place, temporaries
from store_examples import arm, fingerprint, holds, judgement, recipe, run

NUMBERS = range(1, 6)


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as started:
        yield started


@pytest.fixture
def place() -> Iterator[Path]:
    with quick_place() as folder:
        yield folder


@pytest.fixture
def folder(place: Path) -> Path:
    with SqliteStore.open(place / "runs", "write") as store:
        for number in NUMBERS:
            store.record(run(number))
        store.save_recipe("key", recipe(1))
        store.save_study("s", "{}", [arm("a", list(NUMBERS))])
        store.save_study("t", "{}", [arm("a", [1])])
        store.record_judgements([judgement(1), judgement(2)])
    return place / "runs"


def artifact(folder: Path, number: int, kind: str = "weights") -> Path:
    (path,) = (folder / "artifacts").rglob(f"{fingerprint(number)}.{kind}.*")
    return path


def execute(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "paribus.sqlite")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(statement)
    connection.commit()
    connection.close()


def without(folder: Path, *numbers: int) -> None:
    """The store works, has every run but these, and says nothing is wrong."""
    assert examine(folder) == []
    with SqliteStore.open(folder, "write") as store:
        for number in NUMBERS:
            if number in numbers:
                assert store.runs([fingerprint(number)]) == {}
            else:
                assert holds(store, run(number))
        for number in numbers:
            store.record(run(number))
            assert holds(store, run(number))
    assert examine(folder) == []


def quarantine(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "quarantine").iterdir())


def test_nothing_is_wrong(folder: Path) -> None:
    assert examine(folder) == []
    assert repair(folder) == []
    assert not (folder / "quarantine").exists()
    without(folder)


@pytest.mark.parametrize("look", [examine, repair])
def test_what_is_no_store(place: Path, look: Callable[[Path], list[object]]) -> None:
    (place / "thesis.txt").write_text("mine")
    assert look(place) == []
    assert look(place / "missing") == []
    assert [path.name for path in place.iterdir()] == ["thesis.txt"]
    with pytest.raises(StoreError, match="not a folder"):
        look(place / "thesis.txt")


@pytest.mark.parametrize("kind", ["weights", "predictions"])
def test_a_damaged_artifact(folder: Path, kind: str) -> None:
    path = artifact(folder, 2, kind)
    damaged = path.read_bytes()[:-1] + b"\xee"
    path.write_bytes(damaged)
    (finding,) = examine(folder)
    assert (finding.problem, finding.subject) == (Problem.DAMAGED, fingerprint(2))
    assert "was written" in str(finding)
    (action,) = repair(folder)
    assert action.finding == finding
    assert "computes it again" in str(action)
    assert (folder / "quarantine" / path.name).read_bytes() == damaged
    assert len(quarantine(folder)) == 3
    row = json.loads((folder / "quarantine" / f"run-{fingerprint(2)}.json").read_text())
    assert row["train_accuracy"] == 0.25
    without(folder, 2)


def test_a_missing_artifact(folder: Path) -> None:
    artifact(folder, 2).unlink()
    (finding,) = examine(folder)
    assert (finding.problem, finding.subject) == (Problem.MISSING, fingerprint(2))
    repair(folder)
    without(folder, 2)


def test_two_damages_of_one_run_and_one_of_another(folder: Path) -> None:
    artifact(folder, 2).unlink()
    artifact(folder, 2, "predictions").write_bytes(b"")
    artifact(folder, 4, "predictions").write_bytes(b"")
    assert len(examine(folder)) == len(repair(folder)) == 3
    without(folder, 2, 4)


def test_files_without_a_run(folder: Path) -> None:
    execute(folder, f"DELETE FROM runs WHERE fingerprint = '{fingerprint(3)}'")
    found = examine(folder)
    assert {finding.problem for finding in found} == {Problem.ORPHAN}
    assert sorted(finding.subject.split("/")[-1] for finding in found) == sorted(
        artifact(folder, 3, kind).name for kind in ("weights", "predictions")
    )
    repair(folder)
    assert len(quarantine(folder)) == 2
    without(folder, 3)


def test_a_temporary_file(folder: Path) -> None:
    path = folder / "artifacts" / "00" / f".paribus-{fingerprint(9)}.weights.tmp"
    path.write_bytes(b"ha")
    (finding,) = examine(folder)
    assert finding.problem is Problem.TEMPORARY
    assert path.exists()
    repair(folder)
    assert temporaries(folder) == []
    without(folder)


def test_the_work_of_a_living_writer_is_no_finding(folder: Path) -> None:
    seen = []

    def at(point: str) -> None:
        if point in (Point.HALF_WRITTEN, Point.BEFORE_COMMIT):
            seen.append(examine(folder))

    with SqliteStore.open(folder, "write", at) as store:
        store.record(run(9))
    assert seen == [[], [], []]


def test_a_row_that_was_changed(folder: Path) -> None:
    execute(folder, f"UPDATE runs SET seconds = 9 WHERE fingerprint = '{fingerprint(1)}'")
    (finding,) = examine(folder)
    assert (finding.problem, finding.subject) == (Problem.ROW, fingerprint(1))
    repair(folder)
    assert len(quarantine(folder)) == 3
    without(folder, 1)


def test_a_fingerprint_that_was_changed(folder: Path) -> None:
    execute(folder, f"UPDATE runs SET fingerprint = '../../etc' WHERE fingerprint = '{fingerprint(1)}'")
    assert {finding.problem for finding in examine(folder)} == {Problem.ROW, Problem.ORPHAN}
    repair(folder)
    assert "run-______etc.json" in quarantine(folder)
    without(folder, 1)


@pytest.mark.parametrize(
    "damage",
    ["UPDATE studies SET data = '[1, 2' WHERE name = 't'", "UPDATE studies SET data = '[1, 2]' WHERE name = 't'"],
)
def test_a_study_that_makes_no_sense(folder: Path, damage: str) -> None:
    execute(folder, damage)
    (finding,) = examine(folder)
    assert (finding.problem, finding.subject) == (Problem.STUDY, "t")
    with SqliteStore.open(folder) as store, pytest.raises(StoreError, match="cannot be read"):
        store.studies()
    repair(folder)
    assert quarantine(folder) == ["study-t.json"]
    without(folder)
    with SqliteStore.open(folder) as store:
        assert [study.name for study in store.studies()] == ["s"]


# What every answer depends on: (what was done by UPDATE, what is found, what can no longer be read).


def swapped(folder: Path) -> None:
    """Two runs of an arm change places."""
    first, second = fingerprint(1), fingerprint(2)
    for old, new in ((first, "x"), (second, first), ("x", second)):
        execute(folder, f"UPDATE arm_runs SET fingerprint = '{new}' WHERE fingerprint = '{old}'")


def read_recipe(store: SqliteStore) -> object:
    return store.recipe("key")


def read_studies(store: SqliteStore) -> object:
    return store.studies()


def read_judgements(store: SqliteStore) -> object:
    return store.judgements([judgement(1).anchor])


UPDATES = [
    ("UPDATE recipes SET model = replace(model, 'layers', 'lagers')", {Problem.RECIPE, Problem.STUDY}, read_recipe),
    ("UPDATE recipes SET model = replace(model, 'layers', 'lagers')", {Problem.RECIPE, Problem.STUDY}, read_studies),
    ("UPDATE recipes SET parameters = 2 WHERE parameters = 1", {Problem.RECIPE}, read_recipe),
    ("UPDATE recipe_keys SET recipe = (SELECT max(id) FROM recipes)", {Problem.KEY}, read_recipe),
    ("UPDATE recipe_keys SET recipe = (SELECT min(id) FROM recipes), \"key\" = 'kex'", {Problem.KEY}, None),
    ("UPDATE arm_runs SET init_seed = 7 WHERE init_seed = 5", {Problem.STUDY}, read_studies),
    ("DELETE FROM arm_runs WHERE init_seed = 5", {Problem.STUDY}, read_studies),
    ("UPDATE arms SET name = 'b' WHERE id = 1", {Problem.STUDY}, read_studies),
    ("DELETE FROM arms WHERE id = 1", {Problem.STUDY}, read_studies),
    ("UPDATE studies SET document = '[]' WHERE name = 's'", {Problem.STUDY}, read_studies),
    ("UPDATE studies SET kind = 'noise' WHERE name = 's'", {Problem.STUDY, Problem.LEDGER}, read_studies),
    ("UPDATE studies SET seeds = 4 WHERE name = 's'", {Problem.STUDY}, read_studies),
    ("UPDATE studies SET first_seed = 1 WHERE name = 's'", {Problem.STUDY}, read_studies),
    ("DELETE FROM studies WHERE name = 's'", {Problem.LEDGER}, read_studies),
    ("UPDATE judgements SET seeds = 6 WHERE id = 1", {Problem.JUDGEMENT}, read_judgements),
    ("UPDATE judgements SET is_primary = 0 WHERE id = 1", {Problem.JUDGEMENT}, read_judgements),
    ("UPDATE judgements SET share = 1.0 WHERE id = 1", {Problem.JUDGEMENT}, read_judgements),
    ("DELETE FROM judgements WHERE id = 2", {Problem.LEDGER}, read_judgements),
    ("DELETE FROM ledger", {Problem.LEDGER}, read_judgements),
    ("UPDATE studies SET document = CAST(x'7bff7d' AS TEXT) WHERE name = 't'", {Problem.STUDY}, read_studies),
    ("UPDATE studies SET name = CAST(x'ff' AS TEXT) WHERE name = 't'", {Problem.STUDY, Problem.LEDGER}, read_studies),
    ("UPDATE recipes SET layers = CAST(x'ff' AS TEXT) WHERE parameters = 1", {Problem.RECIPE}, read_recipe),
    ("UPDATE judgements SET metric = CAST(x'ff' AS TEXT) WHERE id = 1", {Problem.JUDGEMENT}, read_judgements),
]


@pytest.mark.parametrize(("update", "problems", "read"), UPDATES)
def test_no_row_is_believed_that_was_not_checked(
    folder: Path, update: str, problems: set[Problem], read: Callable[[SqliteStore], object] | None
) -> None:
    execute(folder, update)
    assert {finding.problem for finding in examine(folder)} == problems
    if read is not None:
        with SqliteStore.open(folder) as store, pytest.raises(StoreError, match=r"paribus doctor --repair"):
            read(store)
    if read is read_studies:
        broken = "t" if "'t'" in update else "s"
        with SqliteStore.open(folder, "write") as writer, pytest.raises(StoreError, match=r"paribus doctor --repair"):
            writer.save_study(broken, "{}", [arm("a", [1])])
    assert repair(folder)
    without(folder)
    with SqliteStore.open(folder) as store:
        for look in (read_recipe, read_studies, read_judgements):
            look(store)


def test_two_runs_that_changed_places(folder: Path) -> None:
    swapped(folder)
    assert {(finding.problem, finding.subject) for finding in examine(folder)} == {
        (Problem.STUDY, "s"),
        (Problem.STUDY, "t"),
    }
    with SqliteStore.open(folder) as store, pytest.raises(StoreError, match="not what was written"):
        store.study("s")
    repair(folder)
    without(folder)


def test_a_checksum_that_was_changed_where_a_study_proves_the_content(folder: Path) -> None:
    execute(folder, "UPDATE recipes SET checksum = 'x'")
    repair(folder)
    with SqliteStore.open(folder) as store:
        assert [study.name for study in store.studies()] == ["s", "t"]
    without(folder)


def test_a_run_with_a_text_that_is_not_utf_8(folder: Path) -> None:
    execute(folder, "UPDATE runs SET fingerprint = CAST(x'ff' AS TEXT) WHERE id = 1")
    execute(folder, "UPDATE runs SET weights_digest = CAST(x'ff' AS TEXT) WHERE id = 2")
    with SqliteStore.open(folder) as store, pytest.raises(StoreError, match=r"not UTF-8.*paribus doctor --repair"):
        store.runs([fingerprint(2)])
    with SqliteStore.open(folder, "write") as writer:
        writer.save_study("u", "{}", [])
    assert {finding.problem for finding in examine(folder)} == {Problem.ROW, Problem.ORPHAN}
    repair(folder)
    without(folder, 1, 2)


# A database that SQLite itself cannot read.


def broken_page(folder: Path, table: str) -> None:
    connection = sqlite3.connect(folder / "paribus.sqlite")
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with (folder / "paribus.sqlite").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 100)


def test_a_broken_table_of_runs(folder: Path) -> None:
    broken_page(folder, "runs")
    findings = examine(folder)
    assert {finding.problem for finding in findings} == {Problem.DATABASE}
    with SqliteStore.open(folder) as store, pytest.raises(StoreError, match=r"paribus doctor --repair"):
        store.runs([fingerprint(1)])
    actions = repair(folder)
    assert any("a new one has the 0 runs that could be read" in str(action) for action in actions)
    assert "paribus.sqlite" in quarantine(folder)
    with SqliteStore.open(folder) as store:
        assert store.study("s") is not None
        assert store.recipe("key") == recipe(1)
    without(folder, *NUMBERS)


def test_a_broken_table_of_studies(folder: Path) -> None:
    broken_page(folder, "studies")
    repair(folder)
    without(folder)
    with SqliteStore.open(folder) as store:
        assert store.studies() == ()


def test_a_broken_index(folder: Path) -> None:
    broken_page(folder, "sqlite_autoindex_runs_1")
    assert {finding.problem for finding in examine(folder)} == {Problem.DATABASE}
    repair(folder)
    without(folder)


def test_many_runs_around_a_broken_page(place: Path) -> None:
    with SqliteStore.open(place, "write") as store:
        for number in range(60):
            store.record(run(number, "failed"))
    connection = sqlite3.connect(place / "paribus.sqlite")
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()
    connection.close()
    content = bytearray((place / "paribus.sqlite").read_bytes())
    page = content[(root - 1) * 4096 : root * 4096]
    assert page[0] == 5, "the table has grown to more than one page"
    middle = int.from_bytes(page[12:14], "big")
    child = int.from_bytes(page[middle : middle + 4], "big")
    content[(child - 1) * 4096 : child * 4096] = b"\xff" * 4096
    (place / "paribus.sqlite").write_bytes(content)
    repair(place)
    assert examine(place) == []
    with SqliteStore.open(place) as store:
        saved = store.runs([fingerprint(number) for number in range(60)])
        assert 30 < len(saved) < 60
        assert all(holds(store, run(number, "failed")) for number in range(60) if fingerprint(number) in saved)


@pytest.mark.parametrize("content", [b"no database at all" * 1000, b"SQLite format 3\0"])
def test_a_database_that_is_none(folder: Path, content: bytes) -> None:
    (folder / "paribus.sqlite").write_bytes(content)
    (finding,) = [finding for finding in examine(folder) if finding.problem is Problem.DATABASE]
    assert finding.subject == "paribus.sqlite"
    repair(folder)
    assert (folder / "quarantine" / "paribus.sqlite").read_bytes() == content
    without(folder, *NUMBERS)


def test_a_truncated_database(folder: Path) -> None:
    content = (folder / "paribus.sqlite").read_bytes()
    for size in range(0, len(content), 5000):
        (folder / "paribus.sqlite").write_bytes(content[:size])
        repair(folder)
        assert examine(folder) == []


def test_a_broken_database_with_the_journal_of_a_killed_writer(folder: Path) -> None:
    """The journal is kept beside the database that it belongs to, and never played back into the new one."""
    (folder / "paribus.sqlite").write_bytes(b"no database at all" * 1000)
    (folder / "paribus.sqlite-journal").write_bytes(b"\0" * 2000)
    repair(folder)
    assert quarantine(folder)[-2:] == ["paribus.sqlite", "paribus.sqlite-journal"]
    assert temporaries(folder) == []
    without(folder, *NUMBERS)


def test_a_damaged_run_with_a_file_that_no_row_names(folder: Path) -> None:
    artifact(folder, 2).rename(artifact(folder, 2).with_name(f"{fingerprint(2)}.weights.0123456789abcdef.safetensors"))
    assert {finding.problem for finding in examine(folder)} == {Problem.MISSING, Problem.ORPHAN}
    repair(folder)
    assert len(quarantine(folder)) == 3
    without(folder, 2)


def test_a_reader_follows_a_replaced_database(folder: Path) -> None:
    with SqliteStore.open(folder) as reader:
        assert holds(reader, run(1))
        broken_page(folder, "studies")
        repair(folder)
        with SqliteStore.open(folder, "write") as writer:
            writer.record(run(9))
        assert holds(reader, run(9))


def test_quarantine_keeps_what_it_has(folder: Path) -> None:
    for content in (b"first", b"second"):
        path = artifact(folder, 2)
        path.write_bytes(content)
        repair(folder)
        with SqliteStore.open(folder, "write") as store:
            store.record(run(2))
    kept = {p.read_bytes() for p in (folder / "quarantine").iterdir() if ".weights." in p.name}
    assert kept == {b"first", b"second"}


BROKEN: list[tuple[str, list[int]]] = [("artifacts", [2, 3]), ("studies", []), ("studies and a journal", [])]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.proof)])
@pytest.mark.parametrize(("what", "lost"), BROKEN)
def test_killed_at_every_point_of_a_repair(place: Path, child: Child, what: str, lost: list[int], every: bool) -> None:
    def broken(name: str) -> Path:
        folder = place / name
        steps: list[Step] = [("record", number) for number in NUMBERS]
        child.ask(folder, [*steps, ("study", "s", [1])])
        if what == "artifacts":
            artifact(folder, 2).write_bytes(b"")
            artifact(folder, 3, "predictions").unlink()
            artifact(folder, 4).with_name(artifact(folder, 4).name.replace("weights", "predictions")).touch()
        else:
            broken_page(folder, "studies")
            if what != "studies":
                (folder / "paribus.sqlite-journal").write_bytes(b"no journal that SQLite would play back" * 100)
        return folder

    whole = broken("whole")
    points = child.ask(whole, [("repair",)]).points
    assert Point.AFTER_MOVE in points if what == "artifacts" else Point.AFTER_REPLACE in points
    for index in range(len(points)) if every else first_and_last(points):
        folder, point = broken(str(index)), points[index]
        assert child.ask(folder, [("repair",)], kill_at=index).signal == signal.SIGKILL
        SqliteStore.open(folder, "write").close()
        assert temporaries(folder) == [], point
        repair(folder)
        # A copy that was made before the kill is used, and whole.
        copies = [path.read_bytes() for path in (folder / "quarantine").glob("paribus.sqlite*")]
        assert len(copies) == len(set(copies)), point
        assert {*map(len, copies)} <= {path.stat().st_size for path in (whole / "quarantine").iterdir()}, point
        assert examine(folder) == [], point
        with SqliteStore.open(folder) as store:
            left = Model({number: run(number) for number in NUMBERS if number not in lost})
            assert left.runs.keys() == {n for n in NUMBERS if store.runs([fingerprint(n)])}
            assert all(holds(store, result) for result in left.runs.values())
