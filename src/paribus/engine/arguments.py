"""Arguments of Keras's classes that Keras takes and ignores: relics of Keras 2, and whatever goes into ``**kwargs``."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

_SHAPE = "the data says what the network reads; leave it out"
_RELICS = {
    "input_dim": _SHAPE,
    "input_shape": _SHAPE,
    "batch_input_shape": _SHAPE,
    "batch_shape": _SHAPE,
    "input_length": _SHAPE,
    "batch_size": "the protocol's batch_size holds for all arms; leave it out",
    "weights": "each seed draws new weights; leave it out, or name a file as the arm's initial_weights",
    "decay": (
        "give learning_rate a schedule, such as { InverseTimeDecay = { initial_learning_rate = 0.01, decay_steps = 1, "
        "decay_rate = 0.001 } } for decay = 0.001"
    ),
    "lr": "its name is learning_rate",
    "nb_filter": "its name is filters",
    "output_dim": "its name is units",
    "init": "its name is kernel_initializer",
}
"""Arguments of older Keras, and what replaces them now."""

_NEVER = frozenset({"self", "args", "kwargs"})


def known_arguments(cls: type) -> dict[str, None]:
    """The arguments that a class of Keras takes, its own first, then those that it passes on to its bases.

    Args:
        cls: a class of Keras.

    Returns:
        The names, in the order of the signatures, as the keys of a dictionary.
    """
    known: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object or not base.__module__.startswith("keras."):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]  # any class has one
        known |= {p.name: None for p in parameters if p.name not in _NEVER and p.kind is not p.VAR_KEYWORD}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return known


def unknown_arguments(cls: type, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Each argument that a class would ignore or refuse, with what to do instead.

    Args:
        cls: a class of Keras.
        arguments: its arguments as a study writes them.

    Returns:
        One message for each argument that ``cls`` does not take; none where all are known.
    """
    known = known_arguments(cls)
    for name in arguments:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = _RELICS.get(name) or (f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}")
        yield f"{cls.__name__} has no argument '{name}': {hint}"
