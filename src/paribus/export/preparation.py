"""How a network's inputs are prepared, as values, in words and as code, so that it can be done without paribus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset, Standardization, load, standardization
from paribus.data.builtin import SUMMARIES
from paribus.data.features import Column
from paribus.data.folds import Pooled
from paribus.data.training import divide_training_split
from paribus.errors import DataError
from paribus.records import Folds
from paribus.results.stored_study import StoredResults


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """What happens to an example before a network reads it.

    Attributes:
        example_shape: the shape of an unprepared example.
        scale: the number that it is divided by; None for no division.
        standard: mean and deviation of each feature, to standardize with; None without standardization.
        offset: what is subtracted in float64 before rounding to float32; None for nothing.
        columns: how the columns of a table become features; None where the data is no table.
    """

    example_shape: tuple[int, ...]
    scale: float | None
    standard: Standardization | None
    offset: NDArray[np.float64] | None = None
    columns: tuple[Column, ...] | None = None

    def values(self) -> dict[str, Any]:
        """The preparation as JSON values, for a manifest; float32 numbers read back to the same bits."""
        standard = self.standard
        return {
            "example_shape": list(self.example_shape),
            "scale": self.scale,
            "mean": None if standard is None else standard.mean.tolist(),
            "deviation": None if standard is None else standard.deviation.tolist(),
            "offset": None if self.offset is None else self.offset.tolist(),
            "columns": None if self.columns is None else [asdict(column) for column in self.columns],
            "words": self.words(),
        }

    def words(self) -> str:
        """The preparation in one sentence."""
        if self.offset is None:
            steps = ["Take the examples as the data has them, as float32"]
        else:
            steps = ["Take the examples as the data has them, as float64", "subtract `offset`", "round to float32"]
        if self.standard is not None:
            steps.append("subtract `mean` and divide by `deviation`, both computed from the examples trained on")
        elif self.scale is not None:
            steps.append(f"divide by {self.scale:g}")
        return f"{', '.join(steps)}, and give each the network's `input_shape`."

    def code(self) -> str:
        """The source of a Python function ``prepare(x, network)``; ``network`` is an entry of the manifest."""
        shape = ", ".join(str(size) for size in self.example_shape)
        lines = ["def prepare(x, network):"]
        if self.offset is None:
            lines.append(f'    x = np.asarray(x, "float32").reshape(-1, {shape})')
        else:
            lines.append(f'    x = np.asarray(x, "float64").reshape(-1, {shape})')
            lines.append('    x = np.float32(x - np.float64(manifest["preparation"]["offset"]))')
        if self.standard is not None:
            lines.append(
                '    mean, deviation = (np.float32(manifest["preparation"][k]) for k in ("mean", "deviation"))'
            )
            lines.append("    x = (x - mean) / deviation")
        elif self.scale is not None:
            lines.append(f"    x = x / np.float32({self.scale!r})")
        return "\n".join([*lines, '    return x.reshape(-1, *network["input_shape"])'])


FOLD_CODE = """\
def prepare(x, network):
    how = network["preparation"]
    x = np.asarray(x, "float64").reshape(-1, *how["example_shape"])
    if how["offset"] is not None:
        x = x - np.float64(how["offset"])
    x = np.float32(x)
    if how["mean"] is not None:
        x = (x - np.float32(how["mean"])) / np.float32(how["deviation"])
    elif how["scale"] is not None:
        x = x / np.float32(how["scale"])
    return x.reshape(-1, *network["input_shape"])"""
"""A Python function of the examples and the manifest's entry of a network of cross-validation."""


def read_preparation(results: StoredResults) -> Preparation:
    """The preparation of a study's data.

    Args:
        results: the stored study.

    Raises:
        DataError: the data can no longer be read; or something is fitted to it, and it has changed since the networks
            were trained.
    """
    spec = results.document.data.spec()
    if spec.source in SUMMARIES and not spec.standardize:
        return Preparation(results.data.input_shape, spec.scale, None)
    data = load(spec)
    is_fitted = spec.standardize or data.columns is not None or data.offset is not None
    if is_fitted and data.fingerprint != results.data.fingerprint:
        raise DataError(
            f"{spec.source}: the data is not what the networks were trained on, so that how it was prepared is not "
            "known: put the file back as it was"
        )
    return _fitted(results, data)


def read_fold_preparations(results: StoredResults, pooled: Pooled, folds: Iterable[Folds]) -> dict[Folds, Preparation]:
    """The preparation of the data for the networks of each fold, fitted to its training part.

    Args:
        results: the study.
        pooled: its data.
        folds: the repetitions and folds that the networks were tested on.
    """
    spec = results.document.data.spec()
    plain = Preparation(results.data.input_shape, spec.scale, None)
    if pooled.examples is not None and not spec.standardize:
        return dict.fromkeys(folds, plain)
    prepared = {}
    for place in dict.fromkeys(folds):
        assert place.repeat is not None, "a run was tested on one fold"
        assert place.fold is not None, "a run was tested on one fold"
        data = pooled.split(place.repeat, place.fold)
        prepared[place] = _fitted(results, data.flattened() if spec.flatten else data)
    return prepared


def _fitted(results: StoredResults, data: Dataset) -> Preparation:
    """The preparation that a data set's training split says."""
    spec, standard = results.document.data.spec(), None
    if spec.standardize:
        training = results.document.protocol.training()
        parts = divide_training_split(data, training.validation_split, training.validation)
        standard = standardization(data.x_train, parts.trained)
    return Preparation(results.data.input_shape, spec.scale, standard, data.offset, data.columns)
