"""Codes for the words of a column: arms, seeds, examples, classes, groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = -1
"""The code of a missing value."""

_MISSING_TEXTS = frozenset({"", "nan", "<na>", "nat", "null"})
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0*")


class WordCodes(dict[str, int]):
    """Numbers words from 0 on, in the order in which they first come; a missing value has the code ``MISSING``.

    Keys are words as they are written; two spellings of one word, such as ``3`` and ``3.0``, have one code.
    """

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        word = normalize(text)
        code = MISSING if word.lower() in _MISSING_TEXTS else self._codes.setdefault(word, len(self._codes))
        self[text] = code
        return code

    @property
    def words(self) -> tuple[str, ...]:
        """The words by their codes."""
        return tuple(self._codes)

    def encode(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """The codes of a column of texts."""
        return np.fromiter(map(self.__getitem__, texts), np.int32, len(texts))

    def translate(self, indices: NDArray[Any], values: Iterable[object]) -> NDArray[np.int32]:
        """The codes of a column that is written as indices into its distinct values.

        Args:
            indices: for each row the index of its value; -1 for a missing one.
            values: the distinct values.
        """
        codes = np.asarray([*(self[to_text(value)] for value in values), MISSING], np.int32)
        return codes.take(indices)


def to_text(value: object) -> str:
    """A value of a table as text: None as an empty one, numbers that are whole without a point."""
    if value is None:
        return ""
    if isinstance(value, bytes | np.bytes_):
        return bytes(value).decode(errors="replace")
    if isinstance(value, float | np.floating):
        return str(int(value)) if np.isfinite(value) and value == int(value) else str(float(value))
    return str(value)


def normalize(text: str) -> str:
    """The word without space around it; a whole number that is written with a point, such as ``3.0``, without it."""
    word = text.strip()
    match = _WHOLE.fullmatch(word)
    return match[1] if match else word
