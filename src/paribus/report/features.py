"""Test examples of a table in words: their features, as the table has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset
from paribus.data.features import Column
from paribus.report.numbers import MINUS

ALL = 8
"""With at most so many columns every example is described by all of them."""

MOST = 6
"""With more, by those in which it lies farthest from the mean."""

_SAMPLE = 2000
"""Mean and standard deviation are those of so many test examples at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The examples of a table's test split.

    Attributes:
        examples: shape ``(examples, features)``, as a network reads them before they are scaled.
        offset: what was subtracted from each feature, shape ``(features,)``.
        columns: how columns became features.
        mean: of each feature over the test split.
        deviation: likewise its standard deviation; 1 where the feature does not vary.
    """

    examples: NDArray[np.generic]
    offset: NDArray[np.float64]
    columns: tuple[Column, ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> Self | None:
        """The features of a test split; None where an example is not a vector."""
        if len(dataset.input_shape) != 1:
            return None
        (width,) = dataset.input_shape
        columns = dataset.columns or tuple(Column(f"feature {index}") for index in range(width))
        sample = np.asarray(dataset.x_test[:_SAMPLE], np.float64)
        deviation = sample.std(axis=0)
        return cls(
            dataset.x_test,
            np.zeros(width) if dataset.offset is None else dataset.offset.reshape(-1),
            columns,
            sample.mean(axis=0),
            np.where(deviation > 0, deviation, 1.0),
        )

    @property
    def are_selected(self) -> bool:
        """Whether an example is described by some of the columns only."""
        return len(self.columns) > ALL

    def describe(self, index: int) -> tuple[tuple[str, str], ...]:
        """Names of columns with the values of one example, in the order of the table."""
        values = np.asarray(self.examples[index], np.float64)
        distance = np.abs(values - self.mean) / self.deviation
        rows: list[tuple[float, str, str]] = []
        position, indicator = 0, sum(column.width for column in self.columns)
        for column in self.columns:
            place = slice(position, position + column.width)
            position += column.width
            text = self._text(column, values[place] + self.offset[place])
            if column.indicator:
                text = f"missing (filled in: {text})" if values[indicator] else text
                indicator += 1
            rows.append((float(distance[place].max(initial=0.0)), column.name, text))
        least = sorted((row[0] for row in rows), reverse=True)[: MOST if self.are_selected else ALL][-1]
        return tuple((name, text) for far, name, text in rows if far >= least)[:ALL]

    def _text(self, column: Column, values: NDArray[np.float64]) -> str:
        if column.words is not None:
            (places,) = np.nonzero(values)
            return column.words[places[0]] if len(places) else "a word that training did not have"
        value = float(values[0])
        text = f"{round(value)}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
        return text.replace("-", MINUS)
