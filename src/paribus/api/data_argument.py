"""The ``data`` argument in Python: a name, a path, a table of a study file, or arrays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from paribus.api.folds_argument import Division
from paribus.data import Dataset, from_arrays, spool, summarize
from paribus.errors import StudyError, UsageError
from paribus.files.whole import write_whole
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
        partition: the fold of each of its examples, shape ``(repeats, examples)``, where that came with them.
    """

    table: Data
    arrays: Dataset | None = None
    partition: NDArray[np.intp] | None = None

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of one example as the table prepares it."""
        if self.arrays is not None:
            return self.arrays.flattened().input_shape if self.table.flatten else self.arrays.input_shape
        return summarize(self.table.sample_spec()).input_shape

    def with_arrays_in(self, folder: Path) -> Data:
        """The table with a source that every process can read: arrays are written to a folder of ``.npy`` files.

        Args:
            folder: where the folder is made.

        Raises:
            DataError: the folder cannot be written.
        """
        if self.arrays is None:
            return self.table
        folder.mkdir(parents=True, exist_ok=True)
        spec: DataSpec = spool(self.arrays, folder.resolve() / self.arrays.fingerprint[:16])
        table = self.table.model_copy(update={"source": spec.source})
        if self.partition is None:
            return table
        digest = hashlib.sha256(self.partition.tobytes()).hexdigest()[:16]
        path = folder.resolve() / f"{self.arrays.fingerprint[:16]}-folds-{digest}.npy"
        with write_whole(path) as draft, draft.open("wb") as file:
            np.save(file, self.partition, allow_pickle=False)
        return table.model_copy(update={"partition": str(path)})


def read_data_argument(
    data: Any,
    *,
    scale: Scale,
    standardize: bool,
    readers: Sequence[tuple[int | None, ...]],
    division: Division | None = None,
) -> DataArgument:
    """Turn a ``data`` argument into the table of a study file, or into arrays.

    Args:
        data: a name or a path; a mapping like ``[data]`` of a study file; four arrays ``(x_train, y_train, x_test,
            y_test)``, or two pairs as ``keras.datasets`` gives them.
        scale: what to divide by; "auto" divides the pixels of named image data by the largest they can be.
        standardize: whether to subtract each feature's mean and divide by its deviation, both of the training split.
        readers: the example shapes of the networks that say what they read; where all read flat examples, the data is
            flattened.
        division: how all examples are divided into folds; None for a fixed test split.

    Returns:
        The argument, checked.

    Raises:
        UsageError, StudyError: ``data`` is none of these, or a key of the mapping breaks a rule.
        UnknownNameError, DataError: there is no such data, or it is inconsistent.
    """
    division = division or Division()
    if isinstance(data, Mapping):
        return DataArgument(_table(_with_arguments(dict(data), scale, standardize) | division.keys()))
    arrays = None
    if not isinstance(data, (str, os.PathLike)):
        arrays = _arrays(data, standardize=standardize, pair=division.folds is not None)
    source = os.fspath(data) if arrays is None else arrays.name
    divide = _scale(source, arrays, scale, standardize)
    folds, partition = (division.keys(), None) if arrays is None else division.of_arrays(arrays)
    plain = DataArgument(_table({"source": source, "scale": divide, "standardize": standardize} | folds), arrays)
    shape = plain.example_shape
    flat = bool(readers) and len(shape) > 1 and all(len(reads) == 1 for reads in readers)
    return DataArgument(plain.table.model_copy(update={"flatten": flat}), arrays, partition)


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


def _arrays(data: Any, *, standardize: bool, pair: bool) -> Dataset:
    if isinstance(data, Dataset):
        return data
    parts = list(data) if isinstance(data, (tuple, list)) else [data]
    if pair and len(parts) == 2 and all(len(_shape(part)) > 0 for part in parts) and len(_shape(parts[0])) > 1:
        x, y = parts
        # Folds pool both splits in this order: where they are cut says nothing.
        return from_arrays(x[:-1], y[:-1], x[-1:], y[-1:], standardize=standardize)
    if len(parts) == 2 and all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in parts):
        parts = [*parts[0], *parts[1]]
    if len(parts) != 4:
        kinds = ", ".join(
            f"array {np.shape(part)}" if hasattr(part, "shape") else type(part).__name__ for part in parts
        )
        raise UsageError(
            f"data: {kinds} cannot be data. Give a name or a path, (x_train, y_train, x_test, y_test), "
            "((x_train, y_train), (x_test, y_test)), what train_test_split returns, or (x, y) together with `folds`"
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
