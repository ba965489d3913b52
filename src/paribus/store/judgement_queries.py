"""SQL about what was judged when: functions of a connection. Rows are only ever added."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from paribus.store import rows
from paribus.store.base import Judgement
from paribus.store.ledger import JUDGEMENTS, check_ledger, update_ledger

_COLUMNS = "anchor, metric, seeds, is_primary, share, look"


def judgements(connection: sqlite3.Connection) -> tuple[Judgement, ...]:
    """All judgements, in the order in which they were recorded.

    Raises:
        BrokenRowError: one of them is not what was written, or is missing.
    """
    listed = connection.execute(f"SELECT {_COLUMNS}, checksum FROM judgements NOT INDEXED ORDER BY id").fetchall()
    check_ledger(connection, JUDGEMENTS)
    return tuple(judgement_of(row) for row in listed)


def judgement_at(connection: sqlite3.Connection, number: int) -> Judgement:
    """The judgement in the row of that number.

    Raises:
        BrokenRowError: it is not what was written.
    """
    return judgement_of(
        connection.execute(f"SELECT {_COLUMNS}, checksum FROM judgements WHERE id = ?", (number,)).fetchone()
    )


def judgement_of(row: Sequence[Any]) -> Judgement:
    """The judgement of a row of its columns and checksum."""
    *values, checksum = row
    rows.check_row("what was judged before", rows.row_checksum(JUDGEMENTS, *values), checksum)
    anchor, metric, seeds, primary, share, look = values
    return Judgement(anchor, metric, seeds, bool(primary), float(share), look)


def put_judgements(connection: sqlite3.Connection, judgements: Sequence[Judgement]) -> None:
    """Add judgements after those that are there."""
    for judgement in judgements:
        look = None if judgement.look is None else int(judgement.look)
        values = (
            judgement.anchor,
            judgement.metric,
            int(judgement.seeds),
            int(judgement.primary),
            float(judgement.share),
            look,
        )
        connection.execute(
            f"INSERT INTO judgements ({_COLUMNS}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, rows.row_checksum(JUDGEMENTS, *values)),
        )
    update_ledger(connection, JUDGEMENTS)
