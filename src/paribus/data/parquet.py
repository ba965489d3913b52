"""Parquet files, read with pyarrow (``pip install "paribus[tables]"``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.columns import LARGEST, NO_WORD, Numbers, Table, TableOptions, Words, most_words, too_many_words
from paribus.data.csv_files import check_features, check_names, index_note
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.errors import DataError


def read(path: Path, options: TableOptions) -> Table:
    """Read a Parquet file of numbers, words and booleans (which count as words).

    Columns that are the index of a pandas frame, as the file's own metadata says, are left out with a note, unless
    ``options`` names them.

    Args:
        path: the file.
        options: which columns are what.

    Raises:
        DataError: pyarrow is not installed; the file cannot be read; a column has another type; a value is missing
            or infinite, with its row (counted from 1) and column.
    """
    source = str(path)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(f'{source}: reading Parquet needs pyarrow: pip install "paribus[tables]"') from error
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            check_names(list(schema.names), source, options)
            named = (options.label, *options.categorical, *options.drop)
            index = [name for name in _index_columns(schema) if name not in named]
            left_out = {*options.drop, *index}
            names = [name for name in schema.names if name not in left_out]
            check_features(names, source, options)
            size = 8 * rows * len(names)
            if size > MAX_ARRAY_BYTES:
                raise DataError(f"{source}: takes {human(size)} in memory; at most {human(MAX_ARRAY_BYTES)} are read")
            # Some files name their columns in a way that `columns=` takes for a path into a nested column.
            table = file.read() if any("." in name for name in names) else file.read(columns=names)
        # Offsets within bounds, text in UTF-8: reading alone does not check that.
        table.validate(full=True)
        if table.num_rows == 0:
            raise DataError(f"{source}: no rows")
        columns = tuple(_column(name, values, source, options) for name, values in _by_name(table, names))
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{source}: not a Parquet file that can be read: {error}") from error
    notes = index_note(index, "by the file's own metadata the index of a pandas frame")
    return Table(source, columns, "row", np.arange(1, table.num_rows + 1), notes)


def _index_columns(schema: Any) -> list[str]:
    """The columns that a pandas frame's index was written to: https://pandas.pydata.org/docs/development/developer.html.

    An index that only counts the rows is no column, and is described by a table instead of a name.
    """
    written = (schema.metadata or {}).get(b"pandas")
    try:
        about = json.loads(written) if written else {}
    except (ValueError, RecursionError):
        return []
    named = about.get("index_columns") if isinstance(about, dict) else None
    listed = named if isinstance(named, list) else []
    present = set(schema.names)
    return [name for name in listed if isinstance(name, str) and name in present]


def _by_name(table: Any, names: list[str]) -> list[tuple[str, Any]]:
    """The columns of these names in their order, in one pass: looking them up one by one would be quadratic."""
    to_read = set(names)
    return [(name, values) for name, values in zip(table.column_names, table.columns, strict=True) if name in to_read]


def _column(name: str, values: Any, source: str, options: TableOptions) -> Numbers | Words:
    from pyarrow import types

    is_label, where = name == options.label, f"column {name!r}"
    may_miss = options.may_miss and not is_label
    kind = values.type
    if not may_miss:
        _check_present(values, source, where, is_label=is_label)
    if types.is_dictionary(kind):
        kind = kind.value_type
        values = values.cast(kind)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        numbers = np.asarray(values.cast("float64", safe=False).to_numpy(), np.float64)
        bad = np.flatnonzero(~(np.abs(numbers) <= LARGEST) & ~(may_miss & np.isnan(numbers)))
        if bad.size:
            row = int(bad[0])
            raise DataError(
                f"{source}: row {row + 1}, {where}: {numbers[row]} is missing or not a finite number that float32 "
                "can hold"
            )
        if not (is_label or name in options.categorical):
            return Numbers(name, numbers)
    elif not (types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind)):
        raise DataError(
            f"{source}: {where} has type {kind}; expected numbers, words or booleans. Leave it out with `drop`, or "
            "write it as a number"
        )
    return _words(name, values, source, may_miss=may_miss, is_label=is_label)


def _words(name: str, values: Any, source: str, *, may_miss: bool, is_label: bool) -> Words:
    where = f"column {name!r}"
    encoded = values.cast("string").combine_chunks().dictionary_encode()
    distinct = tuple(word.strip() for word in encoded.dictionary.to_pylist())
    most = most_words(is_label=is_label)
    if len(distinct) > most:
        raise DataError(f"{source}: {where}: {too_many_words(most)}")
    indices = encoded.indices.fill_null(NO_WORD) if encoded.indices.null_count else encoded.indices
    codes: NDArray[np.int32] = indices.to_numpy(zero_copy_only=False).astype(np.int32)
    if may_miss:
        # A category of numbers spells a missing one so.
        blank = [position for position, word in enumerate(distinct) if word in ("", "nan")]
        return Words(name, np.where(np.isin(codes, blank), np.int32(NO_WORD), codes), distinct)
    if "" in distinct:
        row = int(np.flatnonzero(codes == distinct.index(""))[0])
        raise DataError(f"{source}: row {row + 1}, {where}: the value is missing (''); expected one in every row")
    return Words(name, codes, distinct)


def _check_present(values: Any, source: str, where: str, *, is_label: bool) -> None:
    if values.null_count:
        missing = np.asarray(values.is_null().to_numpy())
        row = int(np.flatnonzero(missing)[0])
        advice = "" if is_label else '. To have missing values filled in, say impute = "median"'
        raise DataError(f"{source}: row {row + 1}, {where}: the value is missing; expected one in every row{advice}")
