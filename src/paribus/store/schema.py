"""The tables, as numbered migrations. Append only: a migration that was released is never edited.

A database's ``user_version`` is the number of migrations it has had. Format 1 is the first. A migration is a sequence
of SQL statements and of functions of the connection, for what SQL cannot say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from paribus.store.upgrade import derive_kinds_and_checksums

Step = str | Callable[[sqlite3.Connection], None]

APPLICATION_ID: Final = 0x50524253
"""``PRBS``: what says that a SQLite file is ours."""

_FORMAT_1: Final = (
    """
    CREATE TABLE environments (
        id INTEGER PRIMARY KEY,
        paribus TEXT NOT NULL, python TEXT NOT NULL, keras TEXT NOT NULL, jax TEXT NOT NULL, jaxlib TEXT NOT NULL,
        numpy TEXT NOT NULL, platform TEXT NOT NULL, cpu TEXT NOT NULL, device TEXT NOT NULL, flags TEXT NOT NULL,
        UNIQUE (paribus, python, keras, jax, jaxlib, numpy, platform, cpu, device, flags)
    )
    """,
    # SQLite keeps a nan as NULL: `scored` tells a run without scores from one whose scores are nan. Scores have no
    # declared type because a REAL column would turn -0.0 (the loss of a certain network) into 0.0. Curves are float64,
    # little-endian, one an epoch. An artifact's file is named by its run and its sha256 (artifacts.py). SQLite does not
    # notice a bit that flips inside a value: `checksum` covers the row and its environment (rows.py).
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL CHECK (status IN ('finished', 'diverged', 'failed')),
        init_seed INTEGER NOT NULL, order_seed INTEGER NOT NULL, dropout_seed INTEGER NOT NULL,
        scored INTEGER NOT NULL CHECK (scored IN (0, 1)),
        fit_accuracy, fit_loss, train_accuracy, train_loss, test_accuracy, test_loss,
        fit_loss_curve BLOB NOT NULL, fit_accuracy_curve BLOB NOT NULL,
        val_loss_curve BLOB NOT NULL, val_accuracy_curve BLOB NOT NULL,
        seconds,
        weights_digest TEXT,
        environment INTEGER REFERENCES environments (id),
        reason TEXT,
        predictions_sha256 TEXT,
        weights_sha256 TEXT,
        checksum TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE recipes (
        id INTEGER PRIMARY KEY,
        model TEXT NOT NULL, optimizer TEXT NOT NULL, parameters INTEGER NOT NULL, layers TEXT NOT NULL,
        UNIQUE (model, optimizer, parameters, layers)
    )
    """,
    """
    CREATE TABLE recipe_keys (
        "key" TEXT PRIMARY KEY,
        recipe INTEGER NOT NULL REFERENCES recipes (id)
    )
    """,
    """
    CREATE TABLE studies (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        document TEXT NOT NULL,
        data TEXT
    )
    """,
    """
    CREATE TABLE arms (
        id INTEGER PRIMARY KEY,
        study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        recipe INTEGER NOT NULL REFERENCES recipes (id),
        UNIQUE (study, name)
    )
    """,
    """
    CREATE TABLE arm_runs (
        arm INTEGER NOT NULL REFERENCES arms (id) ON DELETE CASCADE,
        init_seed INTEGER NOT NULL, order_seed INTEGER NOT NULL, dropout_seed INTEGER NOT NULL,
        fingerprint TEXT NOT NULL,
        PRIMARY KEY (arm, init_seed, order_seed, dropout_seed)
    ) WITHOUT ROWID
    """,
)

_FORMAT_2: Final = (
    # What the protocol's own metrics say, as JSON; NULL where there are none, and then no part of the checksum.
    "ALTER TABLE runs ADD COLUMN metrics TEXT",
)

_FORMAT_3: Final[tuple[Step, ...]] = (
    # What SQLite does not notice is a bit that flips inside a value, or a row that a broken index no longer finds.
    # `checksum` covers a recipe's content; a key and the content it is of; a study's row with all of its arms and
    # their runs; a judgement (rows.py). `ledger` covers the checksums of all rows of a table, so that none goes missing
    # without a word (docs/decisions/0071).
    "ALTER TABLE recipes ADD COLUMN checksum TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE recipe_keys ADD COLUMN checksum TEXT NOT NULL DEFAULT ''",
    # SQLite cannot drop the constraint that names are unique: the table is built again.
    """
    CREATE TABLE studies_of_format_3 (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('study', 'tuning', 'noise', 'ablation')),
        document TEXT NOT NULL,
        data TEXT,
        seeds INTEGER,
        first_seed INTEGER NOT NULL DEFAULT 0,
        checksum TEXT NOT NULL,
        UNIQUE (name, kind)
    )
    """,
    "INSERT INTO studies_of_format_3 (id, name, kind, document, data, checksum) "
    "SELECT id, name, 'study', document, data, '' FROM studies",
    "DROP TABLE studies",
    "ALTER TABLE studies_of_format_3 RENAME TO studies",
    # `share` has no declared type, so that its bits stay. `look` is NULL for a judgement that was not planned.
    """
    CREATE TABLE judgements (
        id INTEGER PRIMARY KEY,
        anchor TEXT NOT NULL, metric TEXT NOT NULL, seeds INTEGER NOT NULL,
        is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)), share NOT NULL, look INTEGER,
        checksum TEXT NOT NULL
    )
    """,
    'CREATE TABLE ledger ("table" TEXT PRIMARY KEY, checksum TEXT NOT NULL)',
    derive_kinds_and_checksums,
)

_FORMAT_4: Final = (
    # When a run ended, in seconds since 1970; NULL for older runs, and then no part of the checksum. No declared type,
    # so that its bits stay.
    "ALTER TABLE runs ADD COLUMN ended",
)

MIGRATIONS: tuple[tuple[Step, ...], ...] = (_FORMAT_1, _FORMAT_2, _FORMAT_3, _FORMAT_4)
