"""``--shard i/n``: whole seeds, balanced, together exactly the runs of the study; no verdict, no tuning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import call
from paribus.backends.fake import FakeBackend
from paribus.data import summarize
from paribus.display.base import Silent
from paribus.errors import UsageError
from paribus.runner.run import run_study
from paribus.runner.shard import ShardOutcome, run_shard
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import check_table, load_study
from paribus.study.overrides import override
from paribus.study.shard import Shard, parse_shard

DATA = summarize(load_study("digits").data.spec())


def study(seeds: int, first_seed: int = 0) -> StudyDocument:
    return load_study("digits").model_copy(update={"seeds": seeds, "first_seed": first_seed})


def shard_of(document: StudyDocument, text: str, store: MemoryStore | None = None) -> ShardOutcome:
    return run_shard(document, store or MemoryStore(), FakeBackend(), Silent(), parse_shard(text))


@given(st.integers(1, 40), st.integers(0, 50), st.integers(1, 12), st.integers(0, 30))
def test_shards_divide_the_seeds_evenly_and_stay_when_the_study_grows(
    seeds: int, first: int, count: int, more: int
) -> None:
    if seeds < count:
        with pytest.raises(UsageError, match=f"divide it into at most {seeds}"):
            Shard(1, count).select(study(seeds, first), DATA)
        return
    parts = [Shard(number, count).select(study(seeds, first), DATA) for number in range(1, count + 1)]
    assert sorted(each.seed for part in parts for each in part) == list(range(first, first + seeds))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    grown = [Shard(number, count).select(study(seeds + more, first), DATA) for number in range(1, count + 1)]
    assert all(set(part) <= set(later) for part, later in zip(parts, grown, strict=True))


def test_all_shards_together_are_exactly_the_runs_of_the_study() -> None:
    whole = MemoryStore()
    outcome = run_study(study(5), whole, FakeBackend(), Silent())
    expected = {run.fingerprint: run.weights_digest for arm in outcome.arms for run in arm.runs}
    stores = [MemoryStore() for _ in range(3)]
    shards = [shard_of(study(5), f"{number}/3", store) for number, store in enumerate(stores, 1)]
    computed = [
        (run.result.fingerprint, run.result.weights_digest) for shard in shards for run in shard.runs if run.result
    ]
    assert len(computed) == len(expected)
    assert dict(computed) == expected
    for shard, store in zip(shards, stores, strict=True):
        assert {run.arm for run in shard.runs} == set(study(5).arms), "all arms of a seed together"
        stored = store.study("digits")
        assert stored == whole.study("digits"), "a shard stores the request for the whole study"
        assert len(store.runs(list(expected))) == len(shard.runs), "and no run of another shard"
        assert store.judgements([]) == ()


def test_what_is_stored_is_not_computed_again() -> None:
    store = MemoryStore()
    first = shard_of(study(4), "2/2", store)
    later = shard_of(study(8), "2/2", store)
    assert {run.seeds.seed for run in later.runs} == {1, 3, 5, 7}
    digests = [{run.result.weights_digest for run in shard.runs if run.result} for shard in (first, later)]
    assert digests[0] < digests[1]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "2", "1/x", "1/4/2", "-1/4", "", "½/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--shard .*(expected NUMBER/COUNT|numbered from 1)"):
        parse_shard(text)


def tuned() -> StudyDocument:
    layers = [{"Dense": {"units": 8}}, {"Dense": {"units": 10, "activation": "softmax"}}]
    table: dict[str, Any] = {
        "name": "tuned",
        "seeds": 4,
        "data": {"source": "digits", "scale": 16, "flatten": True},
        "protocol": {"epochs": 2},
        "arms": {
            "one": {"layers": layers, "grid": {"learning_rate": [0.01, 0.1]}},
            "two": {"layers": layers, "grid": {}},
        },
    }
    return check_table(table, "tuned.toml")


def test_tuning_comes_before_shards() -> None:
    store = MemoryStore()
    with pytest.raises(UsageError, match=r"'one' of study 'tuned' is tuned, and 2 of the candidates are not"):
        shard_of(tuned(), "1/2", store)
    assert store.studies() == (), "nothing was trained, and nothing stored"
    run_study(override(tuned(), seeds=1), store, FakeBackend(), Silent())
    shard = shard_of(tuned(), "2/2", store)
    assert {run.seeds.seed for run in shard.runs} == {1, 3}


def test_a_shard_of_the_command_line_says_what_to_do_next(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("paribus.runner.session.backend_for", lambda *_: FakeBackend())
    store = tmp_path / "s2"
    words = ("run", "digits", "--seeds", "5", "--epochs", "2", "--shard", "2/3", "--store", store)
    said = call(capsys, monkeypatch, *words)
    assert said.code == 0
    assert f"digits: shard 2/3 has seeds 1, 4 of 0 to 4; 6 runs are stored in {store}." in said.out
    assert f"paribus run digits --seeds 5 --epochs 2 --store {store}-merged" in said.out
    assert "better" not in said.out
    answer = json.loads(call(capsys, monkeypatch, *words, "--json").out)
    assert (answer["shard"], answer["seeds"]) == ({"number": 2, "count": 3}, [1, 4])
    assert answer["stored_as"] == "digits.epochs-2"
    with SqliteStore.open(store) as opened:
        stored = opened.runs([run["fingerprint"] for run in answer["runs"]])
        assert [stored[run["fingerprint"]].weights_digest for run in answer["runs"]] == [
            run["weights_digest"] for run in answer["runs"]
        ]
    assert "contrasts" not in answer


def test_a_shard_cannot_decide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    said = call(capsys, monkeypatch, "run", "digits", "--shard", "1/2", "--until-decided")
    assert (said.code, said.out) == (2, "")
    assert "--shard 1/2 with --until-decided: a shard is not judged" in said.err
    assert list(tmp_path.iterdir()) == []
