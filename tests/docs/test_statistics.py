"""The tables of docs/statistics.md are those that ``make proof`` has recorded."""

from __future__ import annotations

import json
import re

import pytest

from project_files import ROOT

RECORD = json.loads((ROOT / "proof" / "results" / "simulations.json").read_text(encoding="utf-8"))["parts"]
PAGE = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECORD)
def test_every_table_is_the_recorded_one(name: str) -> None:
    assert RECORD[name]["holds"]
    tables = re.split(r"\n\n(?=\*\*)", "\n".join(RECORD[name]["figures"]["tables"]))
    assert [table for table in tables if table.strip() not in PAGE] == []
