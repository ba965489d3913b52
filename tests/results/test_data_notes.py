"""What is remarkable about data reaches whoever reads the answer, today and from the store."""

from __future__ import annotations

import json
from pathlib import Path

from data_files import csv
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.records import DataSummary
from paribus.results.stored_study import open_results
from paribus.runner.run import run_study
from paribus.store.rows import data_of, data_text
from paribus.store.sqlite import SqliteStore
from paribus.study.load import parse_study

PLAIN = DataSummary("mnist", "ab" * 32, 60_000, 10_000, (28, 28), 10)
TEXT = f'["mnist", "{"ab" * 32}", 60000, 10000, [28, 28], 10]'
STUDY = """
name = "noted"
seeds = 2
[data]
source = "{source}"
label = "class"
[arms.one]
layers = ["Flatten"]
[arms.two]
layers = ["Flatten", "Flatten"]
"""


def test_the_text_of_a_summary_without_remarks_is_what_it_was() -> None:
    assert data_text(PLAIN) == TEXT
    assert data_of(TEXT) == PLAIN


def test_remarks_and_names_come_back() -> None:
    noted = DataSummary("t", "ab" * 32, 6, 1, (2,), 2, ("a remark",), ("no", "yes"))
    back = data_of(data_text(noted))
    assert back == noted
    assert back is not None
    assert (back.notes, back.class_names) == (noted.notes, noted.class_names)
    assert json.loads(str(data_text(noted)))[-1] == {"notes": ["a remark"], "class_names": ["no", "yes"]}
    assert noted == DataSummary("t", "ab" * 32, 6, 1, (2,), 2)


def test_notes_stand_in_the_answer(tmp_path: Path) -> None:
    rows = "".join(f"u{i},{i % 3},{'ab'[i % 2]}\n" for i in range(60))
    spec = csv("who,n,class\n" + rows)(tmp_path)
    document = parse_study(STUDY.format(source=spec.source), "study.toml")
    with SqliteStore.open(tmp_path / "runs", "write") as store:
        outcome = run_study(document, store, FakeBackend(), Silent())
        stored = open_results("noted", store).outcome()
    for notes in (outcome.notes, stored.notes):
        assert any(note.startswith("Column 'who' has a value of its own in most rows") for note in notes)
