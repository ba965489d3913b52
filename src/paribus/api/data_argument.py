"""The ``data`` argument in Python: a name, a path, a table of a study file, or arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from paribus.data import Dataset, from_arrays, spool, summarize
from paribus.errors import StudyError, UsageError
from paribus.records import DataSpec
from paribus.study.data_table import Data
from paribus.study.mistakes import translate_mistakes

Scale = float | None | Literal["auto"]

PIXELS = {"mnist": 255.0, "fashion-mnist": 255.0, "digits": 16.0, "sklearn:digits": 16.0}
"""The largest pixel of data that comes with its name, so that a user had no chance to scale it."""


@dataclass(frozen=True, slots=True, eq=False)
class DataArgument:
    """A ``data`` argument, checked.

    Attributes:
        table: what a study file would say; for arrays the source is their name.
        arrays: the data set, where it came as arrays.
    """

    table: Data
    arrays: Dataset | None = None

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of one example as the table prepares it."""
        if self.arrays is not None:
            return self.arrays.flattened().input_shape if self.table.flatten else self.arrays.input_shape
        return summarize(self.table.spec()).input_shape

    def with_arrays_in(self, folder: Path) -> Data:
        """The table with a source that every process can read: arrays are written to a folder of ``.npy`` files.

        Raises:
            DataError: the folder cannot be written.
        """
        if self.arrays is None:
            return self.table
        folder.mkdir(parents=True, exist_ok=True)
        spec: DataSpec = spool(self.arrays, folder.resolve() / self.arrays.fingerprint[:16])
        return self.table.model_copy(update={"source": spec.source})


def read_data_argument(
    data: Any, *, scale: Scale, standardize: bool, readers: Sequence[tuple[int | None, ...]]
) -> DataArgument:
    """Turn a ``data`` argument into the table of a study file, or into arrays.

    Args:
        data: a name or a path; a mapping like ``[data]`` of a study file; four arrays ``(x_train, y_train, x_test,
            y_test)``, or two pairs as ``keras.datasets`` gives them.
        scale: what to divide by; "auto" divides the pixels of named image data by the largest they can be.
        standardize: whether to subtract each feature's mean and divide by its deviation, both of the training split.
        readers: the example shapes of the networks that say what they read; where all read flat examples, the data is
            flattened.

    Raises:
        UsageError, StudyError: something else.
        UnknownNameError, DataError: there is no such data, or it is inconsistent.
    """
    if isinstance(data, Mapping):
        return DataArgument(_table(_with_arguments(dict(data), scale, standardize)))
    arrays = None if isinstance(data, (str, os.PathLike)) else _arrays(data, standardize=standardize)
    source = os.fspath(data) if arrays is None else arrays.name
    divide = _scale(source, arrays, scale, standardize)
    plain = DataArgument(_table({"source": source, "scale": divide, "standardize": standardize}), arrays)
    shape = plain.example_shape
    flat = bool(readers) and len(shape) > 1 and all(len(reads) == 1 for reads in readers)
    return DataArgument(plain.table.model_copy(update={"flatten": flat}), arrays)


def _table(table: dict[str, Any]) -> Data:
    try:
        return Data.model_validate(table)
    except ValidationError as error:
        raise StudyError("data", translate_mistakes(error, Data)) from error


def _with_arguments(table: dict[str, Any], scale: Scale, standardize: bool) -> dict[str, Any]:
    """A mapping with the call's own ``scale`` and ``standardize``.

    Raises:
        UsageError: the two say different things.
    """
    arguments = ({} if scale == "auto" else {"scale": scale}) | ({"standardize": True} if standardize else {})
    for key, value in arguments.items():
        if key in table and table[key] != value:
            raise UsageError(f"data: {key!r} is {table[key]!r} in the mapping and {value!r} in the call; say it once")
    return table | {key: value for key, value in arguments.items() if value is not None}


def _scale(source: str, arrays: Dataset | None, scale: Scale, standardize: bool) -> float | None:
    if scale != "auto":
        return scale
    if arrays is not None or standardize:
        return None
    return 255.0 if source.startswith("keras:") else PIXELS.get(source)


def _arrays(data: Any, *, standardize: bool) -> Dataset:
    if isinstance(data, Dataset):
        return data
    parts = list(data) if isinstance(data, (tuple, list)) else [data]
    if len(parts) == 2 and all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in parts):
        parts = [*parts[0], *parts[1]]
    if len(parts) != 4:
        kinds = ", ".join(
            f"array {np.shape(part)}" if hasattr(part, "shape") else type(part).__name__ for part in parts
        )
        raise UsageError(
            f"data: {kinds} is not understood; give a name or a path, (x_train, y_train, x_test, y_test), "
            "((x_train, y_train), (x_test, y_test)), or what train_test_split returns"
        )
    x_train, second, third, y_test = parts
    if _is_split_order(parts):
        return from_arrays(x_train, third, second, y_test, standardize=standardize)
    return from_arrays(x_train, second, third, y_test, standardize=standardize)


def _is_split_order(parts: Sequence[Any]) -> bool:
    """Whether four arrays come as scikit-learn's ``train_test_split`` returns them: both examples, then both labels.

    Only where they cannot be ``(x_train, y_train, x_test, y_test)``.
    """
    shapes = [_shape(part) for part in parts]
    if any(not shape for shape in shapes):
        return False
    first, second, third, fourth = shapes
    in_our_order = first[0] == second[0] and third[0] == fourth[0] and first[1:] == third[1:]
    in_split_order = first[1:] == second[1:] and first[0] == third[0] and second[0] == fourth[0]
    return in_split_order and not in_our_order and len(first) > 1


def _shape(part: Any) -> tuple[int, ...]:
    try:
        return tuple(part.shape) if hasattr(part, "shape") else np.shape(part)
    except ValueError:
        return ()  # a list of lists of unequal length
