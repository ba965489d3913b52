"""All random bits of a network's first weights from one kernel, which is compiled once instead of once a weight.

JAX draws each array with a loop of its own over the rounds of threefry, and a network has one for every kernel: most of
what is compiled to draw weights. The bits of a draw depend on its key and on the position of an element alone, and so
those of all draws can be computed side by side. Integers are exact: nothing that is drawn changes by a bit. See
``docs/decisions/0148-weights-are-drawn-at-once.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from paribus.engine.rewriting import traced

P = ParamSpec("P")
R = TypeVar("R")

_BLOCK = 256
"""Elements in a row: the elements of a draw begin a row, so that a row has one key."""

_MOST = 2**31
"""Elements of a draw: the position of an element is one 32-bit word."""


def drawn_at_once(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with all random bits that do not depend on others drawn at once.

    Args:
        function: a function of arrays that draws with keys of JAX's threefry.

    Returns:
        A function with the same arguments and, bit for bit, the same results.
    """

    def evaluate(closed: core.ClosedJaxpr, leaves: Sequence[Any]) -> list[Any]:
        return _evaluate(jax.make_jaxpr(lambda *arguments: _inlined(closed, arguments))(*leaves), leaves)

    return traced(function, evaluate)


class _Values(dict[Any, Any]):
    """What the variables of a traced program are, as far as they are known."""

    def of(self, atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else self[atom]

    def apply(self, equation: core.JaxprEqn) -> None:
        primitive: Any = equation.primitive
        with equation.ctx.manager:
            params = primitive.get_bind_params(equation.params)
            results = primitive.bind(*map(self.of, equation.invars), **params)
        self.update(zip(equation.outvars, results if primitive.multiple_results else [results], strict=True))


def _inlined(closed: core.ClosedJaxpr, arguments: Sequence[Any]) -> list[Any]:
    """Run a traced program without the functions inside it, which hide what draws."""
    values = _values(closed, arguments)
    for equation in closed.jaxpr.eqns:
        if equation.primitive.name in ("jit", "pjit"):
            results = _inlined(equation.params["jaxpr"], [values.of(atom) for atom in equation.invars])
            values.update(zip(equation.outvars, results, strict=True))
        else:
            values.apply(equation)
    return [values.of(atom) for atom in closed.jaxpr.outvars]


def _evaluate(closed: core.ClosedJaxpr, arguments: Sequence[Any]) -> list[Any]:
    """Run a traced program: what depends on no random bits, then those bits at once, then the rest."""
    values = _values(closed, arguments)
    draws: list[core.JaxprEqn] = []
    later: list[core.JaxprEqn] = []
    waiting: set[Any] = set()
    for equation in closed.jaxpr.eqns:
        depends = any(not isinstance(atom, core.Literal) and atom in waiting for atom in equation.invars)
        if not depends and not _draws(equation):
            values.apply(equation)
            continue
        (later if depends else draws).append(equation)
        waiting.update(equation.outvars)
    if draws:
        keys = [jax.random.key_data(values.of(equation.invars[0])) for equation in draws]
        bits = _bits(keys, [equation.params["shape"] for equation in draws])
        values.update({equation.outvars[0]: drawn for equation, drawn in zip(draws, bits, strict=True)})
    for equation in later:
        values.apply(equation)
    return [values.of(atom) for atom in closed.jaxpr.outvars]


def _values(closed: core.ClosedJaxpr, arguments: Sequence[Any]) -> _Values:
    values = _Values(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    values.update(zip(closed.jaxpr.invars, arguments, strict=True))
    return values


def _draws(equation: core.JaxprEqn) -> bool:
    """Whether an equation draws bits as ``_bits`` does."""
    if equation.primitive.name != "random_bits" or not equation.ctx.threefry_partitionable:
        return False
    key: Any = equation.invars[0].aval
    of_threefry = key.shape == () and str(key.dtype) == "key<fry>"
    return of_threefry and equation.params["bit_width"] == 32 and 0 < math.prod(equation.params["shape"]) < _MOST


def _bits(keys: Sequence[jax.Array], shapes: Sequence[tuple[int, ...]]) -> list[jax.Array]:
    """Random bits as JAX's partitionable threefry draws them: uint32 arrays of these shapes, one with each key."""
    sizes = [math.prod(shape) for shape in shapes]
    rows = [-(-size // _BLOCK) for size in sizes]
    first = np.concatenate([np.arange(count, dtype=np.uint32) * _BLOCK for count in rows])
    of_row = jnp.stack(keys)[np.repeat(np.arange(len(keys)), rows)]
    position = jnp.asarray(first)[:, None] + jnp.arange(_BLOCK, dtype=np.uint32)
    bits = _threefry(of_row[:, :1], of_row[:, 1:], position).reshape(-1)
    starts = np.cumsum([0, *rows[:-1]]) * _BLOCK
    return [bits[start : start + size].reshape(shape) for start, size, shape in zip(starts, sizes, shapes, strict=True)]


def _threefry(first: jax.Array, second: jax.Array, position: jax.Array) -> jax.Array:
    """Threefry-2x32 with 20 rounds of the words (0, position), its two words joined by exclusive or, as JAX does.

    Written out, it is one kernel that reads and writes each element once, where JAX's rounds are a loop over arrays.
    Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, section 3.3 and table 2.

    Args:
        first: the first word of the key, uint32; shapes are broadcast.
        second: the second one.
        position: the elements' positions.
    """
    words = (first, second, first ^ second ^ np.uint32(0x1BD11BDA))
    a, b = words[0], position + words[1]
    for group in range(5):
        for rotation in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
            a = a + b
            b = a ^ ((b << np.uint32(rotation)) | (b >> np.uint32(32 - rotation)))
        a = a + words[(group + 1) % 3]
        b = b + words[(group + 2) % 3] + np.uint32(group + 1)
    return a ^ b
