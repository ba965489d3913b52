"""Files of predictions: CSV by the standard library, Parquet by pyarrow, npz by the reader of data files."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from paribus.data import npz
from paribus.data.limits import MAX_TABLE_BYTES, human
from paribus.data.predictions.sources import ArraySource, Batch, open_arrays, to_numbers
from paribus.data.predictions.words import MISSING, WordCodes
from paribus.errors import DataError

_CSV_ROWS = 1 << 11
_PARQUET_ROWS = 1 << 20


@dataclass(slots=True, eq=False)
class CsvSource:
    """A comma-separated UTF-8 file whose first row names the columns."""

    path: Path
    columns: tuple[str, ...]
    _one_line_a_row: bool = field(default=True, init=False)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the header.

        Args:
            path: the file.

        Raises:
            DataError: the file cannot be read, is too large or has no header.
        """
        with _explained(path):
            size = path.stat().st_size
            if size > MAX_TABLE_BYTES:
                raise DataError(f"{path}: {human(size)}; CSV is read up to {human(MAX_TABLE_BYTES)}. Use Parquet")
            with path.open(encoding="utf-8-sig", newline="") as file:
                header = [name.strip() for name in next(csv.reader(file, strict=True), [])]
        if not header:
            raise DataError(f"{path}: empty; expected a header and rows")
        for separator, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if len(header) == 1 and separator in header[0]:
                raise DataError(
                    f"{path}: seems to be separated by {called}; expected commas. "
                    f"pandas.read_csv(path, sep={separator!r}).to_csv(path, index=False) writes it so"
                )
        return cls(path, tuple(header))

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def batches(self, words: Mapping[str, WordCodes], numbers: tuple[str, ...]) -> Iterator[Batch]:
        """Read the rows below the header.

        Raises:
            DataError: the file cannot be parsed, or a row has too few or too many cells.
        """
        with _explained(self.path), self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader)
            first = 0
            while rows := list(islice(reader, _CSV_ROWS)):
                line = reader.line_num - len(rows) + 1
                if line != first + 2 or [] in rows:
                    # Cells with line breaks, or empty lines: rows are counted instead of lines.
                    self._one_line_a_row = False
                    rows = [row for row in rows if row]
                columns = self._transpose(rows, first)
                yield Batch(
                    first,
                    {name: codes.encode(columns[name]) for name, codes in words.items()},
                    {name: self._to_numbers(name, columns[name], first) for name in numbers},
                )
                first += len(rows)

    def place(self, row: int) -> str:
        """``line 7``; ``data row 6`` where rows are not lines."""
        return f"line {row + 2}" if self._one_line_a_row else f"data row {row + 1}"

    def _transpose(self, rows: Sequence[Sequence[str]], first: int) -> dict[str, Sequence[str]]:
        for index, row in enumerate(rows):
            if len(row) != len(self.columns):
                raise DataError(
                    f"{self.path}: {self.place(first + index)} has {len(row)} cells; expected {len(self.columns)}, as "
                    "in the header"
                )
        return dict(zip(self.columns, zip(*rows, strict=True) if rows else [()] * len(self.columns), strict=True))

    def _to_numbers(self, name: str, cells: Sequence[str], first: int) -> NDArray[np.float64]:
        try:
            return np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            texts = [cell.strip() or "nan" for cell in cells]
            return to_numbers(texts, f"{self.path}: column {name!r}", lambda row: self.place(first + row))


@dataclass(frozen=True, slots=True, eq=False)
class ParquetSource:
    """A Parquet file of numbers, words and booleans."""

    path: Path
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the names of the columns.

        Args:
            path: the file.

        Raises:
            DataError: pyarrow is not installed, or the file cannot be read.
        """
        try:
            from pyarrow import ArrowException, parquet
        except ImportError as error:
            raise DataError(f'{path}: reading Parquet needs pyarrow: pip install "paribus[tables]"') from error
        try:
            with parquet.ParquetFile(path) as file:
                return cls(path, tuple(file.schema_arrow.names))
        except (ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: not a Parquet file that can be read: {error}") from error

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def batches(self, words: Mapping[str, WordCodes], numbers: tuple[str, ...]) -> Iterator[Batch]:
        """Read the columns, a million rows at a time.

        Raises:
            DataError: the file is corrupt, or a column holds neither numbers nor words.
        """
        from pyarrow import ArrowException, parquet

        first = 0
        try:
            with parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(_PARQUET_ROWS, columns=[*words, *numbers]):
                    batch.validate(full=True)
                    yield Batch(
                        first,
                        {name: self._encode(name, codes, batch.column(name)) for name, codes in words.items()},
                        {name: self._to_numbers(name, batch.column(name), first) for name in numbers},
                    )
                    first += batch.num_rows
        except (ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.path}: not a Parquet file that can be read: {error}") from error

    def place(self, row: int) -> str:
        """``row 7``, counted from 1."""
        return f"row {row + 1}"

    def _encode(self, name: str, codes: WordCodes, column: Any) -> NDArray[np.int32]:
        from pyarrow import types

        if types.is_nested(column.type):
            raise DataError(f"{self.path}: column {name!r} has type {column.type}; expected numbers or words")
        encoded = column if types.is_dictionary(column.type) else column.dictionary_encode()
        indices = encoded.indices.fill_null(MISSING).to_numpy(zero_copy_only=False)
        return codes.translate(indices, encoded.dictionary.to_pylist())

    def _to_numbers(self, name: str, column: Any, first: int) -> NDArray[np.float64]:
        from pyarrow import types

        where = f"{self.path}: column {name!r}"
        if types.is_floating(column.type) or types.is_integer(column.type):
            return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        return to_numbers(column.to_pylist(), where, lambda row: self.place(first + row))


def open_npz(path: Path) -> ArraySource:
    """The arrays of an npz file, one a column; ``probabilities`` may be a matrix with names in ``classes``.

    Args:
        path: the file.

    Raises:
        DataError: the archive is corrupt or states a wrong size, or an array has another shape.
    """
    with _explained(path), zipfile.ZipFile(path) as archive:
        names = [member.filename.removesuffix(".npy") for member in archive.infolist()]
        if len(set(names)) < len(names):
            raise DataError(f"{path}: two arrays of one name; expected different names")
        arrays = {
            name: npz.read_member(archive, member, f"{path}: {name}", texts=True)
            for name, member in zip(names, archive.infolist(), strict=True)
        }
    return open_arrays(str(path), arrays)


class _explained:  # noqa: N801  # a context manager that is used like a function
    """Errors of reading a file, as DataError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DataError) or error is None:
            return
        if isinstance(error, UnicodeDecodeError):
            raise DataError(f"{self._path}: not UTF-8 text: {error.reason}") from error
        if isinstance(error, csv.Error):
            raise DataError(f"{self._path}: not a comma-separated file: {error}") from error
        if isinstance(error, OSError):
            raise DataError(f"{self._path}: cannot be read: {error.strerror or error}") from error
        if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError | ValueError | RuntimeError):
            raise DataError(f"{self._path}: the zip data is corrupt or cut off: {error}") from error
