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
        x: the examples, float32 or uint8, ``(examples, *shape of an example in the training data)``.
        data: the study's data, as loaded without ``flatten``.
    """

    inputs: tuple[Input, ...]
    x: NDArray[Any]
    data: Dataset


def read_inputs(files: Sequence[Path], spec: DataSpec, invert: bool | None = None) -> Inputs:
    """Read the files.

    Args:
        files: PNG, JPEG, WebP and BMP pictures; ``.npy`` files with one example or several, in the data's own numbers.
        spec: the study's data.
        invert: see ``convert.convert_picture``.

    Raises:
        UsageError: a file of another kind, or the study's data has no pictures.
        DataError: a file cannot be read, or holds examples of another shape.

    Returns:
        The examples in the form of the study's data, with the steps of each conversion.
    """
    for file in files:
        if file.suffix.lower() not in (*PICTURES, ".npy"):
            raise UsageError(f"{file}: a picture is a .png, .jpg, .webp or .bmp file, an array an .npy file")
        if not file.is_file():
            raise DataError(f"{file}: there is no such file")
    data = load(replace(spec, flatten=False))
    format = read_format(data) if any(file.suffix.lower() != ".npy" for file in files) else None
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
    x = np.concatenate(parts)
    return Inputs(tuple(inputs), x.reshape(len(x), -1) if spec.flatten else x, data)


def read_array(array: NDArray[Any], what: str, spec: DataSpec) -> Inputs:
    """Read an array of one example or several, in the data's own numbers.

    Args:
        array: the examples.
        what: what errors call it.
        spec: the study's data.

    Raises:
        DataError: it holds examples of another shape, or values that are not finite numbers.
    """
    data = load(replace(spec, flatten=False))
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what}: an array of {array.dtype}; expected numbers")
    x = _check_examples(array, what, data)
    several = len(x) > 1
    inputs = tuple(Input(what, index if several else None, ()) for index in range(len(x)))
    return Inputs(inputs, x.reshape(len(x), -1) if spec.flatten else x, data)


def _check_examples(array: NDArray[Any], what: str, data: Dataset) -> NDArray[np.float32]:
    """One example or several, whatever way they are laid out, less what the data's own examples are less."""
    shape = data.input_shape
    if not any(array.shape in (form, (len(array), *form)) for form in _forms(shape)) or not array.size:
        raise DataError(
            f"{what}: an array of shape {array.shape}; expected one example of shape {shape}, or several of them "
            f"({', '.join(['n', *map(str, shape)])})"
        )
    if array.size * 4 > MAX_ARRAY_BYTES:
        raise DataError(f"{what}: {human(array.size * 4)} of examples; at most {human(MAX_ARRAY_BYTES)} are read")
    if data.offset is None:
        examples = np.asarray(array, np.float32).reshape(-1, *shape)
    else:
        examples = (np.asarray(array, np.float64).reshape(-1, *shape) - data.offset).astype(np.float32)
    if not np.isfinite(examples).all():
        raise DataError(f"{what}: holds values that are not finite numbers in float32; correct them first")
    return examples


def _forms(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shapes that one example may come in: as the data has it, flat, with or without a channel of 1."""
    yield from (shape, (math.prod(shape),), (*shape, 1))
    if shape[-1] == 1:
        yield shape[:-1]
