"""Positions of the windows of a pooling, or of a kernel on its input: pure arithmetic on shapes, and slices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

MOST_ENTRIES = 64
"""Windows of more entries are not spelled out: each is an operation to compile."""


@dataclass(frozen=True, slots=True)
class Windows:
    """One number (of ``padding`` two, which may be negative) for each axis of the array that the windows lie in.

    ``dilation`` is the step from one entry of a window to the next, ``input_dilation`` that from one element of the
    array to the next where zeros lie between them.
    """

    shape: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    input_dilation: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many windows there are along each axis."""
        counts = []
        for axis, size in enumerate(self.window):
            length = max(0, (self.shape[axis] - 1) * self.input_dilation[axis] + 1) + sum(self.padding[axis])
            counts.append(max(0, (length - (size - 1) * self.dilation[axis] - 1) // self.strides[axis] + 1))
        return tuple(counts)

    @property
    def offsets(self) -> Iterator[tuple[int, ...]]:
        """The places of a window's entries in the first window, in row-major order."""
        return itertools.product(
            *(range(0, size * step, step) for size, step in zip(self.window, self.dilation, strict=True))
        )

    @property
    def are_padded(self) -> bool:
        """Whether anything but the array's own elements lies in the windows, or not all of those."""
        return any(map(any, self.padding))

    @property
    def are_tiles(self) -> bool:
        """Whether the windows lie side by side, without padding; elements at the end of an axis may be in none."""
        spread = any(step != 1 for step in (*self.dilation, *self.input_dilation))
        return self.window == self.strides and not self.are_padded and not spread

    @property
    def can_be_spelled_out(self) -> bool:
        """Whether a window has few enough entries, and there are windows at all."""
        return math.prod(self.window) <= MOST_ENTRIES and min(self.counts) > 0 and min(self.shape) > 0

    def padded(self, x: jax.Array, value: float) -> jax.Array:
        """The array with its padding, and with zeros between its elements where it is dilated."""
        if not self.are_padded and all(step == 1 for step in self.input_dilation):
            return x
        config = [(*pads, step - 1) for pads, step in zip(self.padding, self.input_dilation, strict=True)]
        return lax.pad(x, jnp.asarray(value, x.dtype), config)

    def entries(self, padded: Any) -> Iterator[Any]:
        """For each offset, that entry of every window: arrays of shape ``counts``, of what ``padded`` gives."""
        for offset in self.offsets:
            axes = zip(offset, self.counts, self.strides, strict=True)
            yield padded[tuple(slice(start, start + (n - 1) * stride + 1, stride) for start, n, stride in axes)]

    def placed(self, entry: jax.Array, offset: tuple[int, ...]) -> jax.Array:
        """What belongs to one entry of every window, at that entry's place in the array; zero elsewhere."""
        config = []
        for axis, start in enumerate(offset):
            before, stride = start - self.padding[axis][0], self.strides[axis]
            span = (self.counts[axis] - 1) * stride + 1
            config.append((before, self.shape[axis] - before - span, stride - 1))
        return lax.pad(entry, jnp.zeros((), entry.dtype), config)
