"""Plain words (docs/glossary.md): names and prose of the source are the field's, and say what a thing is.

``found``, ``kept`` or ``told`` say how a writer came by a thing. The few uses that are left are listed, with reasons.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from project_files import ROOT

SOURCE = ROOT / "src" / "paribus"
WORDS = frozenset(
    [
        "anew",
        "chosen",
        "found",
        "given",
        "kept",
        "learnt",
        "mend",
        "mended",
        "mends",
        "nobody",
        "room",
        "rooms",
        "said",
        "shown",
        "stands",
        "told",
        "wanted",
    ]
)
PATTERN = re.compile(rf"\b(?:{'|'.join(sorted(WORDS))}|want of)\b", re.IGNORECASE)
NAMES = WORDS | {"each"}
USUAL = re.compile(r"(?:, found|not found|stands (?:for|out)|docs/decisions/\S+)\b")
"""Plain English: "expected one file, found two", "stands for None"."""
REASONS = {
    ("cli/doctor.py", "mended"): "a field of the command's JSON",
    ("cli/views.py", "wanted"): "a field of the command's JSON",
    ("report/tuning.py", "chosen"): "a field of the report's JSON",
    ("report/html/examples.py", "said"): "the page: said 3, is 5",
    ("report/html/contrasts.py", "given"): "the page: one seed alone would have given one of these bars",
    ("report/notebook_claims.py", "shown"): "a sentence in docs/notebook-question.md",
    ("report/notebook_claims.py", "stands"): "the page: the notebook's conclusion stands",
    ("analysis/simulate/untuned.py", "nobody"): "the title of a table in docs/statistics.md",
}
"""The only other uses: file and word."""


def texts(path: Path) -> Iterator[str]:
    """Docstrings, comments and messages, and the names that are defined."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
                yield token.string


def identifiers(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(asname=str(name)):
                yield name


def parts(name: str) -> set[str]:
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))


def uses(path: Path) -> Iterator[str]:
    """The words in a file, each as often as it is there."""
    for text in texts(path):
        yield from (match[0].lower() for match in PATTERN.finditer(USUAL.sub("", text)))
    for name in identifiers(path):
        yield from parts(name) & NAMES


def test_the_source_has_no_word_of_the_writers_own() -> None:
    used = {(path.relative_to(SOURCE).as_posix(), word) for path in SOURCE.rglob("*.py") for word in uses(path)}
    assert used == REASONS.keys()


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('"""The value that was found."""\n', "found"),
        ('print(f"{1} runs were kept")\n', "kept"),
        ("chosen = 1\n", "chosen"),
        ("def f(each): ...\n", "each"),
        ("class RunsTold: ...\n", "told"),
        ("x = 1  # killed for want of memory\n", "want of"),
    ],
)
def test_a_word_is_noticed_wherever_it_is(source: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    assert list(uses(tmp_path / "module.py")) == [word]


def test_what_is_usual_is_not() -> None:
    assert not PATTERN.search(USUAL.sub("", "expected one file, found two; model.keras: not found"))
