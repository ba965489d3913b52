"""The format of the pictures of a study's data, to which another picture is converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset
from paribus.errors import UsageError

Background = Literal["dark", "light"]

SAMPLED = 1000
"""Number of training pictures, the first ones, from which values and background are determined."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """The format of the pictures of a data set.

    Attributes:
        name: the data's name.
        shape: of one picture as the data has it: ``(height, width)``, or with 1 or 3 channels behind.
        top: the value of white.
        whole: whether the values are whole numbers.
        background: whether grey pictures have a dark or a light background; None where it is neither.
        fingerprint: the data's.
    """

    name: str
    shape: tuple[int, ...]
    top: float
    whole: bool
    background: Background | None
    fingerprint: str

    @property
    def colour(self) -> bool:
        """Whether pictures have three channels."""
        return self.shape[2:] == (3,)


def read_format(data: Dataset) -> PictureFormat:
    """The format of a data set's pictures, from its first training examples, as loaded without ``flatten``.

    White is 255 in whole numbers, or their largest where all are below 128 (16 for scikit-learn's digits); it is 1
    where values are fractions.

    Raises:
        UsageError: its examples are no pictures, or it is not known which value is white.
    """
    shape = data.input_shape
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,)):
        raise UsageError(
            f"{data.name}: its examples have shape {shape}, which is not a picture; pass the example as numbers, in an "
            ".npy file"
        )
    sample = data.x_train[:SAMPLED]
    low, high = float(sample.min()), float(sample.max())
    whole = data.x_train.dtype == np.uint8
    if low < 0 or high > 255:
        raise UsageError(
            f"{data.name}: its values lie between {low:g} and {high:g}, so that black and white "
            "are not known; give the example as numbers, in an .npy file"
        )
    top = 255.0 if high > 127 else high if whole else 1.0 if high <= 1 else 255.0
    return PictureFormat(data.name, shape, top, whole, _background(sample, top), data.fingerprint)


def _background(pictures: NDArray[Any], top: float) -> Background | None:
    if pictures.shape[3:] == (3,):
        return None
    edge = float(np.median([border_value(picture.reshape(picture.shape[:2])) for picture in pictures]))
    return "dark" if edge <= 0.1 * top else "light" if edge >= 0.9 * top else None


def border_value(picture: NDArray[Any]) -> float:
    """The median of the outermost pixels of a grey picture, shape ``(height, width)``."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return float(np.median(edge.astype(np.float64)))
