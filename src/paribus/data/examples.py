"""Examples in the two types that are trained on: uint8, and float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.chunked import chunks
from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.data.rounding import measure_rounding, rounding_note
from paribus.errors import DataError

Examples = NDArray[np.uint8] | NDArray[np.float32]

_WHOLE_RULE = (
    f"whole numbers up to {1 << 24} in size, exact in float32. Where the data is standardized (`standardize`), larger "
    "ones are taken too: they are centred first"
)


def check_shapes(source: str, x_train: NDArray[Any], x_test: NDArray[Any]) -> None:
    """Check that there are examples, of one shape in both splits.

    Args:
        source: what errors call the data.
        x_train: shape ``(examples, ...)``.
        x_test: likewise.

    Raises:
        DataError: there are none, or their shapes differ.
    """
    for split, x in (("x_train", x_train), ("x_test", x_test)):
        if x.ndim < 2:
            raise DataError(
                f"{source}: {split} has shape {x.shape}; expected examples first and at least one more dimension, "
                "such as (60000, 28, 28) or (150, 4)"
            )
        if 0 in x.shape:
            raise DataError(f"{source}: {split} has shape {x.shape}: it is empty; expected at least one example")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{source}: examples have shape {x_train.shape[1:]} in x_train but {x_test.shape[1:]} in x_test; "
            "expected the same"
        )


@dataclass(frozen=True, slots=True, eq=False)
class ConvertedExamples:
    """Examples in a type that is trained on.

    Attributes:
        train: uint8 or float32, shape ``(train, ...)``.
        test: of the same type, shape ``(test, ...)``.
        offset: what was subtracted in float64 before rounding, shape of one example; None where nothing was.
        notes: remarks on features that lose digits.
    """

    train: Examples
    test: Examples
    offset: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()


def convert_examples(
    source: str, x_train: NDArray[Any], x_test: NDArray[Any], *, checked: bool, standardize: bool
) -> ConvertedExamples:
    """Examples as uint8 (whole numbers that are all in 0 .. 255) or float32 (everything else).

    Args:
        source: what errors call the data.
        x_train: shape ``(examples, ...)``.
        x_test: likewise.
        checked: whether the values are known to be finite.
        standardize: whether features that float32 is too coarse for are to be centred before they are rounded.

    Raises:
        DataError: they are no numbers that float32 can hold, or too many.
    """
    for split, x in (("x_train", x_train), ("x_test", x_test)):
        if x.dtype.kind == "O":
            raise DataError(
                f"{source}: {split} holds Python objects (often a list of examples of unequal length); expected an "
                "array of numbers. Pad or crop the examples to one shape"
            )
        if x.dtype.kind not in "uifb":
            raise DataError(f"{source}: {split} has type {x.dtype}; expected real numbers")
    if all(x.dtype.kind in "uib" and _fits_uint8(x) for x in (x_train, x_test)):
        whole = np.dtype(np.uint8)
        return ConvertedExamples(_native(source, "x_train", x_train, whole), _native(source, "x_test", x_test, whole))
    if not checked:
        _check_float32(source, "x_train", x_train, standardize=standardize)
        _check_float32(source, "x_test", x_test, standardize=standardize)
    kind = np.dtype(np.float32)
    for split, x in (("x_train", x_train), ("x_test", x_test)):
        if x.dtype != kind:
            _check_size(source, split, x, kind)
    rounding = measure_rounding(x_train)
    offset = np.where(rounding.too_coarse, rounding.mean, 0.0) if standardize and rounding.too_coarse.any() else None
    places = np.argwhere(rounding.too_coarse)
    moved = {str([int(i) for i in place]): float(rounding.moved[tuple(place)]) for place in places}
    if offset is not None:
        x_train, x_test = (_centred(x, offset) for split, x in (("x_train", x_train), ("x_test", x_test)))
    return ConvertedExamples(
        _native(source, "x_train", x_train, kind),
        _native(source, "x_test", x_test, kind),
        offset,
        () if standardize else rounding_note(moved),
    )


def _centred(x: NDArray[Any], offset: NDArray[np.float64]) -> NDArray[np.float32]:
    """``x`` less the offset, subtracted in float64 and then rounded."""
    centred = np.empty(x.shape, np.float32)
    start = 0
    for part in chunks(x):
        centred[start : start + len(part)] = part - offset
        start += len(part)
    return centred


def _fits_uint8(x: NDArray[Any]) -> bool:
    if x.dtype in (np.uint8, np.bool_):
        return True
    return all(part.min() >= 0 and part.max() <= 255 for part in chunks(x))


def _check_float32(source: str, split: str, x: NDArray[Any], *, standardize: bool) -> None:
    largest = min(np.finfo(np.float32).max, np.finfo(x.dtype).max) if x.dtype.kind == "f" else 0
    exact = 1 << 24
    if x.dtype.kind != "f" and standardize:
        return  # centred before they are rounded, where that matters
    start = 0
    for part in chunks(x):
        if x.dtype.kind == "f":
            # Written so that nan counts as bad.
            bad, rule = ~(np.abs(part) <= largest), "a finite number that float32 can hold"
        else:
            bad, rule = (part > exact) | (part < -exact), _WHOLE_RULE
        if bad.any():
            place = np.unravel_index(int(bad.argmax()), part.shape)
            where = ", ".join(str(int(index)) for index in (place[0] + start, *place[1:]))
            raise DataError(f"{source}: value {part[place]} at {split}[{where}]; expected {rule}")
        start += len(part)


def _native(source: str, split: str, x: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """``x`` itself if it is of that type and in C order, else a copy."""
    if x.dtype == kind and x.flags.c_contiguous:
        return x
    _check_size(source, split, x, kind)
    return np.ascontiguousarray(x, kind)


def _check_size(source: str, split: str, x: NDArray[Any], kind: np.dtype[Any]) -> None:
    if x.size * kind.itemsize > MAX_ARRAY_BYTES:
        raise DataError(
            f"{source}: {split} is {x.dtype} and would take {human(x.size * kind.itemsize)} in memory as {kind}. Store "
            "it as uint8 or float32 in C order, which is memory-mapped"
        )
