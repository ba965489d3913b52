"""A differentiated function with its convolutions and its pooling replaced by forms that are fast on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from paribus.engine.kernels.convolution import convolution
from paribus.engine.kernels.pooling import max_pooling, max_pooling_gradient, sum_pooling
from paribus.engine.kernels.sums import channel_sums
from paribus.engine.rewriting import Rule, with_rules

P = ParamSpec("P")
R = TypeVar("R")

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "conv_general_dilated": convolution,
        "reduce_sum": channel_sums,
        "reduce_window_max": max_pooling,
        "reduce_window_sum": sum_pooling,
        "select_and_scatter_add": max_pooling_gradient,
    }
)
"""The primitives of JAX that convolutions, pooling and their gradients consist of."""


def with_cpu_kernels(function: Callable[P, R]) -> Callable[P, R]:
    """The same function of arrays (in trees), within float32's rounding, in forms that are fast on a CPU.

    Differentiate first: what comes out has no derivative of its own.
    """
    return with_rules(function, RULES)
