"""Matplotlib's SVG prepared for use inside a page: small, without an identifier twice, in the page's own colours."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from paribus.report.figures.palette import VARIABLES

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_COLOUR = re.compile("|".join(VARIABLES))
_REFERENCE = re.compile(r"url\(#(\w+)\)")
_NUMERIC = ("d", "x", "y", "transform", "width", "height", "points")


def inline_svg(source: bytes, name: str, alt: str) -> str:
    """The drawing as an ``<svg>`` element with a text alternative.

    Args:
        source: what Matplotlib wrote.
        name: unique on the page; identifiers are made from it.
        alt: the text alternative.
    """
    root = ElementTree.fromstring(source)
    _, _, width, height = root.attrib["viewBox"].split()
    _tidy(root, {identifier: f"{name}-{number}" for number, identifier in enumerate(_referenced(root))})
    root.attrib = {
        "viewBox": f"0 0 {width} {height}",
        "width": width,
        "height": height,
        "role": "img",
        "aria-label": alt,
    }
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _referenced(root: ElementTree.Element) -> list[str]:
    identifiers: dict[str, None] = {}
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == _LINK:
                identifiers[value.removeprefix("#")] = None
            for identifier in _REFERENCE.findall(value):
                identifiers[identifier] = None
    return list(identifiers)


def _tidy(element: ElementTree.Element, names: dict[str, str]) -> None:
    """Rename, shorten and recolour an element and what it holds; drop what only an SVG file needs."""
    element.tag = element.tag.removeprefix(_SVG)
    element.text = element.text if element.tag == "text" else None
    element.tail = None
    element.attrib = {key: value for key, value in _attributes(element, names) if value}
    children: list[ElementTree.Element] = []
    for child in element:
        if child.tag.removeprefix(_SVG) in ("metadata", "style"):
            continue
        _tidy(child, names)
        if element.tag == "defs":
            # Each use of a marker says its own style.
            child.attrib.pop("style", None)
        if child.tag == "g" and not child.attrib:
            children += list(child)
        elif child.tag not in ("g", "defs") or len(child):
            children.append(child)
    element[:] = children


def _attributes(element: ElementTree.Element, names: dict[str, str]) -> list[tuple[str, str | None]]:
    made: list[tuple[str, str | None]] = []
    for key, value in element.attrib.items():
        match key:
            case "id":
                made.append((key, names.get(value)))
            case "style":
                made.append((key, _style(value)))
            case "transform" if element.tag == "text" and value.startswith("rotate(-0 "):
                continue
            case _ if key == _LINK:
                made.append(("href", f"#{names[value.removeprefix('#')]}"))
            case _ if key in _NUMERIC:
                made.append((key, _short(value)))
            case _:
                made.append((key, _REFERENCE.sub(lambda match: f"url(#{names[match[1]]})", value)))
    return made


def _style(value: str) -> str:
    """The style without its font family: text takes the page's."""
    parts = [part.strip() for part in value.split(";")]
    declarations = [part.replace(": ", ":") for part in parts if part and not part.startswith("font-family")]
    return _COLOUR.sub(lambda match: VARIABLES[match[0]], ";".join(declarations))


def _short(value: str) -> str:
    """Numbers to two decimals, lines joined."""
    return _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), " ".join(value.split()))
