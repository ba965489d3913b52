"""CSV files with a header, read with the standard library."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from paribus.data.columns import Cells, Table, TableOptions
from paribus.data.limits import MAX_COLUMNS, MAX_TABLE_BYTES, human
from paribus.errors import DataError

_PANDAS_INDEX = re.compile(r"Unnamed: [0-9]+(_level_[0-9]+)?")
"""What pandas calls a column without a name: nearly always the index of a frame that was written and read again."""
_INDEX_NAME = "which is what pandas calls an index without a name"


def read(path: Path, options: TableOptions) -> Table:
    """Read a comma-separated UTF-8 file whose first row names the columns. Takes time in proportion to its cells.

    Args:
        path: the file.
        options: which columns are what.

    Returns:
        The table, with a note on columns that are an index.

    Raises:
        DataError: the file cannot be read or parsed, a row has too few or too many cells, or a cell is missing,
            infinite, of another kind than those above it, or almost a number; the message names line and column.
    """
    source = str(path)
    try:
        size = path.stat().st_size
        if size > MAX_TABLE_BYTES:
            raise DataError(f"{source}: {human(size)}; CSV is read up to {human(MAX_TABLE_BYTES)}. Use Parquet")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            return _table(source, rows, options)
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: not UTF-8 text: {error.reason} at byte {error.start} of a block") from error
    except csv.Error as error:
        raise DataError(f"{source}: not a comma-separated file: {error}") from error


def _table(source: str, rows: Iterator[list[str]], options: TableOptions) -> Table:
    header = [name.strip() for name in next(rows, [])]
    check_names(header, source, options)
    named = (options.label, *options.categorical)
    index = [name for name in header if _PANDAS_INDEX.fullmatch(name) and name not in (*named, *options.drop)]
    left_out = {*options.drop, *index}
    check_features([name for name in header if name not in left_out], source, options)
    columns = [(place, Cells(name, source, options)) for place, name in enumerate(header) if name not in left_out]
    places: list[int] = []
    for row in rows:
        if not row:
            continue
        line: int = rows.line_num  # type: ignore[attr-defined]  # the type of csv.reader has no public name
        if len(row) != len(header):
            raise DataError(f"{source}: line {line} has {len(row)} cells; expected {len(header)}, as in the header")
        place = f"line {line}"
        for position, column in columns:
            column.add(row[position], place)
        places.append(line)
    if not places:
        raise DataError(f"{source}: no rows below the header")
    filled = tuple(column.column() for _, column in columns)
    return Table(source, filled, "line", np.asarray(places, np.int64), index_note(index, _INDEX_NAME))


def index_note(names: list[str], reason: str) -> tuple[str, ...]:
    """A remark on columns that are a frame's index, which is left out of the features."""
    return (f"Left out of the features: {', '.join(map(repr, names))}, {reason}.",) if names else ()


def check_names(names: list[str], source: str, options: TableOptions) -> None:
    """Check a table's column names, and that the columns which options name exist.

    Args:
        names: the names in the header.
        source: what errors call the file.
        options: which columns are what.

    Raises:
        DataError: there is no header, it is too wide, a name is empty or there twice, or a column that an option names
            is not there.
    """
    if not names:
        raise DataError(f"{source}: empty; expected a header and rows")
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{source}: {len(names):,} columns; at most {MAX_COLUMNS:,} are read. Save the numbers as .npy files"
        )
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name:
            raise DataError(
                f"{source}: column {index + 1} has no name. If it is an index that pandas wrote, write the file again "
                "with index=False; else name it"
            )
        if name in seen:
            raise DataError(f"{source}: two columns are named {name!r}; expected different names")
        seen.add(name)
    named = [("label", options.label), *(("categorical", name) for name in options.categorical)]
    dropped = () if options.is_test else options.drop
    for option, name in (*named, *(("drop", name) for name in dropped)):
        if name not in seen:
            listed = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
            raise DataError(
                f"{source}: no column {name!r}, which `{option}` names; the columns are {listed}{_separator(names)}"
            )


def check_features(names: list[str], source: str, options: TableOptions) -> None:
    """Check that at least one column is a feature.

    Args:
        names: the names of the columns that are read.
        source: what errors call the file.
        options: which columns are what.

    Raises:
        DataError: there is only the label.
    """
    if len(names) < 2:
        raise DataError(f"{source}: only the column {options.label!r}; expected features beside the label")


def _separator(names: list[str]) -> str:
    """What to do about a file whose cells are separated by something else than commas."""
    for separator, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) <= 2 and names[0].count(separator) >= 1:
            return (
                f". It seems to be separated by {called}: write it with commas, as "
                f"pandas.read_csv(path, sep={separator!r}).to_csv(path, index=False) does"
            )
    return ""
