"""What every store promises, checked on every store."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paribus.errors import StoreError
from paribus.records import Curve, Predictions, Scores, Seeds, Status, StudyKind
from paribus.store.base import Store, StoredRun, StoredStudy, anchor, labelled_study
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from store_examples import DATA, NAN, arm, fingerprint, holds, judgement, recipe, run, same_light


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with MemoryStore() if request.param == "memory" else SqliteStore.open(tmp_path / "runs", "write") as opened:
        yield opened


@pytest.mark.parametrize("status", ["finished", "diverged", "failed"])
def test_what_goes_in_comes_out(store: Store, status: str) -> None:
    store.record(run(1, status))
    assert holds(store, run(1, status))


def test_runs_are_light_in_the_order_asked_for_and_may_be_absent(store: Store) -> None:
    for number in (1, 2, 3):
        store.record(run(number))
    found = store.runs([fingerprint(n) for n in (3, 9, 1, 3)])
    assert list(found) == [fingerprint(3), fingerprint(1)]
    assert all(result.weights is None and result.predictions is None for result in found.values())
    assert store.runs([]) == {}


def test_more_runs_than_one_query_takes(store: Store) -> None:
    for number in (0, 499, 500, 1200):
        store.record(run(number, "failed"))
    asked = [fingerprint(n) for n in range(1201)]
    assert list(store.runs(asked)) == [fingerprint(n) for n in (0, 499, 500, 1200)]


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        ("finished", "finished", False),
        ("finished", "diverged", False),
        ("finished", "failed", False),
        ("diverged", "finished", True),
        ("diverged", "diverged", True),
        ("diverged", "failed", False),
        ("failed", "finished", True),
        ("failed", "diverged", True),
        ("failed", "failed", True),
    ],
)
def test_which_runs_give_way(store: Store, before: str, after: str, *, replaced: bool) -> None:
    old, new = run(1, before), run(1, after, version=1)
    store.record(old)
    store.record(new)
    assert holds(store, new if replaced else old)


def test_metrics_of_the_protocol_are_kept_bit_by_bit(store: Store) -> None:
    measured = replace(run(1), metrics={"train_auc": 0.1 + 0.2, "test_auc": math.nan, "test_r2_score": -0.0})
    store.record(measured)
    assert holds(store, measured)


def test_a_run_may_have_no_arrays(store: Store) -> None:
    store.record(replace(run(1), weights=None, predictions=None))
    with pytest.raises(StoreError, match="recorded without weights"):
        store.weights(fingerprint(1))
    with pytest.raises(StoreError, match="recorded without predictions"):
        store.predictions(fingerprint(1))


def test_a_run_that_is_not_there(store: Store) -> None:
    with pytest.raises(StoreError, match="no run 00000009"):
        store.weights(fingerprint(9))
    with pytest.raises(StoreError, match="no run 00000009"):
        store.predictions(fingerprint(9))


def test_arrays_of_every_type_shape_and_layout(store: Store) -> None:
    weights: dict[str, np.ndarray] = {
        "scalar": np.array(3.5, np.float32),
        "empty": np.zeros((0, 3), np.float64),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "strided": np.arange(10, dtype=np.int64)[::3],
        "flags": np.array([True, False]),
        "half": np.array([1.5, NAN], np.float16),
        "ü/ñ": np.array([255], np.uint8),
    }
    store.record(replace(run(1), weights=weights))
    found = store.weights(fingerprint(1))
    assert list(found) == sorted(weights)
    for name, array in weights.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_bfloat16(store: Store) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    weights = {"kernel": np.array([1.5, 2.0], ml_dtypes.bfloat16)}
    store.record(replace(run(1), weights=weights))
    assert holds(store, replace(run(1), weights=weights))


def test_no_weights_at_all_are_not_none(store: Store) -> None:
    store.record(replace(run(1), weights={}))
    assert store.weights(fingerprint(1)) == {}


def test_undecodable_last_words(store: Store) -> None:
    store.record(replace(run(1, "failed"), reason="killed: \udcff\0"))
    assert store.runs([fingerprint(1)])[fingerprint(1)].reason == "killed: \\udcff\0"


@pytest.mark.parametrize("name", ["", "ab", "A" * 64, "../" + "a" * 61, "a" * 63 + "\n", "a" * 65])
def test_what_is_no_fingerprint(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="64 lower-case hexadecimal"):
        store.record(replace(run(1), fingerprint=name))
    for read in (lambda: store.runs([name]), lambda: store.weights(name), lambda: store.predictions(name)):
        with pytest.raises(StoreError, match="64 lower-case hexadecimal"):
            read()


def test_seeds_that_no_store_keeps(store: Store) -> None:
    store.record(replace(run(1), seeds=Seeds(2**63 - 1, -(2**63), 0)))
    with pytest.raises(StoreError, match=r"order seed 9223372036854775808: .*choose a smaller one"):
        store.record(replace(run(2), seeds=Seeds(0, 2**63, 0)))
    with pytest.raises(StoreError, match="init seed"):
        store.save_study("s", "{}", [replace(arm("a", []), runs=(StoredRun(Seeds.of(2**63), fingerprint(1)),))])


def test_predictions_that_are_none(store: Store) -> None:
    whole, floats = np.zeros(3, np.int32), np.zeros(3, np.float32)
    for wrong in (Predictions(whole, floats, floats[:2]), Predictions(floats, floats, floats)):  # type: ignore[arg-type]
        with pytest.raises(StoreError, match=r"predictions: .*all have shape"):
            store.record(replace(run(1), predictions=wrong))
    assert store.runs([fingerprint(1)]) == {}


def test_recipes(store: Store) -> None:
    assert store.recipe("key") is None
    store.save_recipe("key", recipe(1))
    store.save_recipe("other", recipe(1))
    store.save_recipe("key", recipe(2))
    assert (store.recipe("key"), store.recipe("other")) == (recipe(2), recipe(1))


def test_studies(store: Store) -> None:
    assert store.study("s") is None
    assert store.studies() == ()
    store.save_study("s", "{}", [arm("b", [1, 0]), arm("a", [])], DATA)
    store.save_study("a", "[]", [])
    study = StoredStudy("s", "{}", (arm("b", [0, 1]), arm("a", [])), DATA)
    assert store.study("s") == study
    assert store.studies() == (StoredStudy("a", "[]", ()), study)


def test_a_later_run_with_more_seeds_extends_a_study(store: Store) -> None:
    store.save_study("s", "{}", [arm("a", [0, 1]), arm("b", [0, 1])], DATA)
    store.save_study("s", "{}", [arm("b", [1, 5, 3]), arm("c", [0])], DATA)
    found = store.study("s")
    assert found is not None
    assert found.arms == (arm("a", [0, 1]), arm("b", [0, 1, 3, 5]), arm("c", [0]))


def test_studies_of_one_name_and_several_kinds(store: Store) -> None:
    kinds = [StudyKind.TUNING, StudyKind.STUDY, StudyKind.NOISE, StudyKind.ABLATION]
    for number, kind in enumerate(kinds):
        store.save_study("s", "{}", [arm("a", [number])], kind=kind)
    studies = [StoredStudy("s", "{}", (arm("a", [number]),), None, kind) for number, kind in enumerate(kinds)]
    assert [store.study("s", kind) for kind in kinds] == studies
    assert store.studies() == tuple(sorted(studies, key=lambda study: study.kind))
    labels = ["s.tuning", "s", "s.noise", "s"]
    assert [study.label for study in studies] == labels
    assert [labelled_study(store, label) for label in labels[:3]] == studies[:3]
    assert labelled_study(store, "t.noise") is None
    store.save_study("x", "{}", [], kind=StudyKind.ABLATION)
    assert labelled_study(store, "x") == store.study("x", StudyKind.ABLATION)
    assert store.study("x") is None


def test_how_many_seeds_were_asked_for(store: Store) -> None:
    def saved(seeds: int | None, first_seed: int = 0, document: str = "{}") -> tuple[int | None, int]:
        store.save_study("s", document, [arm("a", [0])], seeds=seeds, first_seed=first_seed)
        found = store.study("s")
        assert found is not None
        return found.seeds, found.first_seed

    assert [saved(None), saved(5), saved(3), saved(8), saved(None)] == [(None, 0), (5, 0), (5, 0), (8, 0), (8, 0)]
    assert saved(3, 8) == (3, 8)
    assert saved(2, 8, "[]") == (3, 8)
    for seeds, first_seed in ((0, 0), (5, -1), (5, 2**63)):
        with pytest.raises(StoreError, match="seed"):
            saved(seeds, first_seed)


def test_judgements_are_remembered_in_their_order(store: Store) -> None:
    first, second, third = judgement(1, 5), judgement(1, 8, look=1), judgement(2, 5)
    assert store.judgements([first.anchor]) == ()
    store.record_judgements([second, first])
    store.record_judgements([first, third, third])
    store.record_judgements([])
    assert store.judgements([first.anchor]) == (second, first)
    assert store.judgements([third.anchor, first.anchor]) == (second, first, third)
    assert store.judgements([]) == ()
    found = store.judgements([first.anchor])[1]
    assert (found.share, found.primary, found.look) == (1 / 3, True, None)


@pytest.mark.parametrize(
    "change", [{"anchor": "a"}, {"seeds": 0}, {"share": 0.0}, {"share": 1.5}, {"share": NAN}, {"look": 0}]
)
def test_judgements_that_are_none(store: Store, change: dict[str, object]) -> None:
    with pytest.raises(StoreError):
        store.record_judgements([judgement(1), replace(judgement(2), **change)])  # type: ignore[arg-type]
    assert store.judgements([judgement(1).anchor]) == ()
    with pytest.raises(StoreError, match="anchor"):
        store.judgements(["x"])


TERMS = st.lists(st.tuples(st.integers(0, 9).map(fingerprint), st.integers(-4, 4).map(float)), min_size=1, unique=True)


@given(terms=TERMS, data=st.data())
def test_an_anchor_names_a_question_whatever_its_direction(terms: list[tuple[str, float]], data: st.DataObject) -> None:
    same = data.draw(st.permutations(terms))
    assert anchor("m", same) == anchor("m", terms) == anchor("m", [(name, -value) for name, value in terms])
    assert anchor("m", terms) != anchor("n", terms)
    assert anchor("m", terms) != anchor("m", [(fingerprint(10), terms[0][1]), *terms[1:]])
    bigger = [(name, 2 * value) for name, value in terms]
    assert (anchor("m", terms) == anchor("m", bigger)) == all(not value for _, value in terms)


def test_a_study_of_the_same_name_on_other_data_replaces_it(store: Store) -> None:
    store.save_study("s", "{}", [arm("a", [0, 1])], DATA)
    data = replace(DATA, fingerprint="cd" * 32)
    store.save_study("s", "{}", [arm("a", [2])], data)
    assert store.study("s") == StoredStudy("s", "{}", (arm("a", [2]),), data)


def test_another_document_on_the_same_data_extends_it(store: Store) -> None:
    """Whether two documents are the same study is for the caller to say, who renames another one first."""
    store.save_study("s", "{}", [arm("a", [0, 1])], DATA)
    store.save_study("s", "{ }", [arm("a", [2])], DATA)
    assert store.study("s") == StoredStudy("s", "{ }", (arm("a", [0, 1, 2]),), DATA)
    store.rename_study("s", "t")
    assert store.study("s") is None
    assert store.study("t") == StoredStudy("t", "{ }", (arm("a", [0, 1, 2]),), DATA)


@pytest.mark.parametrize("change", [arm("a", [1, 2], version=1), arm("a", [1, 2], offset=100)])
def test_runs_of_two_networks_never_stand_in_one_arm(store: Store, change: object) -> None:
    store.save_study("s", "{}", [arm("a", [0, 1]), arm("b", [0])])
    store.save_study("s", "{}", [change])  # type: ignore[list-item]
    found = store.study("s")
    assert found is not None
    assert found.arms == (change, arm("b", [0]))


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.record(run(1)),
        lambda store: store.runs([]),
        lambda store: store.recipe("key"),
        lambda store: store.save_recipe("key", recipe(1)),
        lambda store: store.save_study("s", "{}", []),
        lambda store: store.study("s"),
        lambda store: store.studies(),
        lambda store: store.record_judgements([]),
        lambda store: store.judgements([]),
        lambda store: store.weights(fingerprint(1)),
    ],
)
def test_a_closed_store(store: Store, use: Callable[[Store], object]) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        use(store)


def test_threads_share_a_store(store: Store) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 5):
            store.record(run(number))
            assert holds(store, run(number))

    threads = [threading.Thread(target=work, args=(10 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.runs([fingerprint(number) for number in range(40)])) == 20


FLOATS = st.floats(width=64)
CURVES = st.lists(FLOATS, max_size=4).map(tuple)


@settings(max_examples=60, deadline=None)
@given(
    scores=st.none() | st.builds(Scores, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS),
    curve=st.builds(Curve, CURVES, CURVES, CURVES, CURVES),
    seconds=FLOATS,
    reason=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    seeds=st.builds(Seeds, *[st.integers(-(2**63), 2**63 - 1)] * 3),
)
def test_any_values_survive(
    tmp_path_factory: pytest.TempPathFactory,
    scores: Scores | None,
    curve: Curve,
    seconds: float,
    reason: str | None,
    seeds: Seeds,
) -> None:
    result = replace(
        run(1, "failed"),
        status=Status.DIVERGED,
        scores=scores,
        curve=curve,
        seconds=seconds,
        reason=reason,
        seeds=seeds,
    )
    folder = tmp_path_factory.mktemp("store")
    for store in (MemoryStore(), SqliteStore.open(folder, "write")):
        with store:
            store.record(result)
            assert same_light(store.runs([result.fingerprint])[result.fingerprint], result)
