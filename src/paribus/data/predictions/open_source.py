"""Opening a table of predictions, whatever it is: a file by its suffix, a frame, or arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from paribus.data.frames import is_frame
from paribus.data.predictions import files
from paribus.data.predictions.sources import Source, open_arrays, open_frame
from paribus.errors import DataError


def open_source(predictions: Any) -> Source:
    """Open a table of predictions.

    Args:
        predictions: the path of a file, by whose suffix it is read; a frame (pandas, or whatever has ``to_pandas``); or
            a mapping of columns to arrays.

    Raises:
        DataError: the file cannot be read, or is of another kind; arrays of unequal length.
    """
    if isinstance(predictions, str | Path):
        return _open_file(Path(predictions).expanduser())
    if is_frame(predictions):
        return open_frame(predictions)
    if hasattr(predictions, "to_pandas"):
        return open_frame(predictions.to_pandas())
    if isinstance(predictions, Mapping):
        return open_arrays("arrays", {str(name): values for name, values in predictions.items()})
    raise DataError(
        f"predictions: {type(predictions).__name__} is not a table; expected the path of a .csv, .parquet or .npz "
        "file, a pandas frame, or a mapping of column names to arrays"
    )


def _open_file(path: Path) -> Source:
    readers: dict[str, Callable[[Path], Source]] = {
        ".csv": files.CsvSource.open,
        ".parquet": files.ParquetSource.open,
        ".npz": files.open_npz,
    }
    if path.suffix.lower() not in readers:
        raise DataError(f"{path}: expected a file of predictions that ends in {', '.join(readers)}")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    return readers[path.suffix.lower()](path)
