"""HTML from Python calls. Text is escaped unless it is :class:`Markup`, which only these modules make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that needs no escaping."""

    text: str


Child = Markup | str | int | None | Iterable["Child"]
"""What an element may hold: text, markup, nothing, or several of these."""

Attribute = str | int | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An HTML element.

    Args:
        name: its name.
        *children: what it holds; text is escaped.
        **attributes: ``class_`` and ``for_`` lose their underscore, in others underscores turn into hyphens
            (``aria_label``). True is written without a value; None and False are left out.
    """
    words = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{words}>")
    return Markup(f"<{name}{words}>{join(children).text}</{name}>")


def join(children: Child) -> Markup:
    """Children one after the other, text escaped."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int):
        return Markup(escape(str(children), quote=False))
    return Markup("".join(join(child).text for child in children))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
