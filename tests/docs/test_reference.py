"""The pages of the reference: every public name stands there with an example, and what the examples show is true."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import pytest

import paribus as pb
from project_files import BLOCK, ROOT

PAGES = {
    "analysis": list(pb.analysis.__all__),
    "data": list(pb.data.__all__),
    "errors": [
        name
        for name, thing in vars(pb.errors).items()
        if inspect.isclass(thing) and thing.__module__ == "paribus.errors"
    ],
}


def page(package: str) -> str:
    return (ROOT / "docs" / "reference" / f"{package}.md").read_text(encoding="utf-8")


def examples(text: str) -> str:
    return "".join(block["text"] for block in BLOCK.finditer(text) if block["language"] == "pycon")


@pytest.mark.parametrize("package", [*PAGES, "python"])
def test_the_examples_of_a_page_are_true(package: str, tmp_path: Path) -> None:
    test = doctest.DocTestParser().get_doctest(examples(page(package)), {"folder": tmp_path}, f"{package}.md", None, 0)
    assert test.examples
    told: list[str] = []
    doctest.DocTestRunner().run(test, out=told.append)
    assert not told, "".join(told)


@pytest.mark.parametrize("package", PAGES)
def test_every_public_name_is_there_and_used(package: str) -> None:
    names, text = PAGES[package], page(package)
    assert len(names) >= 6
    assert [name for name in names if f":: paribus.{package}.{name}\n" not in text] == []
    assert [name for name in names if not re.search(rf"\b{name}\b", examples(text))] == []


def test_the_names_of_the_package_are_there_with_the_examples_of_their_docstrings() -> None:
    """Those examples are run by api/test_doctests.py."""
    names = [name for name in pb.__all__ if not inspect.ismodule(getattr(pb, name)) and name != "__version__"]
    assert [name for name in names if f":: paribus.{name}\n" not in page("python")] == []
    assert [name for name in PAGES if f"({name}.md)" not in page("python")] == []
