"""A study is one study, and remembers: each of these gave another answer by the order of commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from paribus.analysis.unplanned import error_of_looks
from paribus.api.questions import check, compare
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.errors import UsageError
from paribus.outcome.outcome import Outcome
from paribus.records import StudyKind
from paribus.report.json import outcome_fields
from paribus.results.stored_study import open_results, read_document
from paribus.runner.run import run_study
from paribus.runner.sequential import run_until_decided, with_looks
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.store.sqlite import SqliteStore
from paribus.study.document import StudyDocument
from paribus.study.identity import is_same_study, stored_name
from paribus.study.load import load_study
from paribus.study.overrides import override

FIXTURE = Path(__file__).parents[1] / "fixtures" / "store-v2-studies"
ACCURACY = {"small": 0.8, "large": 0.86, "large-dropout": 0.83}


def study(**changes: Any) -> StudyDocument:
    return StudyDocument.model_validate(load_study("digits").model_dump(exclude_none=True) | changes)


def run(document: StudyDocument, store: Store, seeds: int | None = None, **options: Any) -> Outcome:
    asked = override(document, seeds=seeds)
    return run_study(asked, store, FakeBackend(lambda arm: ACCURACY[arm]), Silent(), **options)


def said(outcome: Outcome) -> dict[str, Any]:
    return json.loads(json.dumps(outcome_fields(outcome)))


def stored(store: Store, name: str = "digits") -> dict[str, Any]:
    return said(open_results(name, store).outcome())


def test_the_family_is_that_of_the_whole_study_whichever_arms_are_run() -> None:
    store = MemoryStore()
    everything = said(run(study(), store, 4))
    some = said(run(study(), store, 4, arms=["small", "large"]))
    assert some["contrasts"] == everything["contrasts"] == stored(store)["contrasts"]
    alone = MemoryStore()
    two = said(run(study(), alone, 4, arms=["small", "large"]))
    (contrast,) = two["contrasts"]
    assert contrast in everything["contrasts"], "its share of the error is kept where the third arm was never run"
    assert any("No run yet of large-dropout" in note for note in run(study(), alone, 4, arms=["small"]).notes)


def test_a_quick_look_does_not_replace_the_study() -> None:
    store = MemoryStore()
    run(study(), store, 1, arms=["small"])
    assert [arm["name"] for arm in stored(store)["arms"]] == ["small"]
    grown = said(run(study(), store, 6))
    assert said(run(study(), store, 2)) == grown == stored(store), "fewer seeds ask for nothing new"
    assert stored(store)["arms"][0]["seeds"] == [0, 1, 2, 3, 4, 5]


def test_the_report_of_a_stored_study_is_that_of_its_run(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path, mode="write") as store:
        outcome = run(study(), store, 3)
    with SqliteStore.open(tmp_path, mode="read") as store:
        again = open_results("digits", store).outcome()
    assert again.document == outcome.document
    assert again.document.seeds == 3
    assert said(again) == said(outcome)


def test_other_epochs_are_kept_beside_never_instead() -> None:
    store, short = MemoryStore(), override(study(), epochs=2)
    name = stored_name(study(), short)
    assert name == "digits.epochs-2"
    run(short, store, 2, stored_as=name)
    assert stored(store) == stored(store, "digits.epochs-2"), "the only variant answers to the study's name"
    whole = said(run(study(), store, 2))
    assert stored(store) == whole != stored(store, "digits.epochs-2")


def test_an_edited_study_moves_the_earlier_one_aside_and_says_so() -> None:
    store = MemoryStore()
    before = said(run(study(), store, 2))
    edited = study(protocol={"epochs": 20, "batch_size": 10})
    outcome = run(edited, store, 2)
    (note,) = [note for note in outcome.notes if "Another study was stored under this name" in note]
    assert "protocol.batch_size: 50, now 10" in note
    aside = next(each.name for each in store.studies() if each.name.startswith("digits.was-"))
    assert stored(store, aside)["contrasts"] == before["contrasts"]
    assert not [note for note in run(edited, store, 2).notes if "Another study" in note]


def test_a_report_of_a_file_that_was_edited_says_what_differs(tmp_path: Path) -> None:
    text = 'name = "mine"\n[data]\nsource = "digits"\n[arms.a]\nlayers = [{ Dense = { units = 10 } }]\n'
    (tmp_path / "mine.toml").write_text(text + "[protocol]\nepochs = 2\n", encoding="utf-8")
    store = MemoryStore()
    document = load_study(str(tmp_path / "mine.toml"))
    run_study(override(document, seeds=1), store, FakeBackend(), Silent())
    (tmp_path / "mine.toml").write_text(text + "[protocol]\nepochs = 3\nbatch_size = 7\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"protocol.epochs: 2, now 3; protocol.batch_size: 100, now 7.*by its name"):
        open_results(str(tmp_path / "mine.toml"), store)
    assert open_results("mine", store).document.protocol.epochs == 2


def test_planned_looks_stay_with_the_study() -> None:
    store = MemoryStore()
    backend = FakeBackend(lambda _: 0.8)
    looked = run_until_decided(with_looks(study(), 6), store, backend, Silent(), 6)
    again = run_study(override(study(), seeds=6), store, backend, Silent())
    assert again.document.comparison.looks == looked.document.comparison.looks
    assert [c.comparison for c in again.contrasts] == [c.comparison for c in looked.contrasts]
    first = looked.contrasts[0]
    assert first.comparison is not None
    answer = compare(open_results("digits", store), first.a, first.b, "test_accuracy", None).json
    assert answer["p_adjusted"] == first.comparison.p_adjusted
    held = check(open_results("digits", store), first.a, first.b, "test_accuracy", 0.05)
    assert held.exit_code in (0, 3, 4)


def test_unplanned_looks_are_remembered_with_their_true_error() -> None:
    store = MemoryStore()
    assert run(study(), store, 3).contrasts[0].looks_taken == (3,)
    outcome = run(study(), store, 6)
    assert said(outcome)["contrasts"][0]["looks_taken"] == [3, 6]
    (note,) = [note for note in outcome.notes if "without planned looks" in note]
    assert f"{100 * error_of_looks((3, 6)):.1f} %, not 5 %" in note
    assert said(run(study(), store, 6)) == said(outcome), "the same look again is none"
    assert stored(store) == said(outcome), "a report counts no look"


def test_the_error_of_unplanned_looks_is_the_one_that_was_measured() -> None:
    assert error_of_looks((5,)) == pytest.approx(0.05, abs=0.003)
    assert error_of_looks((5, 10)) == pytest.approx(0.086, abs=0.004)
    assert error_of_looks((5, 10, 15, 20, 30)) > 0.12


def test_a_renamed_copy_has_been_looked_at_too() -> None:
    store = MemoryStore()
    run(study(), store, 3)
    copy = run(study(name="copy"), store, 5)
    assert copy.contrasts[0].looks_taken == (3, 5)
    fresh = run(study(name="fresh", first_seed=100), store, 5)
    assert fresh.contrasts[0].looks_taken == (5,), "another first seed starts on seeds that have not been looked at"


PRIMARY = [{"a": "large-dropout", "b": "large", "primary": True}]


def test_declared_late_is_not_primary() -> None:
    store = MemoryStore()
    before = run(study(contrasts=[PRIMARY[0] | {"primary": False}]), store, 4)
    late = run(study(contrasts=PRIMARY), store, 4)
    assert [s.share for s in late.statements] == [s.share for s in before.statements] == [1 / 3] * 3
    assert any("was declared primary after 4 seeds had been judged" in note for note in late.notes)
    fresh = run(study(contrasts=PRIMARY, first_seed=100), MemoryStore(), 4)
    assert [round(s.share, 6) for s in fresh.statements] == [0.8, 0.1, 0.1]


def test_a_share_that_changes_after_a_look_stays_as_it_was() -> None:
    store = MemoryStore()
    run(study(contrasts=PRIMARY), store, 4)
    comparison = {"all_pairs": True, "primary_share": 0.95}
    changed = run(study(contrasts=PRIMARY, comparison=comparison), store, 4)
    assert changed.statements[0].share == pytest.approx(0.8)
    assert any("share of the error was 0.8, and it stays" in note for note in changed.notes)


def test_seeds_before_the_first_one_do_not_count() -> None:
    store = MemoryStore()
    run(study(), store, 3)
    moved = run(study(first_seed=3), store, 2)
    assert said(moved)["arms"][0]["seeds"] == [3, 4]
    assert is_same_study(study(), study(first_seed=3))


def test_only_the_arms_of_undecided_primary_statements_grow() -> None:
    store = MemoryStore()
    table = {"contrasts": PRIMARY, "seeds": 2, "comparison": {"all_pairs": True, "looks": [3, 4, 6]}}
    outcome = run_until_decided(study(**table), store, FakeBackend(lambda _: 0.8), Silent())
    seeds = {arm["name"]: len(arm["seeds"]) for arm in said(outcome)["arms"]}
    assert seeds == {"small": 2, "large": 6, "large-dropout": 6}
    primary, *others = outcome.contrasts
    assert primary.comparison is not None
    assert primary.comparison.seeds == 6
    assert {c.comparison.seeds for c in others if c.comparison} == {2}, "judged once, on the study's own seeds"


def test_a_primary_statement_that_was_decided_at_a_look_stays_decided() -> None:
    store = MemoryStore()
    accuracy = {"small": 0.5, "large": 0.95, "large-dropout": 0.6}
    table = {"contrasts": PRIMARY, "seeds": 2, "comparison": {"all_pairs": True, "looks": [3, 6]}}
    decided = run_until_decided(study(**table), store, FakeBackend(lambda arm: accuracy[arm]), Silent())
    first = decided.contrasts[0].comparison
    assert first is not None
    assert (str(first.verdict), first.seeds) == ("worse", 3)
    later = run_study(override(study(**table), seeds=6), store, FakeBackend(lambda arm: accuracy[arm]), Silent())
    assert later.contrasts[0].comparison == first


def test_a_store_of_the_first_versions_answers_with_its_kinds_and_seeds(tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURE, tmp_path / "runs")
    with SqliteStore.open(folder, mode="write") as store:
        labels = {each.label: each.kind for each in store.studies()}
        assert labels == {
            "digits": StudyKind.STUDY,
            "digits.noise": StudyKind.NOISE,
            "tuned-digits": StudyKind.STUDY,
            "tuned-digits.tuning": StudyKind.TUNING,
            "ablate-digits-large-dropout": StudyKind.ABLATION,
        }
        results = open_results("digits", store)
        assert results.document.seeds == 2
        assert set(results.outcome().noise) == {"small"}
        tuned = open_results("tuned-digits", store)
        assert {arm.name for arm in tuned.outcome().arms if arm.tuning is not None} == {"narrow", "wide"}
        kept = store.study("digits")
        assert kept is not None
        assert is_same_study(read_document(kept), override(load_study("digits"), epochs=2))
