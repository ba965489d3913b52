"""Numbers in a form that people write and no CSV reader takes: ``1,5``, ``12%``, ``1 000``, ``$3.20``.

As words they would become a category each, and a network would learn nothing from their size.
"""

from __future__ import annotations

import re

_SIGN = r"[+\-\u2212]?"
_DIGITS = r"\d+(?:[.,'_\u2019\u00a0\u202f ]\d+)*"
_CURRENCY = r"[$\u20ac\u00a3\u00a5]|(?:USD|EUR|GBP|CHF|JPY)"
_ALMOST = re.compile(rf"\(?{_SIGN}(?:{_CURRENCY})?\s*{_SIGN}{_DIGITS}(?:[eE][+\-]?\d+)?\s*(?:%|\u2030|{_CURRENCY})?\)?")
_DATE = re.compile(r"\d{1,4}([.' ])\d{1,2}\1\d{1,4}")


def is_almost_number(word: str) -> bool:
    """Whether a word is a number for a human reader but not for Python. Dates and versions (1.2.3) are not.

    Args:
        word: a cell of a table.
    """
    return _ALMOST.fullmatch(word) is not None and _DATE.fullmatch(word) is None and word.count(".") < 3
