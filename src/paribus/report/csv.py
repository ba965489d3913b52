"""The runs as CSV: one row for each run, with the field names of the JSON, plus ``arm`` and ``seed``."""

from __future__ import annotations

import csv
import io
from typing import Any

from paribus.outcome.outcome import Outcome
from paribus.report.json import known_run_fields


def run_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """One row for each run. Runs with a seed for each stream have a column for each instead of ``seed``.

    Args:
        outcome: the outcome.

    Returns:
        Values by column, all rows with the same columns.
    """
    rows = []
    for arm in outcome.arms:
        for run in arm.runs:
            fields = known_run_fields(outcome, arm, run)
            streams = fields.pop("seeds", {})
            rows.append({"arm": arm.name, **fields, **{f"seed_{name}": seed for name, seed in streams.items()}})
    return rows


def to_csv(outcome: Outcome) -> str:
    """The rows with a header, lines ended by CR LF as RFC 4180 has it; undefined is empty."""
    rows = run_rows(outcome)
    buffer = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["arm", "seed", "status"]
    writer = csv.DictWriter(buffer, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
