"""Control characters spelled out: a name or a reason must not move a cursor, or turn the words around it."""

from __future__ import annotations

import re
from typing import Final

CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]"
)
"""C0 and C1, without line ends and tabs, which are layout; what turns the direction of writing (Unicode's UAX 9), ends
a line or annotates; and what stands for a byte of a file's name that is no text, which no stream could encode."""


def show_control_characters(text: str) -> str:
    r"""The text with every control character spelled out, such as the escape that begins a sequence as 4 characters.

    Example:
        >>> from paribus.errors.control_characters import show_control_characters
        >>> print(show_control_characters("a\x1b[2Jb"))
        a\x1b[2Jb
    """
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
