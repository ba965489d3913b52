"""Parquet files, read with pyarrow (``pip install "paribus[tables]"``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from paribus.data.columns import LARGEST, Numbers, Table, Words, most_words
from paribus.data.csv_files import check_names
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.errors import DataError


def read(path: Path, label: str, categorical: tuple[str, ...]) -> Table:
    """Read a Parquet file of numbers, words and booleans (which count as words).

    Args:
        path: the file.
        label: the column of the classes.
        categorical: further columns whose numbers are mere names.

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
            names, rows = list(file.schema_arrow.names), file.metadata.num_rows
            check_names(names, source, label, categorical)
            size = 8 * rows * len(names)
            if size > MAX_ARRAY_BYTES:
                raise DataError(f"{source}: takes {human(size)} in memory; at most {human(MAX_ARRAY_BYTES)} are read")
            table = file.read()
        # Offsets within bounds, text in UTF-8: reading alone does not check that.
        table.validate(full=True)
        if table.num_rows == 0:
            raise DataError(f"{source}: no rows")
        columns = tuple(
            _column(name, table.column(name), source, words=name in (label, *categorical), is_label=name == label)
            for name in names
        )
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{source}: no Parquet file that can be read: {error}") from error
    return Table(source, columns, "row", np.arange(1, table.num_rows + 1))


def _column(name: str, values: Any, source: str, *, words: bool, is_label: bool) -> Numbers | Words:
    from pyarrow import types

    where = f"column {name!r}"
    kind = values.type
    _check_present(values, source, where)
    if types.is_dictionary(kind):
        kind = kind.value_type
        values = values.cast(kind)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        numbers = np.asarray(values.cast("float64", safe=False).to_numpy(), np.float64)
        bad = np.flatnonzero(~(np.abs(numbers) <= LARGEST))
        if bad.size:
            row = int(bad[0])
            raise DataError(
                f"{source}: row {row + 1}, {where}: {numbers[row]} is missing or not a finite number that float32 "
                "can hold"
            )
        if not words:
            return Numbers(name, numbers)
    elif not (types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind)):
        raise DataError(f"{source}: {where} has type {kind}; expected numbers, words or booleans")
    encoded = values.cast("string").combine_chunks().dictionary_encode()
    distinct = tuple(word.strip() for word in encoded.dictionary.to_pylist())
    most = most_words(is_label=is_label)
    if len(distinct) > most:
        raise DataError(f"{source}: {where}: more than {most} different words; is this an identifier or free text?")
    codes = encoded.indices.to_numpy().astype(np.int32)
    if "" in distinct:
        row = int(np.flatnonzero(codes == distinct.index(""))[0])
        raise DataError(f"{source}: row {row + 1}, {where}: the value is missing (''); expected one in every row")
    return Words(name, codes, distinct)


def _check_present(values: Any, source: str, where: str) -> None:
    if values.null_count:
        missing = np.asarray(values.is_null().to_numpy())
        row = int(np.flatnonzero(missing)[0])
        raise DataError(f"{source}: row {row + 1}, {where}: the value is missing; expected one in every row")
