"""Convolutions that read few channels as sums of shifted products, and the gradient of depthwise kernels as sums.

XLA's CPU compiler (jaxlib 0.10.2) computes groups of one channel 30 times as slowly as these sums, and the gradient of
their kernel 400 times; a first convolution, of an image's one or three channels, takes twice as long by Eigen
(decision 0056). Arrays are in canonical form: batch first, channels last.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from paribus.engine.kernels.windows import MOST_ENTRIES, Windows

UNROLLED = 256
"""Products spelled out in the loop of a kernel's gradient, at most: each is an operation to compile."""


FEW_PRODUCTS = 27
"""Products in a sum that is faster than Eigen's convolution: those of 3 x 3 pixels of three channels."""

FEW_FILTERS = 16
"""Fewer filters do not fill the lanes of a processor: the pixels of a row do."""


def reads_few(kernel: jax.Array, groups: int) -> bool:
    """Whether a kernel's result is computed faster as shifted products: with one group, or in groups of one channel."""
    *taps, channels, filters = kernel.shape
    products = math.prod(taps) * channels
    if groups == 1:
        return math.prod(taps) > 1 and products <= FEW_PRODUCTS
    return 1 in (channels, filters // groups) and products <= MOST_ENTRIES


def shifted_products(inputs: jax.Array, kernel: jax.Array, windows: Windows, groups: int, kind: Any) -> jax.Array:
    """A convolution in groups, forward or a gradient of its inputs, as a sum over taps and channels.

    Args:
        inputs: ``(batch, *spatial, groups * channels)``.
        kernel: ``(*taps, channels, filters)``.
        windows: how the kernel goes over the spatial axes, and 1 by 1 over the others.
        groups: how many.
        kind: the dtype of the result; sums are in float32 at least.

    Returns:
        ``(batch, *spatial, groups * filters)``.
    """
    *taps, channels, filters = kernel.shape
    precise = jnp.promote_types(kind, jnp.float32)
    inputs = windows.padded(inputs, 0.0).astype(precise)
    if groups == 1 and filters < FEW_FILTERS:
        return _filters_first(inputs, kernel.astype(precise), windows).astype(kind)
    kernel = kernel.reshape(*taps, channels, groups, filters // groups).astype(precise)
    grouped = inputs.reshape(*inputs.shape[:-1], groups, channels)
    total = None
    offsets = zip(windows.offsets, itertools.product(*map(range, taps)), strict=True)
    for (offset, tap), channel in itertools.product(offsets, range(channels)):
        product = grouped[(*_places(windows, offset), slice(None), channel, None)] * kernel[(*tap, channel)]
        total = product if total is None else total + product
    assert total is not None, "a kernel has a tap"
    return total.reshape(*total.shape[:-2], filters).astype(kind)


def _filters_first(inputs: jax.Array, kernel: jax.Array, windows: Windows) -> jax.Array:
    """The sum of one group, whose inputs are padded, filter by filter: the pixels of a row fill the processor's lanes.

    Each number of the kernel is multiplied with a whole image, where the filters are too few to fill the lanes.
    """
    *taps, channels, filters = kernel.shape
    planes = jnp.moveaxis(inputs, -1, 0)
    total = None
    offsets = zip(windows.offsets, itertools.product(*map(range, taps)), strict=True)
    for (offset, tap), channel in itertools.product(offsets, range(channels)):
        numbers = kernel[(*tap, channel)].reshape(filters, *[1] * (planes.ndim - 1))
        product = numbers * planes[(channel, *_places(windows, offset))]
        total = product if total is None else total + product
    assert total is not None, "a kernel has a tap"
    return jnp.moveaxis(total, 0, -1)


def _places(windows: Windows, offset: Sequence[int]) -> list[slice]:
    """Where the entry at an offset of every window lies, along all axes but the last."""
    axes = zip(offset, windows.counts, windows.strides, strict=True)
    return [slice(start, start + (n - 1) * stride + 1, stride) for start, n, stride in axes][:-1]


def depthwise_kernel_gradient(
    inputs: jax.Array, gradient: jax.Array, windows: Windows, groups: int, kind: Any
) -> jax.Array | None:
    """The gradient of the kernel of a depthwise convolution, image by image, some rows at a time.

    Args:
        inputs: ``(groups, *spatial, batch)``: the channels are the batch.
        gradient: ``(*rows and columns, batch, groups * multiplier)``, which goes over the inputs as a kernel.
        windows: how it does so: there is one window for each tap of the kernel.
        groups: how many.
        kind: the dtype of the result; sums are in float32 at least.

    Returns:
        ``(1, *taps, groups * multiplier)``; None where groups read several channels or the kernel is too large.
    """
    taps = windows.counts[1:-1]
    if inputs.shape[0] != groups or math.prod(taps) > MOST_ENTRIES or min(inputs.shape) == 0 or min(taps) == 0:
        return None
    precise = jnp.promote_types(kind, jnp.float32)
    gradients = jnp.moveaxis(gradient, -2, 0)
    multiplier = gradients.shape[-1] // groups
    strides, dilation = windows.strides[1:-1], windows.dilation[1:-1]
    rows = gradients.shape[1]
    block = max(1, min(rows, UNROLLED // math.prod(taps)))
    blocks = -(-rows // block)
    span = (block - 1) * dilation[0] + (taps[0] - 1) * strides[0] + 1
    # Padding before and after the inputs' own rows, so that the last block is as long as the others.
    config = [(*pads, step - 1) for pads, step in zip(windows.padding, windows.input_dilation, strict=True)]
    low, high, between = config[1]
    own = low + high + (inputs.shape[1] - 1) * (between + 1) + 1
    config[1] = (low, high + max(0, (blocks - 1) * block * dilation[0] + span - own), between)
    # In their order in memory: a padding between two transpositions would keep them from cancelling.
    images = jnp.moveaxis(jnp.moveaxis(inputs, -1, 0), 1, -1)
    images = _padded(images, [(0, 0, 0), *config[1:-1], (0, 0, 0)]).astype(precise)
    gradients = _padded(
        gradients, [(0, blocks * block - rows if axis == 1 else 0, 0) for axis in range(gradients.ndim)]
    ).astype(precise)
    columns = gradients.shape[2:-1]

    def add(sums: list[jax.Array], number: jax.Array) -> tuple[list[jax.Array], None]:
        image, start = number // blocks, number % blocks * block
        x = lax.dynamic_slice_in_dim(lax.dynamic_index_in_dim(images, image, 0, False), start * dilation[0], span, 0)
        dy = lax.dynamic_slice_in_dim(lax.dynamic_index_in_dim(gradients, image, 0, False), start, block, 0)
        dy = dy.reshape(*dy.shape[:-1], groups, multiplier)
        added = []
        for total, tap in zip(sums, itertools.product(*map(range, taps)), strict=True):
            first, *others = (t * stride for t, stride in zip(tap, strides, strict=True))
            axes = zip(others, columns, dilation[1:], strict=True)
            places = [slice(at, at + (n - 1) * step + 1, step) for at, n, step in axes]
            for row in range(block):
                total = total + x[(first + row * dilation[0], *places, slice(None), None)] * dy[row]
            added.append(total)
        return added, None

    start = [jnp.zeros((*columns, groups, multiplier), precise) for _ in range(math.prod(taps))]
    sums, _ = lax.scan(add, start, jnp.arange(images.shape[0] * blocks))
    flat = jnp.stack([jnp.sum(total, axis=tuple(range(len(columns)))) for total in sums])
    return flat.reshape(1, *taps, groups * multiplier).astype(kind)


def _padded(array: jax.Array, config: Sequence[tuple[int, int, int]]) -> jax.Array:
    """An array with zeros before, after and between its elements, for each axis."""
    return lax.pad(array, jnp.zeros((), array.dtype), config) if any(map(any, config)) else array
