"""Compiled programs as bytes, for the other workers of a command (``compile_once.py``): never for a file that stays."""

from __future__ import annotations

import pickle
from typing import Any

import jax
from jax.experimental.serialize_executable import deserialize_and_load, serialize

from paribus.engine.compile_once import Packing


def _pack(programs: Any) -> bytes | None:
    compiled, tree = jax.tree.flatten(programs)
    try:
        return pickle.dumps(([serialize(program) for program in compiled], tree))
    except (NotImplementedError, ValueError, TypeError, pickle.PicklingError):
        return None  # such as a program with arrays of its own


def _unpack(packed: bytes) -> Any:
    parts, tree = pickle.loads(packed)  # noqa: S301 - written by another worker of this command
    return jax.tree.unflatten(tree, [deserialize_and_load(*part) for part in parts])


PACKING: Packing[Any] = Packing(_pack, _unpack)
"""Of a program, or of several in a dictionary."""
