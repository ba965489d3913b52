"""Control characters are shown as what they are; colours of ours, line ends and letters stay."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from paribus.display.control import Visible
from paribus.display.plain import Plain
from paribus.errors.control_characters import show_control_characters

ESCAPES = ["\x1b[31mred", "\x1b]0;title\x07", "a\rb", "\x9b2J", "\x00", "\u202eevil", "\x7f"]


@pytest.mark.parametrize("text", ESCAPES)
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    shown = show_control_characters(text)
    assert all(character.isprintable() for character in shown)
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    console.print(Visible(Text(text)))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(character.isprintable() or character == "\n" for character in printed)


@given(st.text())
def test_printable_text_stays_and_nothing_else_gets_through(text: str) -> None:
    shown = show_control_characters(text)
    assert not any(character in shown for character in map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
    if text.isprintable():
        assert shown == text


def test_colours_stay() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    console.print(Visible(Text("red\x1b[0m", style="red")))
    assert console.file.getvalue() == "\x1b[31mred\\x1b[0m\x1b[0m\n"  # type: ignore[attr-defined]


def test_what_is_read_is_told_without_its_escapes() -> None:
    stream = io.StringIO()
    Plain(stream).reading("data\x1b[2J.csv", 10**9)
    assert "\x1b" not in stream.getvalue()
    assert "\\x1b[2J" in stream.getvalue()
