"""Convolutions and their gradients as XLA's CPU compiler (jaxlib 0.10.2) computes them fast.

It hands a convolution to Eigen where batch comes first and channels last (NHWC, kernels HWIO), and brings others into
that form at the top of a program only: in a loop's body the gradients of a convolution, whose operands JAX names with
batch and channels exchanged, become plain loops, 60 times as slow. Here every convolution has that form, by explicit
transpositions. Some shapes have better ones, see ``convolution``; decision 0056 has what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from paribus.engine.kernels.shifted import depthwise_kernel_gradient, reads_few, shifted_products
from paribus.engine.kernels.windows import Windows

MOST_GROUPS = 64
"""More groups than these are left to XLA: every group is a convolution to compile."""


def convolution(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
    """The rule for ``conv_general_dilated``, forward or a gradient.

    - A kernel of one pixel, and the gradient of such a kernel, are matrix products.
    - Where few channels are read (an image's, or each group's one channel) it is a sum of shifted products; so is the
      gradient of the kernel of groups of one channel.
    - Other groups are convolutions side by side.

    Args:
        values: the input and the kernel, as the primitive takes them.
        params: the primitive's parameters.

    Returns:
        What the primitive would return, within float32's rounding; None where XLA's own form stays.
    """
    inputs, kernel = values
    if (product := _pixelwise_kernel_gradient(inputs, kernel, params)) is not None:
        return product
    numbers, groups, batch_groups = (
        params[name] for name in ("dimension_numbers", "feature_group_count", "batch_group_count")
    )
    kind = params["preferred_element_type"] or jnp.result_type(inputs, kernel)
    if not jnp.issubdtype(kind, jnp.floating):
        return None
    inputs = jnp.transpose(inputs, _canonical_order(numbers.lhs_spec))
    kernel = jnp.transpose(kernel, (*numbers.rhs_spec[2:], numbers.rhs_spec[1], numbers.rhs_spec[0]))
    windows = Windows(
        inputs.shape,
        (1, *kernel.shape[:-2], 1),
        (1, *params["window_strides"], 1),
        ((0, 0), *params["padding"], (0, 0)),
        (1, *params["rhs_dilation"], 1),
        (1, *params["lhs_dilation"], 1),
    )
    if batch_groups == 1 and reads_few(kernel, groups):
        result: jax.Array | None = shifted_products(inputs, kernel, windows, groups, kind)
    elif groups == batch_groups == 1:
        result = _single(inputs, kernel, windows, kind)
    else:
        result = depthwise_kernel_gradient(inputs, kernel, windows, batch_groups, kind) if batch_groups > 1 else None
        if result is None:
            result = _side_by_side(inputs, kernel, windows, groups, batch_groups, kind)
    if result is None:
        return None
    order = _canonical_order(numbers.out_spec)
    return jnp.transpose(result, [order.index(axis) for axis in range(len(order))])


def _canonical_order(spec: Sequence[int]) -> tuple[int, ...]:
    """The axes that a specification names as batch, channels and spatial ones, channels last."""
    return (spec[0], *spec[2:], spec[1])


def _pixelwise_kernel_gradient(inputs: jax.Array, kernel: jax.Array, params: Mapping[str, Any]) -> jax.Array | None:
    """The gradient of a kernel of one pixel, a matrix product of the arrays in their memory order, else None.

    By way of the canonical form it would take twice as long. With channels last both become matrices first: otherwise
    XLA transposes the input, and what computes it (a depthwise convolution) is computed once more for that.
    """
    numbers = params["dimension_numbers"]
    read, own = (
        [array.shape[axis] for axis in spec[2:]]
        for array, spec in ((inputs, numbers.lhs_spec), (kernel, numbers.rhs_spec))
    )
    plain = all(step == 1 for name in ("lhs_dilation", "rhs_dilation") for step in params[name])
    one = params["feature_group_count"] == params["batch_group_count"] == 1
    if not plain or not one or read != own or any(map(any, params["padding"])):
        return None
    axes = (numbers.lhs_spec[1:], numbers.rhs_spec[1:])
    kind = params["preferred_element_type"] or jnp.result_type(inputs, kernel)
    if numbers.lhs_spec == numbers.rhs_spec and numbers.lhs_spec[0] == inputs.ndim - 1:
        inputs, kernel = (array.reshape(-1, array.shape[-1]) for array in (inputs, kernel))
        axes = ((0,), (0,))
    product = lax.dot_general(inputs, kernel, (axes, ((), ())), preferred_element_type=kind)
    rank = len(numbers.out_spec)
    product = jnp.expand_dims(product, tuple(range(2, rank)))
    return jnp.transpose(product, [numbers.out_spec.index(axis) for axis in range(rank)])


def _single(inputs: jax.Array, kernel: jax.Array, windows: Windows, kind: Any) -> jax.Array:
    """One group, in canonical form."""
    dilated = any(step != 1 for step in windows.input_dilation)
    if math.prod(kernel.shape[:-2]) == 1 and not windows.are_padded and not dilated:
        pixels = inputs[tuple(slice(None, None, stride) for stride in windows.strides)]
        matrix = kernel.reshape(kernel.shape[-2:])
        return lax.dot_general(pixels, matrix, (((inputs.ndim - 1,), (0,)), ((), ())), preferred_element_type=kind)
    rank = inputs.ndim - 2
    outer = (0, rank + 1, *range(1, rank + 1))
    return lax.conv_general_dilated(
        inputs,
        kernel,
        windows.strides[1:-1],
        windows.padding[1:-1],
        windows.input_dilation[1:-1],
        windows.dilation[1:-1],
        lax.ConvDimensionNumbers(outer, (rank + 1, rank, *range(rank)), outer),
        preferred_element_type=kind,
    )


def _side_by_side(
    inputs: jax.Array, kernel: jax.Array, windows: Windows, groups: int, batch_groups: int, kind: Any
) -> jax.Array | None:
    """Each group's inputs with its part of the kernel; batch groups, parts of the batch, have a kernel's gradient."""
    count, axis = (groups, -1) if groups > 1 else (batch_groups, 0)
    if count > MOST_GROUPS:
        return None
    parts = zip(jnp.split(inputs, count, axis), jnp.split(kernel, count, -1), strict=True)
    results = []
    for part, own in parts:
        shape = part.shape
        mine = Windows(
            shape, windows.window, windows.strides, windows.padding, windows.dilation, windows.input_dilation
        )
        results.append(_single(part, own, mine, kind))
    return jnp.concatenate(results, -1)
