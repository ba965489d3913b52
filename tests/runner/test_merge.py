"""``paribus merge``: whatever the order, however often, killed at any moment; and what it says and refuses."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from command_line import call
from in_process import InProcess
from merge_crashes import content_of, kill_merges, make_parts
from paribus.backends.base import Backend
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.errors import StoreError, UsageError
from paribus.records import RunResult, Seeds, Status, StudyKind
from paribus.report.json import outcome_fields
from paribus.results.stored_study import open_results
from paribus.runner.merge import merge_stores
from paribus.runner.run import run_study
from paribus.runner.shard import run_shard
from paribus.store.artifacts import Kind
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.shard import Shard
from store_crashes import quick_place
from store_examples import DATA, ENVIRONMENT, arm, fingerprint, holds, judgement, recipe, run

ACCURACY = {"small": 0.8, "large": 0.86, "large-dropout": 0.83}


def fake() -> Backend:
    return FakeBackend(lambda name: ACCURACY.get(name, 0.9))


def digits(seeds: int, **changes: Any) -> StudyDocument:
    return override(load_study("digits"), seeds=seeds, **changes)


def run_whole(folder: Path, document: StudyDocument, backend: Backend | None = None, **options: Any) -> None:
    with SqliteStore.open(folder, "write") as store:
        run_study(document, store, backend or fake(), Silent(), **options)


def run_shards(folder: Path, document: StudyDocument, count: int, backend: Backend | None = None) -> list[Path]:
    folders = [folder / f"shard-{number}" for number in range(1, count + 1)]
    for number, place in enumerate(folders, 1):
        with SqliteStore.open(place, "write") as store:
            run_shard(document, store, backend or fake(), Silent(), Shard(number, count))
    return folders


def answer(folder: Path, study: str = "digits") -> str:
    """The answer as JSON, letter by letter."""
    with SqliteStore.open(folder) as store:
        return json.dumps(outcome_fields(open_results(study, store).outcome()))


def without_times(text: str) -> Any:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if key not in ("seconds", "environments")}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return strip(json.loads(text))


@pytest.fixture
def place() -> Any:
    with quick_place() as folder:
        yield folder


def store_of(folder: Path, *runs: RunResult, fill: Callable[[SqliteStore], None] | None = None) -> Path:
    with SqliteStore.open(folder, "write") as store:
        store.record(*runs)
        if fill is not None:
            fill(store)
    return folder


# Four shards of a study that is trained


@pytest.fixture(scope="module")
def shards(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """``digits``, trained whole and in four shards."""
    folder, document = tmp_path_factory.mktemp("shards"), digits(4, epochs=2)
    run_whole(folder / "whole", document, InProcess(engine))
    return folder / "whole", run_shards(folder, document, 4, InProcess(engine))


def test_four_shards_merged_in_every_order_give_one_answer(shards: tuple[Path, list[Path]], place: Path) -> None:
    whole, parts = shards
    before = [content_of(part) for part in parts]
    answers = set()
    for number, order in enumerate(permutations(parts)):
        into = place / str(number)
        merge_stores(order, into)
        answers.add(answer(into))
        assert examine(into) == []
    for number, order in enumerate([*permutations(parts)][::5]):
        for part in order:
            merge_stores([part], place / f"one by one {number}")
        answers.add(answer(place / f"one by one {number}"))
    (only,) = answers
    assert without_times(only) == without_times(answer(whole))
    assert [content_of(part) for part in parts] == before, "sources are only read"


def test_the_merged_study_is_run_to_its_end_and_remembers_the_look(
    shards: tuple[Path, list[Path]], place: Path, engine: Engine
) -> None:
    whole, parts = shards
    merge_stores(parts[:3], place / "into")
    assert "no run yet for seed 3" in answer(place / "into"), "a shard that is still missing is named"
    run_whole(place / "into", digits(4, epochs=2), InProcess(engine))
    assert without_times(answer(place / "into")) == without_times(answer(whole))
    with SqliteStore.open(whole) as one, SqliteStore.open(place / "into") as other:
        study = one.study("digits")
        assert study is not None
        assert other.study("digits") == study
        for stored in study.arms:
            for each in stored.runs:
                ours, theirs = one.weights(each.fingerprint), other.weights(each.fingerprint)
                assert all(np.array_equal(ours[path], theirs[path]) for path in ours)


def test_merging_again_changes_nothing(shards: tuple[Path, list[Path]], place: Path) -> None:
    _, parts = shards
    first = merge_stores(parts, place / "into")
    assert (first.copied, first.known, first.studies) == (12, 0, ("digits",))
    before = content_of(place / "into" / "artifacts")
    rows = SqliteStore.open(place / "into").studies()
    again = merge_stores([*parts, place / "into", parts[0]], place / "into")
    assert (again.copied, again.known, again.studies) == (0, 12, ())
    assert content_of(place / "into" / "artifacts") == before
    assert SqliteStore.open(place / "into").studies() == rows


# What is united


def test_runs_of_every_kind_and_judgements_are_united(place: Path) -> None:
    document = digits(2)

    def fill(number: int) -> Callable[[SqliteStore], None]:
        def filling(store: SqliteStore) -> None:
            store.record_judgements([judgement(number, seeds) for seeds in (5, 3)])
            store.save_recipe(f"key {number}", recipe(number))

        return filling

    parts = [store_of(place / f"part {n}", run(n), fill=fill(n)) for n in range(3)]
    run_whole(parts[0], document)
    merge_stores(parts, place / "into")
    merge_stores(reversed(parts), place / "other")
    with SqliteStore.open(place / "into") as one, SqliteStore.open(place / "other") as other:
        assert all(holds(one, run(n)) for n in range(3)), "runs that no study knows are runs, too"
        anchors = [judgement(n).anchor for n in range(3)]
        judged = one.judgements(anchors)
        assert {(j.anchor, j.seeds) for j in judged} == {(name, seeds) for name in anchors for seeds in (3, 5)}
        assert [j.seeds for j in judged] == [3] * 3 + [5] * 3, "a look at fewer seeds counts as the earlier one"
        assert other.judgements(anchors) == judged
        assert [one.recipe(f"key {n}") for n in range(3)] == [recipe(n) for n in range(3)]
        assert one.studies() == other.studies()


def test_more_seeds_and_arms_are_united_and_the_looks_that_one_store_planned(place: Path) -> None:
    planned = digits(4)
    looks = planned.comparison.model_copy(update={"looks": (2, 4)})
    run_whole(place / "a", planned.model_copy(update={"comparison": looks}), arms=["small"])
    run_whole(place / "b", digits(6), arms=["large"])
    merge_stores([place / "b", place / "a"], place / "into")
    with SqliteStore.open(place / "into") as store:
        results = open_results("digits", store)
    assert results.document.comparison.looks == (2, 4)
    assert (results.document.seeds, [arm.name for arm in results.arms]) == (6, ["small", "large"])


def test_the_run_that_ended_better_counts_whatever_the_order(place: Path) -> None:
    failed, diverged, finished = (run(1, status) for status in ("failed", "diverged", "finished"))
    parts = [store_of(place / str(each.status), each) for each in (failed, diverged, finished)]
    for number, order in enumerate(permutations(parts)):
        merge_stores(order, place / f"at once {number}")
        for part in order:
            merge_stores([part], place / f"one by one {number}")
        for name in ("at once", "one by one"):
            with SqliteStore.open(place / f"{name} {number}") as store:
                assert holds(store, finished)
            assert examine(place / f"{name} {number}") == []


# What is reported


def version(number: int, environment: str = "some cpu") -> RunResult:
    return replace(run(1, version=number), environment=replace(ENVIRONMENT, cpu=environment))


def test_two_results_of_one_run_are_reported_with_both_environments(place: Path) -> None:
    parts = [store_of(place / "a", version(1, "a cpu")), store_of(place / "b", version(2, "b cpu"))]
    merges = [merge_stores(order, place / f"into {n}") for n, order in enumerate(permutations(parts))]
    for number, merged in enumerate(merges):
        (differing,) = merged.differing
        assert differing.parts == ("weights", "predictions", "scores")
        assert [each.run.environment.cpu for each in differing.versions if each.run.environment] == ["a cpu", "b cpu"]
        assert [each.merged for each in differing.versions] == [True, False]
        assert merged.is_sound, "another environment may give other bits"
        with SqliteStore.open(place / f"into {number}") as store:
            assert holds(store, version(1, "a cpu")), "the smaller digest, whatever the order"
    assert not merge_stores([store_of(place / "c", version(3, "a cpu"))], place / "into 0").is_sound
    same = merge_stores([parts[0], store_of(place / "d", version(1, "d cpu"))], place / "same")
    assert same.differing == [], "equal bits from two environments"


def test_only_a_changed_prediction_is_a_difference(place: Path) -> None:
    original = run(1)
    assert original.predictions is not None
    predicted = original.predictions.predicted.copy()
    predicted[0] += 1
    changed = replace(original, predictions=replace(original.predictions, predicted=predicted))
    merged = merge_stores([store_of(place / "a", original), store_of(place / "b", changed)], place / "into")
    (differing,) = merged.differing
    assert differing.parts == ("predictions",)
    assert not merged.is_sound


def damage(folder: Path, number: int, kind: Kind) -> None:
    (path,) = (folder / "artifacts").rglob(f"{fingerprint(number)}.{kind}.*")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_damaged_runs_are_named_and_taken_from_where_they_are_whole(place: Path) -> None:
    a = store_of(place / "a", run(1), run(2), run(3))
    b = store_of(place / "b", run(1), run(4))
    damage(a, 1, Kind.WEIGHTS)
    damage(a, 2, Kind.PREDICTIONS)
    shutil.copytree(b, place / "q")
    (place / "q" / "quarantine").mkdir()
    (place / "q" / "quarantine" / "run-1.json").write_text("{}")
    merged = merge_stores([a, b, place / "q"], place / "into")
    assert {(each.fingerprint, each.elsewhere) for each in merged.left_out} == {
        (fingerprint(1), True),
        (fingerprint(2), False),
    }
    assert not merged.is_sound
    assert merged.quarantined == {str(place / "q"): ("run-1.json",)}
    with SqliteStore.open(place / "into") as store:
        assert all(holds(store, run(n)) for n in (1, 3, 4))
        assert store.runs([fingerprint(2)]) == {}
    assert examine(place / "into") == []


def test_a_broken_row_is_named_and_a_broken_study_refused(place: Path) -> None:
    a = store_of(place / "a", run(1), run(2), fill=lambda store: store.save_study("s", "{}", [arm("x", [1])]))
    with pytest.raises(StoreError, match="breaks rules"):
        merge_stores([a], place / "into")
    with sqlite3.connect(a / "paribus.sqlite") as connection:
        connection.execute("UPDATE studies SET document = '[]'")
    with pytest.raises(StoreError, match="study 's' is not what was written"):
        merge_stores([a], place / "into")
    assert not (place / "into").exists(), "what is refused leaves nothing behind"
    store_of(place / "b", run(3))
    with sqlite3.connect(place / "b" / "paribus.sqlite") as connection:
        connection.execute("UPDATE runs SET seconds = 7")
    (left_out,) = merge_stores([place / "b"], place / "into").left_out
    assert left_out.fingerprint == fingerprint(3)
    assert "is not what was written" in left_out.reason


# What is refused


def test_another_study_of_the_same_name_is_refused_or_renamed(place: Path) -> None:
    run_whole(place / "a", digits(2))
    run_whole(place / "b", digits(2, epochs=3))
    with pytest.raises(UsageError, match=r"study 'digits' of .*b is not the one of .*a \(protocol.epochs: 20, now 3\)"):
        merge_stores([place / "b", place / "a"], place / "into")
    assert not (place / "into").exists()
    stores = []
    for number, order in enumerate(permutations([place / "a", place / "b"])):
        into = place / f"into {number}"
        merged = merge_stores(order, into, rename=True)
        assert {(each.store, each.name) for each in merged.renamed} == {
            (str(place / "a"), "digits"),
            (str(place / "b"), "digits"),
        }
        assert merge_stores(order, into, rename=True).copied == 0
        with SqliteStore.open(into) as store:
            stores.append(store.studies())
        for each in merged.renamed:
            assert without_times(answer(into, each.new_name)) == without_times(answer(Path(each.store)))
    assert stores[0] == stores[1]
    merge_stores([place / "a"], place / "own")
    merge_stores([place / "b"], place / "own", rename=True)
    assert without_times(answer(place / "own")) == without_times(answer(place / "a")), "the target's keeps its name"


def test_other_data_another_first_seed_other_looks_and_other_recipes_are_other_studies(place: Path) -> None:
    base = digits(2)
    run_whole(place / "base", base)
    looks = [base.comparison.model_copy(update={"looks": looks}) for looks in ((2, 4), (3, 5))]
    run_whole(place / "looks 1", base.model_copy(update={"comparison": looks[0]}))
    run_whole(place / "looks 2", base.model_copy(update={"comparison": looks[1]}))
    run_whole(place / "first", base.model_copy(update={"first_seed": 7}))
    with SqliteStore.open(place / "base") as store:
        stored = store.study("digits")
    assert stored is not None
    other_recipe = replace(stored, arms=(replace(stored.arms[0], recipe=recipe(3)), *stored.arms[1:]))
    other_data = replace(stored, data=replace(DATA, name="digits"))
    for name, study in (("recipe", other_recipe), ("data", other_data)):
        with SqliteStore.open(place / name, "write") as store:
            store.adopt_studies([study], {}, [])
    for first, second, reason in (
        ("looks 1", "looks 2", r"comparison.looks: \[2, 4\], now \[3, 5\]"),
        ("base", "first", "first_seed: 0, now 7"),
        ("base", "recipe", "arm 'small' has another canonical form"),
        ("base", "data", "its data: digits, sha256 .*, now digits, sha256 abab"),
    ):
        with pytest.raises(UsageError, match=reason):
            merge_stores([place / second], _copy(place / first))


def _copy(folder: Path) -> Path:
    target = folder.with_name(f"{folder.name} copy")
    if not target.exists():
        shutil.copytree(folder, target)
    return target


def test_candidates_and_noise_runs_go_where_their_study_goes(place: Path) -> None:
    for name, epochs in (("a", None), ("b", 3)):
        run_whole(place / name, digits(2, epochs=epochs))
        with SqliteStore.open(place / name, "write") as store:
            study = store.study("digits")
            assert study is not None
            store.adopt_studies([replace(study, kind=StudyKind.NOISE)], {}, [])
    merge_stores([place / "a"], place / "into")
    (renamed,) = merge_stores([place / "b"], place / "into", rename=True).renamed
    with SqliteStore.open(place / "into") as store:
        assert store.study(renamed.new_name, StudyKind.NOISE) is not None
        assert store.study(renamed.new_name) is not None


def test_what_is_no_store_is_refused(place: Path) -> None:
    a = store_of(place / "a", run(1))
    (place / "empty").mkdir()
    for wrong in ("empty", "nowhere"):
        with pytest.raises(UsageError, match=f"{wrong}: there is no store here"):
            merge_stores([a, place / wrong], place / "into")
    with pytest.raises(UsageError, match="merged into itself"):
        merge_stores([a, a / "."], a)
    assert sorted(path.name for path in place.iterdir()) == ["a", "empty"]


def test_a_store_of_an_older_format_is_merged(place: Path) -> None:
    old = Path(__file__).parents[1] / "fixtures" / "store-v2-studies"
    before = content_of(old)
    merge_stores([old], place / "into")
    assert content_of(old) == before
    with SqliteStore.open(old) as one, SqliteStore.open(place / "into") as other:
        assert {study.label for study in one.studies()} == {study.label for study in other.studies()}
    assert examine(place / "into") == []


# Killed


def test_a_merge_that_is_killed_loses_nothing(place: Path) -> None:
    assert kill_merges(place, 5, Random(1), make_parts(place)).total() == 5


# The command


def test_the_command_says_what_it_merged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    parts = run_shards(place, digits(4), 2)
    into = place / "into"
    said = call(capsys, monkeypatch, "merge", *parts, "--into", into)
    assert said.code == 0
    assert f"{into}: 12 new runs, 0 known" in said.out
    assert "`paribus run digits --store" in said.out
    fields = json.loads(call(capsys, monkeypatch, "merge", *parts, "--into", into, "--json").out)
    assert (fields["runs"], fields["sound"]) == ({"new": 0, "known": 12, "replaced": 0}, True)
    damage_any(parts[0])
    broken = call(capsys, monkeypatch, "merge", *parts, "--into", place / "other", "--json")
    assert broken.code == 1
    (left_out,) = json.loads(broken.out)["left_out"]
    assert (left_out["store"], left_out["elsewhere"]) == (str(parts[0]), False)
    assert left_out["run"].startswith("digits/")
    told = call(capsys, monkeypatch, "merge", *parts, "--into", place / "other")
    assert f"Damaged in {parts[0]}, and not copied: {left_out['run']}" in told.out
    wrong = call(capsys, monkeypatch, "merge", place / "nowhere", "--into", into, "--json")
    assert (wrong.code, json.loads(wrong.out)["error"]["type"]) == (2, "UsageError")


def damage_any(folder: Path) -> None:
    path = next((folder / "artifacts").rglob("*.weights.*"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_seeds_that_are_none_are_shared_by_shards(place: Path) -> None:
    """An estimator that draws nothing at random has one run for all seeds, which every shard has computed."""
    one = replace(run(1), seeds=Seeds.of(0), status=Status.FINISHED)
    two = replace(one, seeds=Seeds.of(1))
    for number, order in enumerate(permutations([store_of(place / "a", one), store_of(place / "b", two)])):
        assert merge_stores(order, place / f"into {number}").differing == []
        with SqliteStore.open(place / f"into {number}") as store:
            assert holds(store, one)
