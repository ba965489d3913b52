"""Spaces of a page at which no line ends: between a number and its unit, and in p = 0.02."""

from __future__ import annotations

import re

_TAG = re.compile(r"(<[^>]*>)")
_AS_TYPED = ("code", "pre", "script", "style")
_UNBROKEN = re.compile(
    r"(?<=\d) (?=(?:%|(?:points?|nats|ms|s|min|h|minutes?|seconds?|hours?|seeds?|contrasts?|looks?|folds?)\b))"
    r"|(?<=\d min) (?=\d)|(?<=\d h) (?=\d)|\bp (?:=|/|&lt;|&gt;) (?=\d)"
)


def keep_together(html: str) -> str:
    """The same HTML with no-break spaces in its text; tags, code and scripts are left as they are.

    Args:
        html: a page or a part of one, in which ``>`` is escaped within attributes.
    """
    parts = _TAG.split(html)
    as_typed = 0
    for index, part in enumerate(parts):
        if index % 2:
            name = part.strip("</>").partition(" ")[0]
            as_typed += (-1 if part.startswith("</") else 1) * (name in _AS_TYPED)
        elif not as_typed:
            parts[index] = _UNBROKEN.sub(lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), part)
    return "".join(parts)
