"""``--until-decided``: looks are planned once, judged on whole seeds, and kept with the study."""

from __future__ import annotations

import pytest

from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.errors import UsageError
from paribus.outcome.outcome import Outcome
from paribus.results.assemble import assemble_outcome
from paribus.results.stored_study import StoredResults
from paribus.runner.run import run_study
from paribus.runner.sequential import is_decided, run_until_decided, with_looks
from paribus.store.memory import MemoryStore
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override

ACCURACY = {"small": 0.6, "large": 0.9, "large-dropout": 0.75}


def study(max_seeds: int = 6) -> StudyDocument:
    return with_looks(load_study("digits"), max_seeds)


def grow(document: StudyDocument, store: MemoryStore, max_seeds: int, accuracy: dict[str, float]) -> Outcome:
    backend = FakeBackend(lambda arm: accuracy[arm])
    return run_until_decided(document, store, backend, Silent(), max_seeds)


def test_it_stops_at_the_first_look_that_decides() -> None:
    outcome = grow(study(), MemoryStore(), 6, ACCURACY)
    looks = study().comparison.looks
    assert is_decided(outcome)
    assert outcome.document.seeds in looks
    assert outcome.document.seeds < looks[-1], "large differences need no last look"
    for contrast in outcome.contrasts:
        assert contrast.comparison is not None
        assert contrast.comparison.look is not None
        assert contrast.comparison.look.seeds == contrast.comparison.seeds == outcome.document.seeds


def test_without_a_difference_it_goes_to_the_last_look_and_stays_undecided() -> None:
    outcome = grow(study(), MemoryStore(), 6, dict.fromkeys(ACCURACY, 0.8))
    assert not is_decided(outcome)
    assert outcome.document.seeds == 6


def test_looks_stay_as_they_were_planned() -> None:
    store = MemoryStore()
    grow(study(6), store, 6, dict.fromkeys(ACCURACY, 0.8))
    with pytest.raises(UsageError, match="3, 5, 6 seeds were planned"):
        grow(study(12), store, 12, dict.fromkeys(ACCURACY, 0.8))
    again = grow(study(4), store, 5, dict.fromkeys(ACCURACY, 0.8))
    assert again.document.comparison.looks == study(6).comparison.looks


def test_a_half_computed_look_is_not_judged() -> None:
    store, document = MemoryStore(), study(6)
    first, second = document.comparison.looks[:2]
    at_first = run_study(override(document, seeds=first), store, FakeBackend(lambda _: 0.8), Silent())
    between = run_study(override(document, seeds=second - 1), store, FakeBackend(lambda _: 0.8), Silent())
    assert [c.comparison for c in between.contrasts] == [c.comparison for c in at_first.contrasts]


def test_before_the_first_look_nothing_is_judged_and_that_is_said() -> None:
    store, document = MemoryStore(), study(6)
    outcome = run_study(override(document, seeds=2), store, FakeBackend(), Silent())
    assert outcome.contrasts == ()
    assert any("first planned look is at 3 seeds" in note for note in outcome.notes)


def test_too_few_seeds_for_the_first_look_are_refused() -> None:
    document = study(6)
    with pytest.raises(UsageError, match="first"):
        run_until_decided(document, MemoryStore(), FakeBackend(), Silent(), 2)


def test_arms_stand_in_the_order_of_the_study() -> None:
    store, document = MemoryStore(), load_study("digits")
    results = StoredResults.of(run_study(document, store, FakeBackend(), Silent()).request, store)
    outcome = assemble_outcome(results.request, results.arms[::-1], store)
    assert [arm.name for arm in outcome.arms] == list(document.arms)
