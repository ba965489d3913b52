"""What is wrong in a store: a look at everything in it that changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from paribus.store import queries, study_queries
from paribus.store.artifacts import Artifacts, DamagedArtifactError, is_temporary, parse
from paribus.store.database import DATABASE_NAME
from paribus.store.failures import is_broken
from paribus.store.queries import RunHead
from paribus.store.reading import ReadingDatabase


class Problem(StrEnum):
    """The kinds of things that can be wrong in a store."""

    DATABASE = "broken database"
    ROW = "broken row"
    STUDY = "broken study"
    MISSING = "missing artifact"
    DAMAGED = "damaged artifact"
    ORPHAN = "artifact without a run"
    TEMPORARY = "temporary file"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        problem: its kind.
        subject: the fingerprint of the run, the name of the study, or the file's path inside the store.
        message: what was found and what was expected.
    """

    problem: Problem
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.problem} {self.subject}: {self.message}"


@dataclass(frozen=True, slots=True)
class Table:
    """What the database says: the runs' heads by fingerprint, and what is wrong inside it."""

    heads: dict[str, RunHead]
    findings: tuple[Finding, ...]


def survey(folder: Path, artifacts: Artifacts, *, writer: bool) -> list[Finding]:
    """Everything that is wrong. While somebody else is writing, files without a row may be his work in hand.

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
    finally:
        database.close()
    if any(finding.problem is Problem.DATABASE for finding in table.findings):
        return list(table.findings)
    findings = [*table.findings, *_broken_artifacts(artifacts, table)]
    if not writer:
        findings += _left_files(folder, artifacts, table, files)
    return findings


def broken_rows(connection: sqlite3.Connection) -> list[Finding]:
    """The runs and studies whose rows make no sense."""
    findings = []
    for fingerprint in queries.all_fingerprints(connection):
        try:
            queries.runs(connection, [fingerprint])
        except (ValueError, TypeError) as error:
            findings.append(Finding(Problem.ROW, str(fingerprint), str(error)))
    for name in study_queries.names(connection):
        try:
            study_queries.study(connection, name)
        except (ValueError, TypeError) as error:
            findings.append(Finding(Problem.STUDY, str(name), str(error)))
    return findings


def _table(connection: sqlite3.Connection) -> Table:
    complaints = [row[0] for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
    complaints += [
        f"a row of {row[0]} refers to none in {row[2]}" for row in connection.execute("PRAGMA foreign_key_check")
    ]
    if complaints:
        return Table({}, tuple(Finding(Problem.DATABASE, DATABASE_NAME, complaint) for complaint in complaints))
    findings = broken_rows(connection)
    broken = {finding.subject for finding in findings if finding.problem is Problem.ROW}
    sound = [fingerprint for fingerprint in queries.all_fingerprints(connection) if fingerprint not in broken]
    heads = {name: head for name in sound if (head := queries.run_head(connection, name)) is not None}
    return Table(heads, tuple(findings))


def _broken_artifacts(artifacts: Artifacts, table: Table) -> list[Finding]:
    findings = []
    for fingerprint, head in table.heads.items():
        for kind, sha256 in head.artifacts.items():
            try:
                artifacts.read(fingerprint, kind, sha256)
            except DamagedArtifactError as error:
                problem = Problem.DAMAGED if artifacts.path(fingerprint, kind, sha256).exists() else Problem.MISSING
                findings.append(Finding(problem, fingerprint, str(error)))
    return findings


def _left_files(folder: Path, artifacts: Artifacts, table: Table, files: Collection[Path]) -> list[Finding]:
    named = {
        artifacts.path(fingerprint, kind, sha256)
        for fingerprint, head in table.heads.items()
        for kind, sha256 in head.artifacts.items()
    }
    broken = {finding.subject for finding in table.findings if finding.problem is Problem.ROW}
    findings = []
    for path in files:
        place, artifact = path.relative_to(folder).as_posix(), parse(path.name)
        if is_temporary(path.name):
            findings.append(Finding(Problem.TEMPORARY, place, "left by a writer that was killed"))
        elif artifact is not None and path not in named and artifact.fingerprint not in broken:
            findings.append(Finding(Problem.ORPHAN, place, f"no run {artifact.fingerprint[:12]} has this file"))
    return findings
