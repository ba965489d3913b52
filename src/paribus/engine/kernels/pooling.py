"""Pooling as comparisons and sums of strided slices, and the gradient of max pooling by comparisons.

XLA's CPU compiler computes a window's reduction one element at a time, and the gradient of max pooling
(``select_and_scatter``) one window at a time: twice and 4 to 9 times as long as what is here (decision 0056). Of
entries that tie, the first of the window in row-major order has the gradient, as with XLA; where there are nans, XLA's
order of comparisons is followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from paribus.engine.kernels.windows import Windows


def max_pooling(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``reduce_window_max``, with the signature of :data:`paribus.engine.rewriting.Rule`."""
    return _reduced(values[0], params, jnp.maximum, -math.inf)


def sum_pooling(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``reduce_window_sum``, of which average pooling and its gradient consist; a ``Rule``, as above."""
    return _reduced(values[0], params, jnp.add, 0.0)


def max_pooling_gradient(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``select_and_scatter_add``: the gradient goes to the first greatest entry of each window."""
    gradient, x = values
    windows = _windows(x, params)
    if params["select_prim"].name != "ge" or not _fits(x, windows):
        return None
    first = _first_greatest(x, windows)
    if windows.are_tiles:
        return _to_tiles(gradient, first, windows)
    total = None
    for number, offset in enumerate(windows.offsets):
        part = jnp.where(first == number, gradient, jnp.zeros((), gradient.dtype))
        placed = windows.placed(part, offset)
        total = placed if total is None else total + placed
    return total


def _windows(x: jax.Array, params: Mapping[str, Any]) -> Windows:
    shape, ones = tuple(params["window_dimensions"]), (1,) * x.ndim
    return Windows(
        x.shape,
        shape,
        tuple(params["window_strides"]),
        tuple(params["padding"]),
        tuple(params.get("window_dilation", ones)),
        tuple(params.get("base_dilation", ones)),
    )


def _fits(x: jax.Array, windows: Windows) -> bool:
    """Whether a pooling is computed here; what is left is XLA's."""
    dilated = any(step != 1 for step in windows.input_dilation)
    return bool(jnp.issubdtype(x.dtype, jnp.floating)) and not dilated and windows.can_be_spelled_out


def _reduced(
    x: jax.Array, params: Mapping[str, Any], combine: Callable[..., jax.Array], neutral: float
) -> jax.Array | None:
    windows = _windows(x, params)
    if not _fits(x, windows):
        return None
    entries = windows.entries(windows.padded(x, neutral))
    result: jax.Array = next(entries)
    for entry in entries:
        result = combine(result, entry)
    return result


def _first_greatest(x: jax.Array, windows: Windows) -> jax.Array:
    """For every window the number of the entry that ``select_and_scatter`` selects; padding is -inf there too."""
    entries = windows.entries(windows.padded(x, -math.inf))
    best = next(entries)
    first = jnp.zeros(best.shape, jnp.int32)
    for number, entry in enumerate(entries, 1):
        # What XLA asks, with this outcome for a nan: is the best so far not at least this one?
        better = ~(best >= entry)
        best, first = jnp.where(better, entry, best), jnp.where(better, number, first)
    return first


def _to_tiles(gradient: jax.Array, first: jax.Array, windows: Windows) -> jax.Array:
    """Every window's gradient at its entry, where windows are tiles: one comparison for each entry of the array.

    What lies beyond the last tile has none.
    """
    tiled = [length for pair in zip(windows.counts, windows.window, strict=True) for length in pair]
    numbers = np.arange(math.prod(windows.window), dtype=np.int32)
    numbers = numbers.reshape([length for size in windows.window for length in (1, size)])
    between = tuple(range(1, 2 * gradient.ndim, 2))
    spread = jnp.broadcast_to(jnp.expand_dims(gradient, between), tiled)
    hit = jnp.expand_dims(first, between) == numbers
    zero = jnp.zeros((), gradient.dtype)
    covered = [count * size for count, size in zip(windows.counts, windows.window, strict=True)]
    tiles = jnp.where(hit, spread, zero).reshape(covered)
    beyond = [(0, length - own, 0) for length, own in zip(windows.shape, covered, strict=True)]
    return tiles if tuple(covered) == windows.shape else lax.pad(tiles, zero, beyond)
