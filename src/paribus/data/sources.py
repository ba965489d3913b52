"""Which data a name or a path stands for."""

from __future__ import annotations

import dataclasses

from paribus.data import builtin
from paribus.data.dataset import Dataset
from paribus.errors import UnknownNameError
from paribus.records import DataSpec, DataSummary

BUILT_IN = ("mnist", "digits")


def sources() -> tuple[str, ...]:
    """The names of the built-in data sets."""
    return BUILT_IN


def load(spec: DataSpec) -> Dataset:
    """Read the data that a spec names, check it, and flatten the examples where the spec says so.

    Values stay as they are stored: the engine scales them inside its compiled program.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the data is corrupt, truncated, foreign or inconsistent.
    """
    dataset = _read(spec)
    return dataset.flattened() if spec.flatten else dataset


def summarize(spec: DataSpec) -> DataSummary:
    """Name, fingerprint and sizes of the data; for built-in data without reading it.

    Raises:
        UnknownNameError: there is no such source.
        DataError: as :func:`load`.
    """
    known = {summary.name: summary for summary in (builtin.MNIST, builtin.DIGITS)}.get(spec.source)
    if known is None:
        return load(spec).summary()
    if not spec.flatten:
        return known
    size = 1
    for dimension in known.input_shape:
        size *= dimension
    return dataclasses.replace(known, input_shape=(size,))


def class_names(spec: DataSpec) -> tuple[str, ...]:
    """The names of the classes by index; for built-in data without reading it.

    Raises:
        UnknownNameError: there is no such source.
        DataError: as :func:`load`.
    """
    return builtin.DIGIT_NAMES if spec.source in BUILT_IN else load(spec).class_names


def _read(spec: DataSpec) -> Dataset:
    if spec.source == "mnist":
        return builtin.load_mnist()
    if spec.source == "digits":
        return builtin.load_digits()
    raise UnknownNameError(f"data {spec.source!r}: no such source. Built in: {', '.join(BUILT_IN)}")
