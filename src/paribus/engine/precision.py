"""Matrix products and convolutions of operands rounded to bf16, accumulated in float32.

JAX's own way to ask for this, a default matmul precision of ``BF16_BF16_F32``, is no way here: XLA's CPU compiler takes
no notice of it, and convolutions never do. So the traced program is rewritten instead: whatever a layer calls, forward
and backward, every product in it is one of bf16 operands with a float32 result. That is also what tensor cores compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jax.extend import core

BF16 = "bf16"
P = ParamSpec("P")
R = TypeVar("R")

_PRODUCTS = frozenset({"dot_general", "conv_general_dilated"})
_INLINED = frozenset({"custom_jvp_call", "custom_vjp_call"})
"""Functions with a derivative of their own. What is rewritten here is differentiated already."""


def with_bf16_products(function: Callable[P, R]) -> Callable[P, R]:
    """The same function of arrays (in trees), with every float32 product in it taken of operands rounded to bf16.

    Loops, branches and functions inside are rewritten too. Differentiate first: what comes out is the end.
    """

    def rounded(*args: P.args, **kwargs: P.kwargs) -> R:
        leaves, tree = jax.tree.flatten((args, kwargs))

        def flat(*flat_leaves: jax.Array) -> R:
            inner_args, inner_kwargs = jax.tree.unflatten(tree, flat_leaves)
            return function(*inner_args, **inner_kwargs)

        closed, shapes = jax.make_jaxpr(flat, return_shape=True)(*leaves)
        result: R = jax.tree.unflatten(jax.tree.structure(shapes), _evaluate(closed, leaves))
        return result

    return rounded


def _evaluate(closed: core.ClosedJaxpr, arguments: Sequence[Any]) -> list[Any]:
    """Run a traced program, equation by equation, with its products rounded."""
    jaxpr = closed.jaxpr
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    known |= zip(jaxpr.invars, arguments, strict=True)

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else known[atom]

    for equation in jaxpr.eqns:
        values = [read(atom) for atom in equation.invars]
        known |= zip(equation.outvars, _apply(equation, values), strict=True)
    return [read(atom) for atom in jaxpr.outvars]


def _apply(equation: core.JaxprEqn, values: list[Any]) -> list[Any]:
    name, params = equation.primitive.name, equation.params
    if name in _INLINED:
        return _evaluate(params["call_jaxpr"], values)
    if name in _PRODUCTS and all(value.dtype == jnp.float32 for value in values):
        values = [value.astype(jnp.bfloat16) for value in values]
        params = params | {"preferred_element_type": jnp.dtype(jnp.float32), "precision": None}
    params = {key: _rewritten(value) for key, value in params.items()}
    primitive: Any = equation.primitive
    found = primitive.bind(*values, **params)
    return found if equation.primitive.multiple_results else [found]


def _rewritten(parameter: Any) -> Any:
    """A parameter of an equation; where it is a program (a loop's body, a branch), the program rewritten."""
    if type(parameter) is tuple:
        return tuple(_rewritten(item) for item in parameter)
    if isinstance(parameter, core.Jaxpr):
        return _rewritten(core.ClosedJaxpr(parameter, ())).jaxpr
    if not isinstance(parameter, core.ClosedJaxpr):
        return parameter
    avals = [variable.aval for variable in parameter.jaxpr.invars]
    return jax.make_jaxpr(lambda *arguments: _evaluate(parameter, arguments))(*avals)
