"""The greatest number and the sum of every row: what a softmax and a layer normalization take of their input.

XLA's CPU compiler (jaxlib 0.10.2) takes more than 32 numbers one after the other, in windows of 32: a fifth of the step
of the transformer block here (decision 0142).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

SMALLEST = 2**16
"""Arrays of fewer numbers are left to XLA."""

LONGEST_LEFT = 32
"""So are rows that are no longer."""

MOST_PARTS = 32
"""Rows are cut into at most so many parts, of at least eight numbers: one register of AVX2."""


def row_maxima(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``reduce_max`` over the last axis: part by part, then over what is left of the parts."""
    (x,) = values
    if not _has_long_rows(x, params):
        return None
    length, width = x.shape[-1], 8
    while -(-length // width) > MOST_PARTS:
        width *= 2
    # The last part lies over the one before it where the length is no multiple: no number counts twice in a maximum.
    starts = [min(start, length - width) for start in range(0, length, width)]
    greatest = lax.slice_in_dim(x, 0, width, axis=-1)
    for start in starts[1:]:
        greatest = jnp.maximum(greatest, lax.slice_in_dim(x, start, start + width, axis=-1))
    result: jax.Array = lax.reduce_max_p.bind(greatest, **params)
    return result


def row_sums(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``reduce_sum`` over the last axis: a product with ones."""
    (x,) = values
    if not _has_long_rows(x, params):
        return None
    length = x.shape[-1]
    total: jax.Array = x.reshape(-1, length) @ jnp.ones(length, x.dtype)
    return total.reshape(x.shape[:-1])


def _has_long_rows(x: Any, params: Mapping[str, Any]) -> bool:
    last = tuple(params["axes"]) == (x.ndim - 1,)
    return last and x.ndim > 1 and x.dtype == jnp.float32 and x.size >= SMALLEST and x.shape[-1] > LONGEST_LEFT
