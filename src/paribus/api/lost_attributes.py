"""Settings of a user's own objects that their configs leave out, so that an object made from its config would differ.

A worker gets a layer, initializer, regularizer or constraint as its config. Keras assumes that ``get_config`` returns
every argument of ``__init__``; where it forgets one, the object that is made again has that argument's default, without
a warning (keras 3.15).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

_OBJECTIONS = (ValueError, TypeError, NotImplementedError, AttributeError, KeyError, IndexError)
"""What a class raises whose config does not make it again; the worker says which."""

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


def find_lost_attributes(layer: Any) -> Iterator[str]:
    """Yield a message for each plain attribute of a user's own objects in a layer that its config does not bring back.

    Args:
        layer: a layer or model; its initializers, regularizers and constraints are looked at too.
    """
    import keras

    holders = (keras.initializers.Initializer, keras.regularizers.Regularizer, keras.constraints.Constraint)
    for value in [layer, *(value for value in vars(layer).values() if isinstance(value, holders))]:
        if _is_of_user(type(value)):
            yield from _compare_with_copy(value)


def _compare_with_copy(value: Any) -> Iterator[str]:
    name = type(value).__name__
    again = _make_again(value)
    if isinstance(again, NotImplementedError):
        yield f"class {name} has no get_config, and workers need it: write one that returns every argument of __init__"
    if isinstance(again, TypeError):
        yield (
            f"class {name} cannot be made again from its config, as workers make it: {again}. Let __init__ take "
            "**kwargs for super().__init__(**kwargs), and return every argument of its own from get_config"
        )
    if again is None or isinstance(again, Exception):
        return
    for attribute in sorted(set(vars(value)) - _internal_attributes()):
        here = vars(value)[attribute]
        there = getattr(again, attribute, here)
        if _is_plain(here) and _is_plain(there) and not _are_equal(here, there):
            if not _are_equal(there, getattr(_make_again(value), attribute, there)):
                continue  # drawn again each time: the worker refuses that, and says how to draw
            yield (
                f"class {name} has {attribute} = {_show(here)}, and {_show(there)} where a worker makes it again from "
                "its config: take it as an argument of __init__ and return it from get_config"
            )


def _make_again(value: Any) -> Any:
    """Make an object from its config, built where it is built; the error or None where that fails.

    The seeds that Keras makes up on the way take nothing from the user's random numbers.
    """
    state = random.getstate()
    try:
        again = type(value).from_config(value.get_config())
        if getattr(value, "built", False):
            again.build_from_config(value.get_build_config())
    except NotImplementedError as error:
        return error if "get_config" not in _methods_of_user(type(value)) else None
    except TypeError as error:
        return error if "__init__()" in str(error) else None
    except _OBJECTIONS:
        return None
    finally:
        random.setstate(state)
    return again


def _is_of_user(cls: type) -> bool:
    return not cls.__module__.startswith(("keras.", "builtins"))


def _methods_of_user(cls: type) -> set[str]:
    return {name for base in cls.__mro__ if _is_of_user(base) for name in vars(base)}


@cache
def _internal_attributes() -> frozenset[str]:
    """The attributes that Keras gives every layer and model."""
    import keras

    return frozenset(vars(keras.layers.Layer())) | frozenset(vars(keras.Model())) | {"built", "build_shapes_dict"}


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, a text, an array, or a list or mapping of such."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return isinstance(value, (*_PLAIN, np.ndarray))


def _are_equal(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_are_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(_are_equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple | dict) or isinstance(b, list | tuple | dict):
        return False
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b) or (a != a and b != b)


def _show(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:39]}…"
