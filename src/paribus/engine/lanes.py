"""Lanes: runs of one arm side by side in one compiled program, which differ in their seeds.

A step of a small network keeps a GPU busy for a few microseconds and costs as many to start; the same step of many runs
costs hardly more. How many lanes a program has may change its last bits on a GPU, so their number is fixed: where there
are fewer runs than lanes, the last run fills the rest, and what those lanes compute is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

import jax
import jax.numpy as jnp
import numpy as np

Tree = TypeVar("Tree")


@final
@dataclass(frozen=True, slots=True)
class Lanes:
    """How many runs a program computes at a time. A single one has no axis: programs and arrays are those of a run."""

    count: int = 1

    def over(self, function: Callable[..., Any], *axes: int | None) -> Callable[..., Any]:
        """A function of one run as one of all lanes; an argument's axis is 0, or None where all lanes share it."""
        return function if self.count == 1 else jax.vmap(function, in_axes=axes)

    def one_by_one(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A compiled function of one run's state as one of the state of all lanes, which share the other arguments.

        A program of all lanes has the last bits of a run alone in training; in inference it does not on every
        processor (one without AVX-512 rounded a few losses in another way).
        """

        def over_all(state: Any, *shared: Any) -> Any:
            lanes = (jax.tree.map(lambda leaf, lane=lane: leaf[lane], state) for lane in range(self.count))
            return jax.tree.map(lambda *leaves: jnp.stack(leaves), *[function(own, *shared) for own in lanes])

        return over_all

    def shape(self, *lengths: int) -> tuple[int, ...]:
        """An array's shape in one run -> its shape in the program."""
        return lengths if self.count == 1 else (self.count, *lengths)

    def together(self, trees: Sequence[Tree]) -> Tree:
        """One tree for the program from one of each run; that of the last run fills the lanes that are left."""
        if self.count == 1:
            return trees[0]
        filled = [*trees, *[trees[-1]] * (self.count - len(trees))]
        stacked: Tree = jax.tree.map(lambda *leaves: np.stack(leaves), *filled)
        return stacked

    def apart(self, tree: Tree) -> list[Tree]:
        """A program's answer as one answer a lane, in the host's memory."""
        host = jax.tree.map(np.asarray, tree)
        if self.count == 1:
            return [host]
        return [jax.tree.map(lambda leaf, lane=lane: leaf[lane], host) for lane in range(self.count)]

    def select(self, marks: Sequence[bool], new: Tree, old: Tree | None) -> Tree:
        """``new`` in the lanes of the runs that are marked, ``old`` in the others (anything, where it is None).

        Args:
            marks: one for each run, at most as many as there are lanes.
            new: a tree with an axis of lanes.
            old: a tree of the same structure, or None.
        """
        marked = self.together([np.full(1, mark) for mark in marks]).reshape(-1)
        if marked.all() or old is None:
            return new
        if not marked.any():
            return old
        merged: Tree = _select(marked, new, old)
        return merged


@jax.jit
def _select(marked: jax.Array, new: Any, old: Any) -> Any:
    def of_leaf(mine: jax.Array, theirs: jax.Array) -> jax.Array:
        return jnp.where(marked.reshape(-1, *[1] * (mine.ndim - 1)), mine, theirs)

    return jax.tree.map(of_leaf, new, old)
