"""Reads the files that a user names as examples in the form of the study's data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset, load, npy
from paribus.data.images import SUFFIXES, read_picture
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.errors import DataError, UsageError
from paribus.predict.convert import convert_picture
from paribus.predict.picture_format import read_format
from paribus.records import DataSpec

PICTURES = SUFFIXES
TURNED = "turned as its camera noted"


@dataclass(frozen=True, slots=True)
class Input:
    """One example to predict: its file, its index in an array of several, and the steps of its conversion."""

    file: str
    index: int | None
    prepared: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """All examples to predict.

    Attributes:
        inputs: one entry for each example.
        examples: in the numbers of the data, ``(examples, *shape of an example in the training data)``.
        data: the study's data, as loaded without ``flatten``; with folds the data set of the first one.
        flatten: whether each example becomes one vector.
    """

    inputs: tuple[Input, ...]
    examples: NDArray[Any]
    data: Dataset
    flatten: bool = False

    @property
    def x(self) -> NDArray[Any]:
        """The examples as a network of the study takes them: float32 or uint8."""
        return self.as_in(self.data)

    def as_in(self, data: Dataset) -> NDArray[Any]:
        """The examples as a network that was trained on ``data`` takes them, less what its examples are less."""
        x = self.examples if data.offset is None else self.examples.astype(np.float64) - data.offset
        x = x.astype(np.float32) if x.dtype == np.float64 else x
        return x.reshape(len(x), -1) if self.flatten else x


def read_inputs(files: Sequence[Path], spec: DataSpec, invert: bool | None = None) -> Inputs:
    """Read the files.

    Args:
        files: PNG, JPEG, WebP and BMP pictures; ``.npy`` files with one example or several, in the data's own numbers.
        spec: the study's data.
        invert: see ``convert.convert_picture``.

    Returns:
        The examples in the form of the study's data, with the steps of each conversion.

    Raises:
        UsageError: a file of another kind, or the study's data has no pictures.
        DataError: a file cannot be read, or holds examples of another shape.
    """
    for file in files:
        if file.suffix.lower() not in (*PICTURES, ".npy"):
            raise UsageError(f"{file}: a picture is a .png, .jpg, .webp or .bmp file, an array an .npy file")
        if not file.is_file():
            raise DataError(f"{file}: there is no such file")
    data = _read_data(spec)
    format = None
    if any(file.suffix.lower() != ".npy" for file in files):
        # What a picture of this source is like says the whole source, whatever its folds.
        format = read_format(data if spec.folds is None else load(replace(spec, flatten=False, folds=None)))
    inputs: list[Input] = []
    parts: list[NDArray[Any]] = []
    for file in files:
        if format is None or file.suffix.lower() == ".npy":
            examples = _check_examples(npy.read(file), str(file), data)
            several = len(examples) > 1
            inputs += [Input(str(file), index if several else None, ()) for index in range(len(examples))]
            parts.append(examples)
        else:
            picture = read_picture(file)
            example, notes = convert_picture(picture.pixels, format, str(file), invert)
            inputs.append(Input(str(file), None, (*((TURNED,) if picture.turned else ()), *notes)))
            parts.append(example[None])
    return Inputs(tuple(inputs), np.concatenate(parts), data, spec.flatten)


def read_array(array: NDArray[Any], what: str, spec: DataSpec) -> Inputs:
    """Read an array of one example or several, in the data's own numbers.

    Args:
        array: the examples.
        what: what errors call it.
        spec: the study's data.

    Raises:
        DataError: it holds examples of another shape, or values that are not finite numbers.
    """
    data = _read_data(spec)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what}: an array of {array.dtype}; expected numbers")
    x = _check_examples(array, what, data)
    several = len(x) > 1
    inputs = tuple(Input(what, index if several else None, ()) for index in range(len(x)))
    return Inputs(inputs, x, data, spec.flatten)


def _read_data(spec: DataSpec) -> Dataset:
    return load(replace(spec, flatten=False, folds=None if spec.folds is None else spec.folds.of_seed(0)))


def _check_examples(array: NDArray[Any], what: str, data: Dataset) -> NDArray[Any]:
    """One example or several, however they are laid out; in float64 where something may be subtracted from them."""
    shape = data.input_shape
    if not any(array.shape in (form, (len(array), *form)) for form in _forms(shape)) or not array.size:
        raise DataError(
            f"{what}: an array of shape {array.shape}; expected one example of shape {shape}, or several of them "
            f"({', '.join(['n', *map(str, shape)])})"
        )
    if array.size * 4 > MAX_ARRAY_BYTES:
        raise DataError(f"{what}: {human(array.size * 4)} of examples; at most {human(MAX_ARRAY_BYTES)} are read")
    kind = np.float32 if data.offset is None and data.columns is None else np.float64
    examples: NDArray[Any] = np.asarray(array, kind).reshape(-1, *shape)
    if not np.isfinite(examples if data.offset is None else (examples - data.offset)).all():
        raise DataError(f"{what}: holds values that are not finite numbers in float32; correct them first")
    return examples


def _forms(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shapes that one example may come in: as the data has it, flat, with or without a channel of 1."""
    yield from (shape, (math.prod(shape),), (*shape, 1))
    if shape[-1] == 1:
        yield shape[:-1]
