"""Mutated study files: a valid study or a StudyError, never another exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paribus.errors import UsageError
from paribus.study import builtin
from paribus.study.load import parse_study
from paribus.study.overrides import override

TUNED = Path(__file__).parents[2] / "examples" / "tuned.toml"
SEEDS = [*(builtin.text(name) for name in builtin.NAMES), TUNED.read_text(encoding="utf-8")]
PIECES = [
    "[",
    "]",
    "{",
    "}",
    "=",
    '"',
    "'''",
    "\n",
    "[[arms]]",
    "nan",
    "1e999",
    "-1",
    "99999999999999999999",
    "\x00",
    "é",
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A built-in study in which a few places were cut out, copied, or replaced by what TOML is made of."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 30))
        match draw(st.sampled_from(["cut", "copy", "put", "any"])):
            case "cut":
                text = text[:place] + text[place + length :]
            case "copy":
                other = draw(st.integers(0, len(text)))
                text = text[:place] + text[other : other + length] + text[place:]
            case "put":
                text = text[:place] + draw(st.sampled_from(PIECES)) * draw(st.integers(1, 3)) + text[place:]
            case _:
                text = text[:place] + draw(st.text(max_size=8)) + text[place:]
    return text


@pytest.mark.no_cover  # where a trace is set, Python copies a string at every +=, and tomllib takes a minute
@settings(max_examples=200)
@given(mutated())
@example("a = " + "[" * 100_000)
@example("a." * 50_000 + "b = 1")
@example("[" + "a . " * 50_000 + "b]")
@example("x = { " + '"\\"".' * 50_000 + "b = 1 }")
@example("'a.b'." * 50_000 + "b = 1")
@example("a" * 3_000_000)
@example('"' * 3_000_000)
@example('a = "' + "x.y\\\\" * 500_000 + '"')
@example("arms = " + "{ a = " * 3000 + "1" + " }" * 3000)
@example("seeds = " + "9" * 5000)
@example("seeds = 9_223_372_036_854_775_808")
@example("name = 1979-13-45")
@example("x = 0x" + "f" * 100_000)
def test_mutated_studies_never_crash(text: str) -> None:
    try:
        document = parse_study(text, "fuzz.toml")
        override(document)
    except UsageError as error:  # a StudyError is one
        message = str(error)
    else:
        return
    assert len(message) < 20_000


@pytest.mark.proof
@settings(max_examples=4_000)
@given(mutated())
def test_many_mutated_studies_never_crash(text: str) -> None:
    test_mutated_studies_never_crash.hypothesis.inner_test(text)  # type: ignore[attr-defined]
