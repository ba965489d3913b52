"""``--shard i/n`` and ``merge`` of studies with folds: every fold of a pass with all arms; in any order one answer."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import call
from paribus.backends.fake import FakeBackend
from paribus.data import summarize
from paribus.display.base import Silent
from paribus.errors import UsageError
from paribus.records import FoldSummary
from paribus.report.json import outcome_fields
from paribus.results.stored_study import open_results
from paribus.runner.merge import merge_stores
from paribus.runner.run import run_study
from paribus.runner.shard import run_shard
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import check_table
from paribus.study.request import list_seeds
from paribus.study.shard import Shard
from store_crashes import quick_place

LAYERS = [{"Dense": {"units": 10, "activation": "softmax"}}]


def folded(seeds: int = 1, folds: int = 3, repeats: int = 2, first_seed: int = 0) -> StudyDocument:
    table = {
        "name": "folded",
        "seeds": seeds,
        "first_seed": first_seed,
        "data": {"source": "digits", "scale": 16, "flatten": True, "folds": folds, "repeats": repeats},
        "protocol": {"epochs": 1},
        "arms": {"a": {"layers": LAYERS}, "b": {"layers": LAYERS, "optimizer": "SGD"}},
        "contrasts": [{"a": "a", "b": "b"}],
    }
    return check_table(table, "folded.toml")


DATA = summarize(folded(folds=2, repeats=1).data.spec())


@given(st.integers(1, 4), st.integers(2, 8), st.integers(1, 3), st.integers(1, 12), st.integers(0, 3), st.data())
def test_shards_divide_the_folds_and_are_balanced_by_training_examples(
    seeds: int, folds: int, repeats: int, count: int, first: int, draw: st.DataObject
) -> None:
    document, runs = folded(seeds, folds, repeats, first), seeds * folds * repeats
    sizes = draw.draw(st.lists(st.integers(50, 900), min_size=folds * repeats, max_size=folds * repeats))
    data = replace(DATA, folds=tuple(FoldSummary(str(size), size, 1000 - size, 10) for size in sizes))
    if runs < count:
        with pytest.raises(UsageError, match=f"divide it into at most {runs}"):
            Shard(1, count).select(document, data)
        return
    parts = [Shard(number, count).select(document, data) for number in range(1, count + 1)]
    assert sorted(seed for part in parts for seed in part) == list(list_seeds(document))
    assert all(parts)
    work = [sum(sizes[seed.init % len(sizes)] for seed in part) for part in parts]
    assert max(work) - min(work) <= max(sizes)
    grown = folded(seeds + 1, folds, repeats, first)
    later = [Shard(number, count).select(grown, data) for number in range(1, count + 1)]
    assert all(set(part) <= set(more) for part, more in zip(parts, later, strict=True))


def test_folds_of_equal_size_are_dealt_out_evenly() -> None:
    document = folded(1, 5, 2)
    data = summarize(document.data.spec())
    parts = [Shard(number, 3).select(document, data) for number in (1, 2, 3)]
    assert sorted(map(len, parts)) == [3, 3, 4]


def run_whole(place: Path, document: StudyDocument) -> Path:
    with SqliteStore.open(place, "write") as store:
        run_study(document, store, FakeBackend(), Silent())
    return place


def answer(place: Path) -> str:
    with SqliteStore.open(place) as store:
        return json.dumps(outcome_fields(open_results("folded", store).outcome()))


def test_merged_in_every_order_and_twice_the_answer_is_that_of_one_run() -> None:
    with quick_place() as place:
        document = folded()
        expected = answer(run_whole(place / "whole", document))
        shards = [place / f"shard-{number}" for number in (1, 2, 3)]
        for number, folder in enumerate(shards, 1):
            with SqliteStore.open(folder, "write") as store:
                shard = run_shard(document, store, FakeBackend(), Silent(), Shard(number, 3))
            by_seed: dict[int, set[str]] = {}
            for run in shard.runs:
                by_seed.setdefault(run.seeds.init, set()).add(run.arm)
            assert all(arms == {"a", "b"} for arms in by_seed.values()), "all arms of a fold together"
        for number, order in enumerate(permutations([*shards, place / "whole"])):
            if number % 8:
                continue
            into = place / f"into-{number}"
            merge_stores(order[:2], into)
            merge_stores(order, into)
            again = merge_stores(order, into)
            assert (again.copied, again.studies, again.judgements) == (0, (), 0)
            assert answer(into) == expected
        for number, order in enumerate(permutations(shards)):
            merge_stores(order, place / f"shards-{number}")
            assert answer(place / f"shards-{number}") == expected
        merge_stores(shards[:2], place / "incomplete")
        assert "no run yet for seed" in answer(place / "incomplete"), "a shard that is still missing is named"


def test_the_command_line_says_which_folds_a_shard_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("paribus.runner.session.backend_for", lambda *_: FakeBackend())
    monkeypatch.chdir(tmp_path)
    Path("folded.toml").write_text(
        'name = "folded"\nseeds = 1\nfirst_seed = 10\n[data]\nsource = "digits"\nscale = 16\nflatten = true\n'
        'folds = 4\n[arms.a]\nlayers = [{ Dense = { units = 10, activation = "softmax" } }]\n',
        encoding="utf-8",
    )
    said = call(capsys, monkeypatch, "run", "folded.toml", "--shard", "1/2", "--store", "s1")
    assert said.code == 0, said.err
    assert "shard 1/2 has seeds 41, 43 of 40 to 43, one for each fold, repetition and seed; 2 runs" in said.out
    told = json.loads(call(capsys, monkeypatch, "run", "folded.toml", "--shard", "2/2", "--store", "s2", "--json").out)
    assert [(run["seed"], run["repeat"], run["fold"]) for run in told["runs"]] == [(40, 0, 0), (42, 0, 2)]
    assert call(capsys, monkeypatch, "merge", "s2", "s1", "--into", "all").code == 0
    whole = call(capsys, monkeypatch, "run", "folded.toml", "--store", "all", "--json")
    (arm,) = json.loads(whole.out)["arms"]
    assert [(run["seed"], run["repeat"], run["fold"]) for run in arm["runs"]] == [(40 + n, 0, n) for n in range(4)]
    assert np.isfinite(arm["test_accuracy"]["mean"])
    refused = call(capsys, monkeypatch, "run", "folded.toml", "--shard", "1/5", "--store", "s3")
    assert (refused.code, refused.out) == (2, "")
    assert "4 runs of an arm, one for each fold, repetition and seed" in refused.err
