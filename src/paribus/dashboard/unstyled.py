"""Parts of the report without style attributes, which the dashboard's Content-Security-Policy does not allow."""

from __future__ import annotations

import re
from typing import Final

from paribus.report.html.build import Markup

SHADES: Final = 10
"""Shades of the cells of a confusion matrix; dashboard.css has a class for each."""

_ELEMENT = re.compile(r"<(?P<name>\w+)(?P<before>[^<>]*?) style=\"(?P<style>[^\"<>]*)\"")
_SHARE = "--share:"


def without_styles(markup: Markup) -> Markup:
    """The same markup: in drawings a style becomes the attributes of SVG, a cell's shade becomes a class.

    Escaped text holds no ``<``, so that nothing but an element begins with one.
    """
    return Markup(_ELEMENT.sub(_without, markup.text))


def _without(match: re.Match[str]) -> str:
    style: str = match["style"]
    if style.startswith(_SHARE):
        return f'<{match["name"]}{match["before"]} class="shade-{round(float(style.removeprefix(_SHARE)) * SHADES)}"'
    pairs = (declaration.split(":", 1) for declaration in style.split(";") if declaration)
    attributes = "".join(f' {name.strip()}="{value.strip()}"' for name, value in pairs)
    return f"<{match['name']}{match['before']}{attributes}"
