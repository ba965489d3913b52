"""The classes that Keras exports, enumerated from Keras, so that a new one is not forgotten."""

from __future__ import annotations

import keras

KINDS = ("losses", "metrics", "optimizers", "layers")


def exported(kind: str) -> dict[str, type]:
    """The classes of ``keras.losses``, say, by name; one class may have several names."""
    return {name: cls for name, cls in sorted(vars(getattr(keras, kind)).items()) if isinstance(cls, type)}


def begins_with(letters: str, name: str) -> bool:
    """Whether a name begins with one of the letters of a range, such as ``A-C``."""
    return letters[0] <= name[0] <= letters[-1]


def first_name(kind: str, name: str) -> str:
    """The name by which a class comes first in the alphabet: ``AveragePooling1D`` for ``AvgPool1D``."""
    classes = exported(kind)
    return next(other for other, cls in classes.items() if cls is classes[name])
