"""Matrix products and convolutions of operands rounded to bf16, accumulated in float32.

JAX's own way to ask for this, a default matmul precision of ``BF16_BF16_F32``, is no way here: XLA's CPU compiler takes
no notice of it, and convolutions never do. So the traced program is rewritten instead: whatever a layer calls, forward
and backward, every product in it is one of bf16 operands with a float32 result. That is also what tensor cores compute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from paribus.engine.rewriting import Rule, with_rules

BF16 = "bf16"
P = ParamSpec("P")
R = TypeVar("R")


def _of_rounded(primitive: Any) -> Rule:
    """A product of float32 operands -> the same product of operands rounded to bf16, with a float32 result."""

    def rule(values: Sequence[Any], params: Mapping[str, Any]) -> jax.Array | None:
        if any(value.dtype != jnp.float32 for value in values):
            return None
        rounded = [value.astype(jnp.bfloat16) for value in values]
        changed = {**params, "preferred_element_type": jnp.dtype(jnp.float32), "precision": None}
        product: jax.Array = primitive.bind(*rounded, **changed)
        return product

    return rule


_RULES: Mapping[str, Rule] = MappingProxyType(
    {"dot_general": _of_rounded(lax.dot_general_p), "conv_general_dilated": _of_rounded(lax.conv_general_dilated_p)}
)


def with_bf16_products(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with every float32 product in it taken of operands rounded to bf16.

    Loops, branches and functions inside are rewritten too. Differentiate first: the result has no derivative.

    Args:
        function: a function of arrays, or of trees of arrays.
    """
    return with_rules(function, _RULES)
