"""A run whose predictions are damaged is named and counts no more; everything else of its study goes on working."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import paribus as pb
from paribus.api import questions
from paribus.backends.fake import FakeBackend
from paribus.report import output
from paribus.results.stored_study import open_results
from paribus.store.doctor import examine, repair
from paribus.store.sqlite import SqliteStore

DAMAGED = r"the predictions of run [0-9a-f]{12} are damaged: .*`paribus doctor --repair --store"


def run(folder: Path) -> pb.Results:
    return pb.Study.load("digits").run(seeds=3, store=folder, backend=FakeBackend(), progress=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store in which the predictions of seed 1 of the arm ``large`` are damaged."""
    whole = run(tmp_path / "runs")
    fingerprint = whole.arms["large"].runs[1].fingerprint
    (path,) = (tmp_path / "runs").rglob(f"{fingerprint}.predictions.*")
    path.write_bytes(b"rubbish")
    return tmp_path / "runs"


def test_the_study_is_answered_without_it_and_says_so(folder: Path) -> None:
    results = run(folder)
    statuses = [str(each.status) for each in results.arms["large"].runs]
    assert statuses == ["finished", "failed", "finished"]
    assert [len(arm.scored) for arm in results.arms.values()] == [3, 2, 3]
    (note,) = [note for note in results.outcome.notes if "damaged" in note]
    assert re.match(rf"large seed 1 failed \({DAMAGED}", note)
    assert "Seed 1 of large is missing" in results.contrast("large", "small").sentence
    for form in output.FORMATS:
        assert output.render_report(results.outcome, form)


def test_other_arms_are_compared_as_before_and_this_one_with_a_remark(folder: Path) -> None:
    with SqliteStore.open(folder) as store:
        found = open_results("digits", store)
        others = questions.compare(found, "small", "large-dropout", "test_accuracy", None)
        assert others.json["seeds"] == 3
        assert others.json["notes"] == []
        this = questions.compare(found, "small", "large", "test_accuracy", None)
        assert this.json["seeds"] == 2
        assert this.json["notes"][0].startswith("the predictions of run ")


def test_repaired_it_is_computed_again(folder: Path) -> None:
    before = {each.fingerprint for each in run(folder).arms["large"].runs}
    repair(folder)
    assert examine(folder) == []
    results = run(folder)
    assert [str(each.status) for each in results.arms["large"].runs] == ["finished"] * 3
    assert {each.fingerprint for each in results.arms["large"].runs} == before
