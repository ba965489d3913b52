"""The file beside four ``.npy`` files: the data's name and class names. From outside, so nothing in it is trusted."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.dataset import Dataset
from paribus.data.features import Column
from paribus.errors import DataError

SIDECAR = "dataset.json"
MAX_SIDECAR_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Sidecar:
    """What the arrays of a data set do not say. The fields are those of :class:`~paribus.data.dataset.Dataset`."""

    name: str
    class_names: tuple[str, ...]
    offset: NDArray[np.float64] | None = None
    columns: tuple[Column, ...] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset) -> Sidecar:
        """What the arrays of a data set do not say."""
        return cls(dataset.name, dataset.class_names, dataset.offset, dataset.columns, dataset.notes)

    def write(self, path: Path) -> None:
        """Write it as JSON, without what is absent."""
        content: dict[str, Any] = {"name": self.name, "class_names": self.class_names}
        if self.offset is not None:
            content["offset"] = self.offset.tolist()
        if self.columns is not None:
            content["columns"] = [asdict(column) for column in self.columns]
        if self.notes:
            content["notes"] = self.notes
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Sidecar:
        """Read it.

        Args:
            path: the file.

        Raises:
            DataError: it is not what :meth:`write` writes.
        """
        if not path.is_file():  # a pipe would be waited for without end
            raise DataError(f"{path}: not a file, or a link to none; restore the file that was written with the arrays")
        try:
            with path.open("rb") as file:
                content = json.loads(file.read(MAX_SIDECAR_BYTES + 1))
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: not valid JSON, or longer than {MAX_SIDECAR_BYTES} bytes: {error}") from error
        match content:
            case {"name": str(name), "class_names": [*names]} if _are_texts(names):
                notes = content.get("notes", [])
                if isinstance(notes, list) and _are_texts(notes):
                    columns = _columns(path, content.get("columns"))
                    return cls(name, tuple(names), _offset(path, content.get("offset")), columns, tuple(notes))
        raise DataError(f'{path}: expected {{"name": "...", "class_names": ["...", "..."]}}, found something else')


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _offset(path: Path, value: Any) -> NDArray[np.float64] | None:
    if value is None:
        return None
    try:
        offset = np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: `offset` is not an array of numbers: {error}") from error
    if not np.isfinite(offset).all():
        raise DataError(f"{path}: `offset` holds a number that is not finite")
    return offset


def _columns(path: Path, value: Any) -> tuple[Column, ...] | None:
    if value is None:
        return None
    columns = [_column(entry) for entry in value] if isinstance(value, list) else [None]
    if any(column is None for column in columns):
        raise DataError(f"{path}: `columns` is not a list of columns as paribus writes it")
    return tuple(column for column in columns if column is not None)


def _column(value: Any) -> Column | None:
    match value:
        case {"name": str(name), "words": None | [*_] as words, "fill": fill, "indicator": bool(indicator)}:
            has_words = words is None or _are_texts(words)
            has_fill = fill is None or isinstance(fill, str) or (isinstance(fill, float) and math.isfinite(fill))
            if has_words and has_fill:
                return Column(name, None if words is None else tuple(words), fill, indicator)
    return None
