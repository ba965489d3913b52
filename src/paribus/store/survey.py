"""What is wrong in a store: a look at everything in it that changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from paribus.store import judgement_queries, ledger, queries, study_queries
from paribus.store.artifacts import Artifacts, DamagedArtifactError, is_temporary, parse
from paribus.store.database import DATABASE_NAME
from paribus.store.failures import decodable, is_broken
from paribus.store.queries import RunHead
from paribus.store.reading import ReadingDatabase


class Problem(StrEnum):
    """The kinds of things that can be wrong in a store."""

    DATABASE = "broken database"
    ROW = "broken row"
    STUDY = "broken study"
    RECIPE = "broken canonical form"
    KEY = "broken key of a canonical form"
    JUDGEMENT = "broken record of a judgement"
    LEDGER = "rows missing or added"
    MISSING = "missing artifact"
    DAMAGED = "damaged artifact"
    ORPHAN = "artifact without a run"
    TEMPORARY = "temporary file"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        problem: its kind.
        subject: the fingerprint of the run, the name of the study, the file's path inside the store, or the table and
            the number of the row.
        message: the value and the expected value.
        row: the number of the row in its table; None for files, and for the database as a whole.
    """

    problem: Problem
    subject: str
    message: str
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.problem} {self.subject}: {self.message}"


@dataclass(frozen=True, slots=True)
class Table:
    """What the database says: rows and heads of its sound runs by fingerprint, and what is wrong inside it."""

    heads: dict[str, tuple[int, RunHead]]
    findings: tuple[Finding, ...]


def survey(folder: Path, artifacts: Artifacts, *, writer: bool) -> list[Finding]:
    """Everything that is wrong. While somebody else is writing, files without a row may be his work in hand.

    Args:
        folder: the store.
        artifacts: its artifacts.
        writer: whether this process holds the writer's lock.

    Raises:
        StoreTooNewError, StoreError: it is not a store that this version can judge.
        OSError: something could not be looked at.
    """
    # Files first: one whose row is committed in between has a row, then; the other way round it would look orphaned.
    files = list(artifacts.files())
    database = ReadingDatabase(folder / DATABASE_NAME)
    try:
        table = database.read(_table, Table({}, ()))
    except sqlite3.DatabaseError as error:
        if not is_broken(error):
            raise
        return [Finding(Problem.DATABASE, DATABASE_NAME, str(error))]
    except UnicodeDecodeError:
        return [Finding(Problem.DATABASE, DATABASE_NAME, "SQLite's report about its tables is not text")]
    finally:
        database.close()
    if any(finding.problem is Problem.DATABASE for finding in table.findings):
        return list(table.findings)
    findings = [*table.findings, *_broken_artifacts(artifacts, table)]
    if not writer:
        findings += _left_files(folder, artifacts, table, files)
    return findings


def broken_rows(connection: sqlite3.Connection) -> list[Finding]:
    """The rows that are not what was written, in an order in which they can be forgotten."""
    findings = []
    for table in _CHECKED:
        for number in [row[0] for row in connection.execute(f"SELECT {table.number} FROM {table.name} NOT INDEXED")]:
            try:
                with decodable():
                    table.check(connection, number)
            except (ValueError, TypeError) as error:
                findings.append(Finding(table.problem, _subject(connection, table, number), str(error), number))
    for name in ledger.TABLES:
        try:
            with decodable():
                ledger.check_ledger(connection, name)
        except (ValueError, TypeError) as error:
            findings.append(Finding(Problem.LEDGER, name, str(error)))
    return findings


@dataclass(frozen=True, slots=True)
class _Checked:
    """A table whose rows are checked one by one: by what, what a broken one is, and which column names its rows."""

    name: str
    check: Callable[[sqlite3.Connection, int], object]
    problem: Problem
    subject: str | None = None
    number: str = "id"


_CHECKED = (
    _Checked("runs", queries.run_at, Problem.ROW, "fingerprint"),
    _Checked("studies", study_queries.study_of, Problem.STUDY, "name"),
    _Checked("recipe_keys", queries.check_recipe_key_at, Problem.KEY, number="rowid"),
    _Checked("recipes", queries.check_recipe_at, Problem.RECIPE),
    _Checked("judgements", judgement_queries.judgement_at, Problem.JUDGEMENT),
)


def _subject(connection: sqlite3.Connection, table: _Checked, number: int) -> str:
    """What the row calls itself, as far as that is a text; else its table and number."""
    if table.subject is not None:
        (content,) = connection.execute(
            f"SELECT CAST({table.subject} AS BLOB) FROM {table.name} WHERE {table.number} = ?", (number,)
        ).fetchone()
        with suppress(UnicodeDecodeError):
            return bytes(content or b"").decode()
    return f"{table.name}, row {number}"


def _table(connection: sqlite3.Connection) -> Table:
    complaints = [row[0] for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
    complaints += [
        f"a row of {row[0]} refers to none in {row[2]}" for row in connection.execute("PRAGMA foreign_key_check")
    ]
    if complaints:
        return Table({}, tuple(Finding(Problem.DATABASE, DATABASE_NAME, complaint) for complaint in complaints))
    findings = broken_rows(connection)
    broken = {finding.row for finding in findings if finding.problem is Problem.ROW}
    heads = {}
    for number in [row[0] for row in connection.execute("SELECT id FROM runs NOT INDEXED")]:
        if number not in broken:
            fingerprint = queries.run_at(connection, number).fingerprint
            try:
                head = queries.run_head(connection, fingerprint)
            except ValueError as error:
                findings.insert(0, Finding(Problem.ROW, fingerprint, str(error), number))
            else:
                assert head is not None, "integrity_check has compared the index with the table"
                heads[fingerprint] = number, head
    return Table(heads, tuple(findings))


def _broken_artifacts(artifacts: Artifacts, table: Table) -> list[Finding]:
    findings = []
    for fingerprint, (number, head) in table.heads.items():
        for kind, sha256 in head.artifacts.items():
            try:
                artifacts.read(fingerprint, kind, sha256)
            except DamagedArtifactError as error:
                problem = Problem.DAMAGED if artifacts.path(fingerprint, kind, sha256).exists() else Problem.MISSING
                findings.append(Finding(problem, fingerprint, str(error), number))
    return findings


def _left_files(folder: Path, artifacts: Artifacts, table: Table, files: Collection[Path]) -> list[Finding]:
    named = {
        artifacts.path(fingerprint, kind, sha256)
        for fingerprint, (_, head) in table.heads.items()
        for kind, sha256 in head.artifacts.items()
    }
    broken = {finding.subject for finding in table.findings if finding.problem is Problem.ROW}
    findings = []
    for path in files:
        place, artifact = path.relative_to(folder).as_posix(), parse(path.name)
        if is_temporary(path.name):
            findings.append(Finding(Problem.TEMPORARY, place, "left by a writer that was killed"))
        elif path.parent == artifacts.folder:
            findings.append(Finding(Problem.ORPHAN, place, "not a folder, where a store has folders of artifacts"))
        elif artifact is not None and path not in named and artifact.fingerprint not in broken:
            findings.append(Finding(Problem.ORPHAN, place, f"no run {artifact.fingerprint[:12]} has this file"))
    return findings
