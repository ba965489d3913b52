"""The documentation is held against the project: examples parse, commands exist, links lead somewhere."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

import paribus
from paribus.ablation.families import FAMILIES
from paribus.cli.app import app
from paribus.records import MEASURES
from paribus.study.document import StudyDocument
from paribus.study.load import parse_study
from project_files import BLOCK, PAGES, ROOT

TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
COMMANDS: dict[str, Any] = {command.name: command for command in typer.main.get_command(app).commands.values()}  # type: ignore[attr-defined]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(language: str) -> list[tuple[str, str]]:
    """Every code block of a language, with its page and number for messages."""
    return [
        (f"{named(page)}, block {number}", block["text"])
        for page in PAGES
        for number, block in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), 1)
        if block["language"] == language
    ]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command of ours that a page shows, in a code block or in backquotes."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        quoted = re.findall(r"`((?:make|paribus) [^`\n]+)`", BLOCK.sub("", text))
        blocked = [
            line
            for block in BLOCK.finditer(text)
            if not block["language"]
            for line in re.findall(r"^(?:\$ )?((?:make|paribus) [^#\n]+)", block["text"], re.MULTILINE)
        ]
        yield from ((named(page), shlex.split(command)) for command in [*quoted, *blocked])


@pytest.mark.parametrize(("place", "text"), blocks("toml"))
def test_toml_examples_parse(place: str, text: str) -> None:
    if text.startswith("name ="):
        parse_study(text, place)
    else:
        tomllib.loads(text)


@pytest.mark.parametrize(("place", "text"), blocks("python"))
def test_python_examples_are_python_and_use_public_names(place: str, text: str) -> None:
    used = [node for node in ast.walk(ast.parse(text, place)) if isinstance(node, ast.Attribute)]
    ours = {node.attr for node in used if isinstance(node.value, ast.Name) and node.value.id == "pb"}
    assert ours <= set(paribus.__all__), place
    results = {node.attr for node in used if isinstance(node.value, ast.Name) and node.value.id == "results"}
    assert all(hasattr(paribus.Results, name) for name in results), place


def test_there_are_whole_studies_among_the_examples() -> None:
    whole = [place for place, text in blocks("toml") if text.startswith("name =")]
    assert {place.partition(",")[0] for place in whole} >= {"docs/studies.md"}


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key that a study file may have."""
    for name, field in model.model_fields.items():
        yield name
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        for each in inner:
            if issubclass(each, BaseModel):
                yield from keys(each)


def test_every_key_and_metric_of_a_study_is_documented() -> None:
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    found = set(keys(StudyDocument))
    assert {"batch_size", "levels", "all_pairs", "metric", "scale"} <= found
    names = [*found, *MEASURES]
    assert not [name for name in names if not re.search(rf"`{name}`|\[{name}[].]", text)]


def test_every_family_of_parts_is_documented() -> None:
    text = (ROOT / "docs" / "ablation.md").read_text(encoding="utf-8")
    assert [family.name for family in FAMILIES if f"`no-{family.name}`" not in text] == []


def test_commands_that_are_shown_exist() -> None:
    shown = list(commands())
    assert len(shown) > 10
    for place, (program, *arguments) in shown:
        if program == "make":
            targets = [each for each in arguments if "=" not in each and each.isalpha()]
            assert not set(targets[:1]) - TARGETS, (place, arguments)
        elif not arguments[0].startswith("-"):
            assert arguments[0] in COMMANDS, (place, arguments)
            known = {option for parameter in COMMANDS[arguments[0]].params for option in parameter.opts}
            assert {each for each in arguments if each.startswith("--")} <= known | {"--help"}, (place, arguments)


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "cli_page.py"))["page"]()
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page, "run `make docs`"


def test_outputs_on_pages_are_written_by_make_docs_or_have_a_date() -> None:
    tool = runpy.run_path(str(ROOT / "docs" / "outputs_page.py"))
    marks = 0
    for page in tool["PAGES"]:
        text = page.read_text(encoding="utf-8")
        outputs = list(tool["OUTPUT"].finditer(text))
        assert len(outputs) == text.count("<!-- output of: ") == text.count("<!-- end of output -->"), named(page)
        assert not re.findall(r"^\$ paribus .*\n(?!```)", tool["OUTPUT"].sub("", text), re.MULTILINE), named(page)
        for output in outputs:
            marks += 1
            program, _, command = output["command"].partition(" ")
            assert output["command"] == tool["ABOVE"] or program == "paribus", output["command"]
            if output["day"]:
                date.fromisoformat(output["day"])
            elif program == "paribus":
                source = command.split()[1]
                text_of = (ROOT / source).read_text(encoding="utf-8") if source.endswith(".toml") else source
                assert "mnist" not in text_of, f"{named(page)}: {command} trains for minutes; give it a date"
    assert marks >= 6


def test_an_output_with_a_date_stays() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "outputs_page.py"))["page"]
    old = "<!-- output of: paribus run mnist-mlps, on 2026-11-26 -->\nold\n<!-- end of output -->\n"
    assert page(old) == old
    new = page("<!-- output of: paribus --version -->\nold\n<!-- end of output -->\n")
    assert new.splitlines()[1:3] == ["```", "$ paribus --version"]
    assert "old" not in new


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), (named(page), target)


def test_every_page_is_reached_from_the_index() -> None:
    """The links of docs/index.md are the table of contents of the site; what it does not name nobody finds."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs") for path in PAGES if path.is_relative_to(ROOT / "docs")]
    named_elsewhere = {Path("index.md"), *(page for page in pages if page.parent.name == "decisions")}
    pages += [Path("..", *path.parts[-2:]) for path in (ROOT / "examples").glob("*.ipynb")]
    assert [str(page) for page in pages if page not in named_elsewhere and f"({page})" not in index] == []


def test_every_decision_stands_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert len(records) >= 7
    assert [name for name in records if f"({name})" not in index] == []
    for name in records:
        assert (folder / name).read_text(encoding="utf-8").startswith(f"# {name[:4]}"), name


def test_the_layers_of_the_page_are_those_of_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| \d+ \| (.*) \|$", text, re.MULTILINE)
    assert [re.findall(r"`(\w+)`", row) for row in table] == [re.findall(r"\w+", row) for row in contract["layers"]]
    assert len(table) <= 9, "a layer more is harder to keep in mind than a package that moves"
