"""Sums over examples and pixels: gradients of biases, moments of batch normalization.

XLA's CPU compiler (jaxlib 0.10.2) turns them into windows' reductions that it computes element by element: a tenth to a
fifth of a step of the networks here (decision 0111).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from paribus.engine.kernels.rows import row_sums

SMALLEST = 2**16
"""Arrays of fewer numbers are left to XLA."""

FEWEST = 8
"""So are those whose first axis is shorter."""

LARGEST_PRODUCT = 2**19
"""Sums over larger arrays of sequences are not one product with ones."""


def channel_sums(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``reduce_sum`` over all axes but the last: first over the examples, then a product with ones.

    The sum over the first axis goes over memory in long rows; what it leaves is small.
    """
    (x,) = values
    if x.ndim < 3 or tuple(params["axes"]) != tuple(range(x.ndim - 1)) or x.dtype != jnp.float32:
        return None
    if x.size < SMALLEST or x.shape[0] < FEWEST:
        return None
    rows = lax.reduce_sum_p.bind(x, **{**params, "axes": (0,)}).reshape(math.prod(x.shape[1:-1]), x.shape[-1])
    total: jax.Array = jnp.ones(rows.shape[0], x.dtype) @ rows
    return total


def sequence_sums(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for every ``reduce_sum`` of a network of sequences (decision 0142).

    Sums over all axes but the last are a product with ones up to ``LARGEST_PRODUCT`` numbers: the operand is small
    enough to stay in the cache, and is computed once for all that read it.
    """
    (x,) = values
    over_steps = x.ndim > 2 and tuple(params["axes"]) == tuple(range(x.ndim - 1)) and x.dtype == jnp.float32
    if over_steps and SMALLEST <= x.size <= LARGEST_PRODUCT:
        total: jax.Array = jnp.ones(math.prod(x.shape[:-1]), x.dtype) @ x.reshape(-1, x.shape[-1])
        return total
    rows = row_sums(values, params)
    return channel_sums(values, params) if rows is None else rows
