"""``paribus forget``: nothing is lost, what others use stays, and merging brings it back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import paribus as pb
from command_line import call
from paribus.backends.fake import FakeBackend
from paribus.errors import StoreError, UnknownNameError
from paribus.runner.forget import forget_study
from paribus.runner.merge import merge_stores
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A study with its noise runs, and another one that shares the runs of one arm."""
    study = pb.Study.load("digits")
    results = study.run(2, store=tmp_path / "runs", backend=FakeBackend(), progress=False)
    results.noise("small", seeds=2, backend=FakeBackend(), progress=False)
    other = study.document.model_copy(
        update={"name": "other", "arms": {"small": study.document.arms["small"]}, "contrasts": ()}
    )
    pb.Study.of(other).run(2, store=tmp_path / "runs", backend=FakeBackend(), progress=False)
    return tmp_path / "runs"


def test_a_study_is_moved_whole_and_comes_back(store: Path) -> None:
    before = repr(pb.load_results("digits", store))
    forgotten = forget_study("digits", store)
    assert forgotten.folder == store / "forgotten" / "digits"
    assert forgotten.studies == ("digits", "digits.noise")
    assert forgotten.shared == 2, "seeds 0 and 1 of small belong to the other study as well"
    with SqliteStore.open(store) as opened:
        assert [study.name for study in opened.studies()] == ["other"]
    assert len(pb.load_results("other", store).arms["small"].runs) == 2
    assert repr(pb.load_results("digits", forgotten.folder)) == before
    assert not examine(store)
    assert not examine(forgotten.folder)
    merge_stores([forgotten.folder], store)
    assert repr(pb.load_results("digits", store)) == before


def test_the_files_of_its_own_runs_are_freed(store: Path) -> None:
    count = len(list((store / "artifacts").rglob("*.safetensors")))
    forgotten = forget_study("digits", store)
    assert count - len(list((store / "artifacts").rglob("*.safetensors"))) == 2 * forgotten.runs
    assert forgotten.size > 0


def test_forgetting_twice_takes_another_folder(store: Path) -> None:
    forget_study("digits", store)
    pb.Study.load("digits").run(1, store=store, backend=FakeBackend(), progress=False)
    assert forget_study("digits", store).folder == store / "forgotten" / "digits.1"


def test_looks_stay_remembered(store: Path) -> None:
    with SqliteStore.open(store) as opened:
        anchors = [c.anchor for c in opened._read(_judgements, ())]
    assert anchors
    forget_study("digits", store)
    with SqliteStore.open(store) as opened:
        assert [c.anchor for c in opened._read(_judgements, ())] == anchors


def test_a_damaged_run_is_not_moved(store: Path) -> None:
    with SqliteStore.open(store) as opened:
        study = opened.study("digits")
    assert study is not None
    fingerprint = study.arms[1].runs[0].fingerprint
    next((store / "artifacts" / fingerprint[:2]).glob(f"{fingerprint}.weights*")).write_bytes(b"broken")
    with pytest.raises(StoreError, match="a run is damaged, and nothing was moved"):
        forget_study("digits", store)
    with SqliteStore.open(store) as opened:
        assert opened.study("digits") is not None


def test_a_name_that_is_not_stored(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no study 'digits' in this store"):
        forget_study("digits", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_the_command(store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(capsys, monkeypatch, "forget", "digits", "--store", store, "--json")
    assert said.code == 0
    document = json.loads(said.out)
    assert document["studies"] == ["digits", "digits.noise"]
    assert document["back"] == f"paribus merge {store}/forgotten/digits --into {store}"
    said = call(capsys, monkeypatch, "forget", "other", "--store", store)
    assert "moved to" in said.out
    assert "paribus merge" in said.out


def _judgements(connection: object) -> object:
    from paribus.store import judgement_queries

    return judgement_queries.judgements(connection)  # type: ignore[arg-type]
