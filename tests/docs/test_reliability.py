"""The tables of faults and of bad inputs are held against the tests and against what is really said."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(\w+/test_\w+\.py)::(\w+)`", TEXT))
    assert len(named) > 30
    for file, name in sorted(named):
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (file, name)


def test_every_fault_names_a_test() -> None:
    tables = re.findall(r"^\|.*\| tested by \|\n\| --- .*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 30
    for row in rows:
        what, does, shown = (cell.strip() for cell in row.strip("|").split("|"))
        assert what, row
        assert does, row
        assert re.fullmatch(r"(`\w+/test_\w+\.py::test_\w+`(, )?)+", shown), row


def test_the_page_of_bad_inputs_is_what_is_said() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "bad_inputs_page.py"))["page"]()
    assert (ROOT / "docs" / "bad-inputs.md").read_text(encoding="utf-8") == page, "run docs/bad_inputs_page.py"
