"""The digest of what an estimator has learned, by which two runs are compared to the last bit.

Covered is every attribute that scikit-learn sets while it fits, private ones too, but for the arguments (they are the
recipe) and generators of random numbers: arrays by type, shape and values (field by field: what is between the fields
of a tree's nodes is not defined), numbers and texts, lists and tables, and the estimators inside. An object of a class
in C (a tree, a loss) counts with what its own ``__reduce__`` says of it. Nothing is pickled, and nothing is read back.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from paribus.estimators.canonical import holds_estimator


def learned_digest(estimator: BaseEstimator) -> str:
    """The digest of all that a fitted estimator has learned.

    Args:
        estimator: the fitted estimator.

    Returns:
        The sha256, hexadecimal, over its parts in the order of their names.

    Raises:
        TypeError: it holds something whose bits cannot be read.
    """
    digest = hashlib.sha256()
    for path, content in _parts("", estimator, ()):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _parts(path: str, value: Any, above: tuple[int, ...]) -> Iterator[tuple[str, bytes]]:
    """Places and their content as bytes. ``above`` are the objects that contain this one."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield path, f"{type(value).__name__} {value!r}".encode()
    elif isinstance(value, np.ndarray | np.generic):
        yield from _array(path, np.asarray(value), above)
    elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | np.ufunc | np.dtype):
        yield path, getattr(value, "__qualname__", str(value)).encode()
    elif id(value) in above:
        yield path, b"itself"
    else:
        inner = _inner(value)
        yield path, f"{type(value).__qualname__} {len(inner)}".encode()
        for name, item in inner.items():
            yield from _parts(f"{path}/{name}", item, (*above, id(value)))


def _array(path: str, value: np.ndarray[Any, Any], above: tuple[int, ...]) -> Iterator[tuple[str, bytes]]:
    if value.dtype.names is not None:
        for name in value.dtype.names:
            yield from _array(f"{path}.{name}", value[name], above)
    elif value.dtype.hasobject:
        yield path, f"object {value.shape}".encode()
        for index, item in enumerate(value.ravel()):
            yield from _parts(f"{path}/{index}", item, above)
    else:
        yield path, f"{value.dtype.str} {value.shape} ".encode() + value.tobytes()


def _inner(value: Any) -> Mapping[str, Any]:
    """The parts of an object with their names, in an order that is always the same."""
    if isinstance(value, Mapping):
        return {repr(key): value[key] for key in sorted(value, key=repr)}
    if isinstance(value, set | frozenset):
        return {str(index): item for index, item in enumerate(sorted(value, key=repr))}
    if isinstance(value, list | tuple):
        return {str(index): item for index, item in enumerate(value)}
    if sparse.issparse(value):
        entries: Any = sparse.coo_matrix(value)  # type: ignore[call-overload]
        return {"data": entries.data, "row": entries.row, "col": entries.col, "shape": entries.shape}
    if isinstance(value, BaseEstimator):
        parameters = value.get_params(deep=False)
        # The steps of a pipeline are arguments, and are fitted in their place.
        learned = {name: x for name, x in sorted(vars(value).items()) if name not in parameters or holds_estimator(x)}
        return {name: item for name, item in learned.items() if not _draws(name)}
    if hasattr(value, "__dict__") and "__reduce__" not in _defined(type(value)):
        return dict(sorted(vars(value).items()))
    # What pickle would ask for, and TypeError where an object refuses to tell.
    return {str(index): item for index, item in enumerate(_reduced(value))}


def _defined(cls: type) -> set[str]:
    """What a class and those above it define, but for ``object``."""
    return {name for parent in cls.__mro__ if parent is not object for name in vars(parent)}


def _draws(name: str) -> bool:
    """Whether an attribute is a generator or its seed: a means of learning, and nothing that was learned."""
    return "random" in name or name.endswith("rng")


def _reduced(value: Any) -> tuple[Any, ...]:
    reduced = value.__reduce_ex__(2)
    return (reduced,) if isinstance(reduced, str) else tuple(list(x) if isinstance(x, Iterator) else x for x in reduced)
