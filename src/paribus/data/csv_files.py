"""CSV files with a header, read with the standard library."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from paribus.data.columns import BLANK, MISSING, Cells, Table, most_words
from paribus.data.limits import MAX_TABLE_BYTES, human
from paribus.errors import DataError


def read(path: Path, label: str, categorical: tuple[str, ...]) -> Table:
    """Read a comma-separated UTF-8 file whose first row names the columns.

    Args:
        path: the file.
        label: the column of the classes; its cells are kept as words.
        categorical: columns whose cells are words even where they look like numbers or like a missing value.

    Raises:
        DataError: the file cannot be read or parsed, a row has too few or too many cells, or a cell is missing,
            infinite, or of another kind than those above it; the message names line and column.
    """
    source = str(path)
    try:
        size = path.stat().st_size
        if size > MAX_TABLE_BYTES:
            raise DataError(f"{source}: {human(size)}; CSV is read up to {human(MAX_TABLE_BYTES)}. Use Parquet")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            return _table(source, rows, label, categorical)
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: not UTF-8 text: {error.reason} at byte {error.start} of a block") from error
    except csv.Error as error:
        raise DataError(f"{source}: not a comma-separated file: {error}") from error


def _table(source: str, rows: Iterator[list[str]], label: str, categorical: tuple[str, ...]) -> Table:
    header = [name.strip() for name in next(rows, [])]
    check_names(header, source, label, categorical)
    columns = [
        Cells(
            name,
            source,
            words=name in (label, *categorical),
            # Who declares a column categorical may mean the word 'none'.
            missing=BLANK if name in categorical else MISSING,
            most=most_words(is_label=name == label),
        )
        for name in header
    ]
    places: list[int] = []
    for row in rows:
        if not row:
            continue
        line: int = rows.line_num  # type: ignore[attr-defined]  # the type of csv.reader has no public name
        if len(row) != len(header):
            raise DataError(f"{source}: line {line} has {len(row)} cells; expected {len(header)}, as in the header")
        place = f"line {line}"
        for column, cell in zip(columns, row, strict=True):
            column.add(cell, place)
        places.append(line)
    if not places:
        raise DataError(f"{source}: no rows below the header")
    return Table(source, tuple(column.column() for column in columns), "line", np.asarray(places, np.int64))


def check_names(names: list[str], source: str, label: str, categorical: tuple[str, ...]) -> None:
    """Check a table's column names, and that the columns asked for exist.

    Raises:
        DataError: there is no header, a name is empty or there twice, or a column that was named is not there.
    """
    listed = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
    if not names:
        raise DataError(f"{source}: empty; expected a header and rows")
    for index, name in enumerate(names):
        if not name:
            raise DataError(
                f"{source}: column {index + 1} has no name. If it is an index that pandas wrote, write the file again "
                "with index=False; else name it"
            )
        if name in names[:index]:
            raise DataError(f"{source}: two columns are named {name!r}; expected different names")
    for option, name in (("label", label), *(("categorical", each) for each in categorical)):
        if name not in names:
            raise DataError(f"{source}: no column {name!r}, which `{option}` names; the columns are {listed}")
    if len(names) < 2:
        raise DataError(f"{source}: only the column {names[0]!r}; expected features beside the label")
