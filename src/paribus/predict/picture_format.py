"""What the pictures of a study's data are like, so that another picture can be made alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset
from paribus.errors import UsageError

Ground = Literal["dark", "light"]

LOOKED_AT = 1000
"""Training pictures that are looked at to tell the ground; the first ones."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The pictures of a data set.

    Attributes:
        name: the data's name.
        shape: of one picture as the data has it: ``(height, width)``, or with 1 or 3 channels behind.
        top: the value of white.
        whole: whether values are whole numbers.
        ground: whether grey pictures lie on a dark or a light ground; None where neither is plain.
        fingerprint: the data's.
    """

    name: str
    shape: tuple[int, ...]
    top: float
    whole: bool
    ground: Ground | None
    fingerprint: str

    @property
    def colour(self) -> bool:
        """Whether pictures have three channels."""
        return self.shape[2:] == (3,)


def canvas(data: Dataset) -> Canvas:
    """Look at a data set, as loaded without ``flatten``.

    White is 255 in whole numbers, or their largest where all lie below 128 (16 for scikit-learn's digits); it is 1
    where values are fractions.

    Raises:
        UsageError: its examples are no pictures, or nobody can tell what white is.
    """
    shape = data.input_shape
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,)):
        raise UsageError(
            f"{data.name}: its examples have shape {shape}, which is no picture; give the example as numbers, in an "
            ".npy file"
        )
    looked_at = data.x_train[:LOOKED_AT]
    low, high = float(looked_at.min()), float(looked_at.max())
    whole = data.x_train.dtype == np.uint8
    if low < 0 or high > 255:
        raise UsageError(
            f"{data.name}: its values lie between {low:g} and {high:g}, so that nobody can tell what black and white "
            "are; give the example as numbers, in an .npy file"
        )
    top = 255.0 if high > 127 else high if whole else 1.0 if high <= 1 else 255.0
    return Canvas(data.name, shape, top, whole, _ground(looked_at, top), data.fingerprint)


def _ground(pictures: NDArray[Any], top: float) -> Ground | None:
    if pictures.shape[3:] == (3,):
        return None
    edge = float(np.median([border_value(each.reshape(each.shape[:2])) for each in pictures]))
    return "dark" if edge <= 0.1 * top else "light" if edge >= 0.9 * top else None


def border_value(picture: NDArray[Any]) -> float:
    """The median of the outermost pixels of a grey picture, shape ``(height, width)``."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return float(np.median(edge.astype(np.float64)))
