"""Remarks on a table's columns: identifiers that were taken for features, values that were filled in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from paribus.data.columns import NO_WORD, Numbers, Words
from paribus.data.features import Filled

FEWEST_ROWS = 20
"""In a shorter table most columns have few values more than once."""

NEAR_UNIQUE = 0.5
"""Words of which there are more than this share of the rows are mostly names of single rows."""

LISTED = 5
"""How many columns a remark names."""


def near_unique_note(columns: Sequence[Numbers | Words]) -> tuple[str, ...]:
    """A remark on columns that name rows rather than describe them; empty without any."""
    names = [column.name for column in columns if _is_near_unique(column)]
    if not names:
        return ()
    verb = "has a value of its own" if len(names) == 1 else "have values of their own"
    return (
        f"{_listed(names)} {verb} in most rows, as identifiers and free text have: nothing can be learned "
        f"from that for new rows. Leave {'it' if len(names) == 1 else 'them'} out with `drop`, unless this is "
        "intended.",
    )


def filled_note(filled: Sequence[Filled], rows: int, *, in_folds: bool = False) -> tuple[str, ...]:
    """A remark on what was filled in; each fold fills in values of its own."""
    with_gaps = [column for column in filled if column.missing]
    if not with_gaps:
        return ()
    parts = [
        f"{gap.column.name!r} in {gap.missing} of {rows} training rows (by {_spelled(gap.column.fill)})"
        for gap in with_gaps[:LISTED]
    ]
    if in_folds:
        parts = [f"{gap.column.name!r} in {gap.missing} of {rows} rows" for gap in with_gaps[:LISTED]]
    more = f" and {len(with_gaps) - LISTED} more columns" if len(with_gaps) > LISTED else ""
    source = "each fold's training part" if in_folds else "the training split"
    return (f"Missing values were filled in with what {source} has: {', '.join(parts)}{more}.",)


def _is_near_unique(column: Numbers | Words) -> bool:
    if isinstance(column, Words):
        present = column.codes[column.codes != NO_WORD]
        return len(present) >= FEWEST_ROWS and len(np.unique(present)) > NEAR_UNIQUE * len(present)
    values = column.values[~np.isnan(column.values)]
    if len(values) < FEWEST_ROWS or (values != np.floor(values)).any():
        return False
    # Measured values are near unique too; a counter leaves out few of the numbers between its first and its last.
    distinct = np.unique(values)
    return len(distinct) == len(values) and distinct[-1] - distinct[0] < 2 * len(distinct)


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:LISTED])) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    return f"Column{'' if len(names) == 1 else 's'} {listed}"


def _spelled(fill: float | str | None) -> str:
    return repr(fill) if isinstance(fill, str) else f"{fill:g}"
