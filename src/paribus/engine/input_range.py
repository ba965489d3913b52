"""What a network does to the range of its input before its first weights, so that pixels are not scaled twice.

Scaling comes in many forms (a Rescaling layer, Normalization, ``x / 255`` among Keras's operations or in a ``call``).
In the traced program all of them are the same few operations: those are followed from the input on, for the smallest
and the largest value in the data, until weights or anything else come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend import core
from numpy.typing import NDArray

from paribus.engine.network import Network
from paribus.engine.rebuild import as_read, input_shape

_FOLLOWED = frozenset(
    {
        *("mul", "div", "sub", "add", "neg", "max", "min", "clamp", "integer_pow", "sqrt", "rsqrt"),
        *("convert_element_type", "reshape", "broadcast_in_dim", "transpose", "squeeze", "expand_dims", "copy"),
        *("stop_gradient", "slice", "concatenate", "rev"),
    }
)
"""Operations through which a value stays a scaled value."""

_CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Parameters that hold the program of an operation that calls one."""

_SCALED = 8.0
"""Examples whose values span no more than this are taken to be scaled already; pixels span 16 and more."""

_SHRUNK = 8.0
_SMALL = 0.25
"""Scaling shrinks so much, and leaves so little, that no one scales scaled values so on purpose."""

Known = dict[Any, Any]


def scaled_twice(network: Network, low: float, high: float, example_shape: tuple[int, ...]) -> str | None:
    """Why a network must not read these examples; None where nothing speaks against it.

    Args:
        network: the network, whose shapes fit the data.
        low: the smallest value that it reads, after the data's own scaling.
        high: the largest.
        example_shape: the shape of one example of the data.

    Returns:
        A sentence that names the range and the remedy, or None.
    """
    span = high - low
    if not 0 < span <= _SCALED:
        return None
    left = _span_at_weights(network, low, high, example_shape)
    if left is None or left > _SMALL or left * _SHRUNK > span:
        return None
    return (
        f"it scales its input down {span / left:,.4g} times by itself, and what it reads lies between {low:.4g} and "
        f"{high:.4g} already: pixels are scaled twice. Scale them in one place: leave out either the layer or `scale`"
    )


def _span_at_weights(network: Network, low: float, high: float, example_shape: tuple[int, ...]) -> float | None:
    """How far the two ends of the input's range are apart where its followed values meet something else."""
    shape = as_read(input_shape(network.model)[1:], example_shape)
    assert shape is not None, "the shapes were checked"

    def answer(trainable: list[jax.Array], others: list[jax.Array], x: jax.Array) -> Any:
        return network.call(trainable, others, x, training=False)

    shapes = [
        [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in variables]  # type: ignore[no-untyped-call]  # JAX has no types
        for variables in (network.model.trainable_variables, network.model.non_trainable_variables)
    ]
    ends = _Followed(np.full((1, *shape), low, np.float32), np.full((1, *shape), high, np.float32))
    closed = jax.make_jaxpr(answer)(*shapes, ends.low)
    met: list[float] = []
    _Follower(met).follow(closed.jaxpr, closed.consts, {closed.jaxpr.invars[-1]: ends})
    return max((span for span in met if span > 0), default=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """What the smallest and the largest input have become, where that is the input, scaled."""

    low: NDArray[Any]
    high: NDArray[Any]


class _Follower:
    """Goes through a program; where followed values meet weights or another operation, their span is noted."""

    def __init__(self, met: list[float]) -> None:
        self._met = met

    def follow(self, jaxpr: core.Jaxpr, consts: Any, known: Known) -> list[Any]:
        """The outputs, where they are known: arrays, followed values, or None."""
        known = {**known, **dict(zip(jaxpr.constvars, consts, strict=True))}

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, core.Literal) else known.get(atom)

        for equation in jaxpr.eqns:
            values = [read(atom) for atom in equation.invars]
            known |= zip(equation.outvars, self._apply(equation, values), strict=True)
        return [read(atom) for atom in jaxpr.outvars]

    def _apply(self, equation: core.JaxprEqn, values: list[Any]) -> list[Any]:
        unknown: list[Any] = [None] * len(equation.outvars)
        followed = [value for value in values if isinstance(value, _Followed)]
        inner = _program(equation.params)
        if inner is not None and len(inner.jaxpr.invars) == len(values):
            bound = {var: value for var, value in zip(inner.jaxpr.invars, values, strict=True) if value is not None}
            return self.follow(inner.jaxpr, inner.consts, bound)
        complete = all(value is not None for value in values)
        if complete and (not followed or equation.primitive.name in _FOLLOWED):
            if not followed:
                return _bound(equation, values)
            low, high = (
                _bound(equation, [getattr(value, end) if isinstance(value, _Followed) else value for value in values])
                for end in ("low", "high")
            )
            return [_Followed(np.asarray(a), np.asarray(b)) for a, b in zip(low, high, strict=True)]
        self._met += [float(np.abs(value.high - value.low).max(initial=0.0)) for value in followed]
        return unknown


def _bound(equation: core.JaxprEqn, values: list[Any]) -> list[Any]:
    """An operation's outputs for these inputs."""
    primitive: Any = equation.primitive
    answer = primitive.bind(*values, **equation.params)
    return list(answer) if primitive.multiple_results else [answer]


def _program(params: Mapping[str, Any]) -> core.ClosedJaxpr | None:
    """The program that an operation calls once (not that of a loop or a branch)."""
    for name in _CALLS:
        program = params.get(name)
        if isinstance(program, core.ClosedJaxpr) and "length" not in params and "branches" not in params:
            return program
        if isinstance(program, core.Jaxpr) and "length" not in params:
            return core.ClosedJaxpr(program, ())
    return None
