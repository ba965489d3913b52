"""A differentiated function with what it computes replaced, by rules, by forms that are fast on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from paribus.engine.kernels.convolution import convolution
from paribus.engine.kernels.pooling import max_pooling, max_pooling_gradient, sum_pooling
from paribus.engine.kernels.products import product
from paribus.engine.kernels.rows import row_maxima
from paribus.engine.kernels.sums import channel_sums, sequence_sums
from paribus.engine.rewriting import Rules, with_rules

P = ParamSpec("P")
R = TypeVar("R")

WINDOW_RULES: Rules = MappingProxyType(
    {
        "conv_general_dilated": convolution,
        "reduce_sum": channel_sums,
        "reduce_window_max": max_pooling,
        "reduce_window_sum": sum_pooling,
        "select_and_scatter_add": max_pooling_gradient,
    }
)
"""The primitives of JAX that convolutions, pooling and their gradients consist of."""

SEQUENCE_RULES: Rules = MappingProxyType(
    {"dot_general": product, "reduce_max": row_maxima, "reduce_sum": sequence_sums}
)
"""Those of attention, of recurrent layers and of dense layers over time steps."""


def with_cpu_kernels(function: Callable[P, R], rules: Rules = WINDOW_RULES) -> Callable[P, R]:
    """The same function of arrays (in trees), within float32's rounding, in forms that are fast on a CPU.

    Differentiate first: what comes out has no derivative of its own.

    Args:
        function: a function of arrays, or of trees of arrays.
        rules: which operations are replaced.
    """
    return with_rules(function, rules)
