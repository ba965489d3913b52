"""Test examples as small PNG pictures, where the data are images."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST_SIDE = 64
"""Sides longer than this many pixels are scaled down."""

SHORTEST_SIDE = 5
"""With sides shorter than this the examples are not drawn: nothing would be recognizable."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Images of one data set.

    Attributes:
        examples: shape ``(examples, height, width)``, or with a last axis of 3 colours.
        low: the value that is black.
        high: the value that is white.
        dark: whether they are light strokes on black; a light page shows those inverted.
    """

    examples: NDArray[np.generic]
    low: float
    high: float
    dark: bool

    @classmethod
    def from_examples(cls, examples: NDArray[np.generic]) -> Self | None:
        """The pictures of a test split; None where its examples have no shape of images.

        Args:
            examples: shape ``(examples, height, width)``, or with a last axis of 1 or 3 channels.

        Returns:
            The pictures, or None.
        """
        if examples.ndim == 4 and examples.shape[-1] == 1:
            examples = examples[..., 0]
        colour = examples.ndim == 4 and examples.shape[-1] == 3
        if not (examples.ndim == 3 or colour) or min(examples.shape[1:3]) < SHORTEST_SIDE:
            return None
        low, high = float(examples.min()), float(examples.max())
        if examples.dtype == np.uint8 and high > 127:
            low, high = 0.0, 255.0
        dark = not colour and float(np.median(np.asarray(examples[:200], np.float64))) < low + 0.2 * (high - low)
        return cls(examples, low, high if high > low else low + 1.0, dark)

    def encode_png(self, index: int) -> bytes:
        """One example as a PNG file."""
        values = (np.asarray(self.examples[index], np.float64) - self.low) / (self.high - self.low)
        image = Image.fromarray(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def data_uri(self, index: int) -> str:
        """One example as the address of an image inside a page."""
        return f"data:image/png;base64,{base64.b64encode(self.encode_png(index)).decode()}"
