"""A function of arrays with some of its operations replaced: traced, and evaluated equation by equation.

What a layer calls does not matter, forward or backward: the rules see JAX's primitives. Loops, branches and functions
inside are rewritten too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import jax
from jax.extend import core

P = ParamSpec("P")
R = TypeVar("R")

Rule = Callable[[Sequence[Any], Mapping[str, Any]], jax.Array | None]
"""Operands and parameters of an equation with one result -> the result; None where the equation stays as it is."""

Rules = Mapping[str, Rule]
"""By the name of a primitive."""

_INLINED = frozenset({"custom_jvp_call", "custom_vjp_call"})
"""Functions with a derivative of their own. What is rewritten here is differentiated already."""


def with_rules(function: Callable[P, R], rules: Rules) -> Callable[P, R]:
    """The same function, with every primitive of JAX that a rule is for replaced by what the rule returns.

    Where no rule is for anything in it, the function is called as it is.

    Args:
        function: a function of arrays, or of trees of arrays. Differentiate first: the result has no derivative.
        rules: the rules by the name of a primitive.

    Returns:
        A function with the same arguments and results.
    """

    def evaluate(closed: core.ClosedJaxpr, leaves: Sequence[Any]) -> list[Any] | None:
        return _evaluate(closed, leaves, rules) if rules.keys() & primitives(closed.jaxpr) else None

    return traced(function, evaluate)


def traced(
    function: Callable[P, R], evaluate: Callable[[core.ClosedJaxpr, Sequence[Any]], list[Any] | None]
) -> Callable[P, R]:
    """The same function, traced and then run by another one.

    Args:
        function: a function of arrays, or of trees of arrays.
        evaluate: the traced program and its arguments as a flat list -> its results as a flat list; None where the
            function is to be called as it is.

    Returns:
        A function with the same arguments and results.
    """

    def by_trace(*args: P.args, **kwargs: P.kwargs) -> R:
        leaves, tree = jax.tree.flatten((args, kwargs))

        def flat(*flat_leaves: jax.Array) -> R:
            inner_args, inner_kwargs = jax.tree.unflatten(tree, flat_leaves)
            return function(*inner_args, **inner_kwargs)

        closed, shapes = jax.make_jaxpr(flat, return_shape=True)(*leaves)
        results = evaluate(closed, leaves)
        if results is None:
            return function(*args, **kwargs)
        result: R = jax.tree.unflatten(jax.tree.structure(shapes), results)
        return result

    return by_trace


def primitives(jaxpr: core.Jaxpr) -> set[str]:
    """The names of all primitives in a traced program, those of loops, branches and functions inside too."""
    names = set()
    for equation in jaxpr.eqns:
        names.add(equation.primitive.name)
        for parameter in equation.params.values():
            for item in parameter if isinstance(parameter, tuple) else (parameter,):
                if isinstance(item, core.Jaxpr):
                    names |= primitives(item)
                elif isinstance(item, core.ClosedJaxpr):
                    names |= primitives(item.jaxpr)
    return names


def _evaluate(closed: core.ClosedJaxpr, arguments: Sequence[Any], rules: Rules) -> list[Any]:
    """Run a traced program, equation by equation, by the rules."""
    jaxpr = closed.jaxpr
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    known |= zip(jaxpr.invars, arguments, strict=True)

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else known[atom]

    for equation in jaxpr.eqns:
        values = [read(atom) for atom in equation.invars]
        known |= zip(equation.outvars, _apply(equation, values, rules), strict=True)
    return [read(atom) for atom in jaxpr.outvars]


def _apply(equation: core.JaxprEqn, values: list[Any], rules: Rules) -> list[Any]:
    name = equation.primitive.name
    if name in _INLINED:
        return _evaluate(equation.params["call_jaxpr"], values, rules)
    if name in rules:
        replaced = rules[name](values, equation.params)
        if replaced is not None:
            return [replaced]
    params = {key: _rewritten(value, rules) for key, value in equation.params.items()}
    primitive: Any = equation.primitive
    results = primitive.bind(*values, **params)
    return results if equation.primitive.multiple_results else [results]


def _rewritten(parameter: Any, rules: Rules) -> Any:
    """A parameter of an equation; where it is a program (a loop's body, a branch), the program rewritten."""
    if type(parameter) is tuple:
        return tuple(_rewritten(item, rules) for item in parameter)
    if isinstance(parameter, core.Jaxpr):
        return _rewritten(core.ClosedJaxpr(parameter, ()), rules).jaxpr
    if not isinstance(parameter, core.ClosedJaxpr):
        return parameter
    avals = [variable.aval for variable in parameter.jaxpr.invars]
    return jax.make_jaxpr(lambda *arguments: _evaluate(parameter, arguments, rules))(*avals)
