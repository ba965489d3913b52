"""The colours of figures and pages. Each has one meaning everywhere, which shapes or words repeat."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as ``#rrggbb``.

    Attributes:
        surface: the background of figures.
        ink: text.
        muted: secondary text and axes.
        grid: lines that only guide the eye.
        test: test accuracy.
        train: train accuracy.
        fit: fit accuracy, what ``fit`` prints.
        val: validation accuracy.
        better: a verdict for the first arm.
        worse: a verdict against the first arm.
        equivalent: a verdict of equivalence; also the margin.
        undecided: no verdict.
        arm0: the first arm, where arms are overlaid; ``arm1`` to ``arm5`` are those of the next ones.
    """

    surface: str
    ink: str
    muted: str
    grid: str
    test: str
    train: str
    fit: str
    val: str
    better: str
    worse: str
    equivalent: str
    undecided: str
    arm0: str
    arm1: str
    arm2: str
    arm3: str
    arm4: str
    arm5: str


LIGHT = Palette(
    surface="#ffffff",
    ink="#1a1d21",
    muted="#59616b",
    grid="#dfe3e8",
    test="#1259b0",
    train="#0c7a53",
    fit="#b04a06",
    val="#7b3fb5",
    better="#0c7a53",
    worse="#b3261e",
    equivalent="#1259b0",
    undecided="#7a5c00",
    arm0="#1259b0",
    arm1="#c2500a",
    arm2="#0c7a53",
    arm3="#8a3fc0",
    arm4="#8f6d00",
    arm5="#c2185b",
)

DARK = Palette(
    surface="#1b1e23",
    ink="#e9ebee",
    muted="#a5adb8",
    grid="#373d46",
    test="#7ab6ff",
    train="#5fd3a2",
    fit="#f4a763",
    val="#c79dfa",
    better="#5fd3a2",
    worse="#ff8f86",
    equivalent="#7ab6ff",
    undecided="#e3c25b",
    arm0="#7ab6ff",
    arm1="#f4a763",
    arm2="#5fd3a2",
    arm3="#c79dfa",
    arm4="#e3c25b",
    arm5="#ff8fbf",
)

ARM_COLOURS = tuple(field.name for field in fields(Palette) if field.name.startswith("arm"))

_NAMES = tuple(field.name for field in fields(Palette))

MARKED = Palette(*(f"#0a0b{number:02x}" for number in range(1, len(_NAMES) + 1)))
"""Placeholder colours: they mark places in an SVG where a page puts its own (``var(--ink)`` and so on)."""

VARIABLES = {getattr(MARKED, name): f"var(--{name})" for name in _NAMES}
"""What each marking colour becomes."""


def declarations(palette: Palette) -> str:
    """The palette as CSS custom properties."""
    return "".join(f"--{name}:{getattr(palette, name)};" for name in _NAMES)
