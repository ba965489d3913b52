"""``paribus doctor``: what is wrong in a store, and its repair. Nothing is deleted; it is moved into ``quarantine/``.

(But for temporary files: those hold the beginning of something that was never recorded, and any writer removes them.)
A run that is set aside is computed again by the next ``paribus run``, to the same bits.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import final

from paribus.errors import StoreError
from paribus.store.artifacts import ARTIFACTS_NAME, Artifacts
from paribus.store.database import DATABASE_NAME, clean, connect, migrate, replace_database, transaction
from paribus.store.durable import sync_folder
from paribus.store.failures import explained
from paribus.store.forgetting import forget_row, raw_row
from paribus.store.lock import WriterLock, no_writer
from paribus.store.points import Hook, nothing
from paribus.store.quarantine import QUARANTINE_NAME, Quarantine
from paribus.store.regular import check_kinds
from paribus.store.salvage import salvage
from paribus.store.survey import Finding, Problem, survey

_KINDS = {
    Problem.ROW: "run",
    Problem.MISSING: "run",
    Problem.DAMAGED: "run",
    Problem.STUDY: "study",
    Problem.RECIPE: "canonical-form",
    Problem.KEY: "key",
    Problem.JUDGEMENT: "judgement",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What was done about a finding."""

    finding: Finding
    done: str

    def __str__(self) -> str:
        return f"{self.finding.problem} {self.finding.subject}: {self.done}"


def examine(folder: str | os.PathLike[str]) -> list[Finding]:
    """Everything that is wrong in a store; nothing is changed. No store, nothing wrong.

    While another process is writing, files that no row names are taken for its work in hand.

    Args:
        folder: the store.

    Returns:
        The findings, in the order in which they can be repaired.

    Raises:
        StoreTooNewError: it was written by a newer version of paribus.
        StoreError: it is not a store, or cannot be read.
    """
    path = Path(folder)
    with explained(path, "the store cannot be examined"):
        if not is_store(path):
            return []
        with no_writer(path) as alone:
            return survey(path, Artifacts(path, nothing), writer=not alone)


def repair(folder: str | os.PathLike[str], at: Hook = nothing) -> list[Action]:
    """Repair what ``examine`` finds, as the store's one writer. Killed at any moment, it can be called again.

    Args:
        folder: the store.
        at: called at every ``Point`` of a write; for tests.

    Returns:
        What was done about each finding.

    Raises:
        StoreBusyError: another process is writing to the store.
        StoreTooNewError, StoreError: as for ``examine``, or it cannot be written to.
    """
    path = Path(folder)
    with explained(path, "the store was not repaired"):
        if not is_store(path):
            return []
        lock = WriterLock(path)
        try:
            return _Repair(path, at).all()
        finally:
            lock.release()


def is_store(folder: Path) -> bool:
    """Whether there is a store in a folder.

    Raises:
        StoreError: it is no folder, or has something else in a file's place.
    """
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder}: not a folder, and a store is one; choose another with --store")
    check_kinds(folder)
    return (folder / DATABASE_NAME).exists() or (folder / ARTIFACTS_NAME).exists()


@final
class _Repair:
    """One repair of one store, by whoever holds its lock."""

    def __init__(self, folder: Path, at: Hook) -> None:
        self._folder = folder
        self._at = at
        self._artifacts = Artifacts(folder, at)
        self._quarantine = Quarantine(folder, at)

    def all(self) -> list[Action]:
        clean(self._folder)
        self._quarantine.clean()
        findings = survey(self._folder, self._artifacts, writer=False)
        actions = []
        if any(finding.problem is Problem.DATABASE for finding in findings):
            done = self._replace_database()
            actions += [Action(finding, done) for finding in findings]
            findings = survey(self._folder, self._artifacts, writer=False)
        if findings:
            with closing(connect(self._folder / DATABASE_NAME, "rwc")) as connection:
                migrate(connection, self._folder / DATABASE_NAME, self._at)
                actions += [Action(finding, self._repair(connection, finding)) for finding in findings]
        return actions

    def _repair(self, connection: sqlite3.Connection, finding: Finding) -> str:
        match finding.problem:
            case Problem.ROW | Problem.MISSING | Problem.DAMAGED:
                return self._set_run_aside(connection, finding)
            case Problem.STUDY | Problem.RECIPE | Problem.KEY | Problem.JUDGEMENT:
                return self._set_row_aside(connection, finding)
            case Problem.LEDGER:
                with transaction(connection, self._at):
                    return forget_row(connection, finding)
            case Problem.TEMPORARY:
                self._artifacts.clean()
                return "removed"
            case Problem.ORPHAN:
                # It may have gone already, together with the run that it once belonged to.
                if os.path.lexists(self._folder / finding.subject):
                    self._quarantine.move(self._folder / finding.subject)
                return f"moved to {QUARANTINE_NAME}/"
            case Problem.DATABASE:
                raise AssertionError("a broken database is replaced before anything else")

    def _set_row_aside(self, connection: sqlite3.Connection, finding: Finding) -> str:
        row = raw_row(connection, finding)
        if row is None:
            return "it was set aside with another"
        self._copy_row(_KINDS[finding.problem], finding.subject, row)
        with transaction(connection, self._at):
            remedy = forget_row(connection, finding)
        return f"moved to {QUARANTINE_NAME}/; {remedy}"

    def _set_run_aside(self, connection: sqlite3.Connection, finding: Finding) -> str:
        """Row first, then files: killed in between, the files are orphans, which the next repair moves."""
        done = self._set_row_aside(connection, finding)
        for path in list(self._artifacts.files_of(finding.subject)):
            self._quarantine.move(path)
        return done

    def _replace_database(self) -> str:
        """Copy the broken one into quarantine, then put the salvaged one in its place with one rename."""
        database = self._folder / DATABASE_NAME
        journal = database.with_name(f"{DATABASE_NAME}-journal")
        if journal.exists():
            self._quarantine.copy(journal.name, journal.read_bytes())
        copy = self._quarantine.copy(database.name, database.read_bytes())
        content, count = salvage(database)
        # A journal that could not be played back belongs to the broken database, and would break the new one.
        journal.unlink(missing_ok=True)
        sync_folder(self._folder)
        replace_database(self._folder, content, self._at)
        return f"copied to {QUARANTINE_NAME}/{copy.name}; a new one has the {count} runs that could be read"

    def _copy_row(self, kind: str, name: str, row: dict[str, object]) -> None:
        text = json.dumps(row, indent=1, default=lambda blob: {"blob": bytes.hex(blob)})
        self._quarantine.copy(f"{kind}-{re.sub('[^0-9A-Za-z_-]', '_', name)[:80]}.json", text.encode())
