"""A stored study gives one answer, after any sequence of runs of some arms and seeds, looks and interruptions."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from paribus.api.questions import compare, plan
from paribus.backends.base import Backend
from paribus.backends.fake import FakeBackend
from paribus.display.base import Silent
from paribus.errors import InterruptedRunError, UsageError
from paribus.outcome.outcome import Outcome
from paribus.records import Ended, Event, Job
from paribus.report.json import outcome_fields as as_json
from paribus.results.stored_study import open_results
from paribus.runner.run import run_study
from paribus.runner.sequential import run_until_decided, with_looks
from paribus.store.memory import MemoryStore
from paribus.study.document import StudyDocument
from paribus.study.identity import stored_name
from paribus.study.load import load_study
from paribus.study.overrides import override

ARMS = ("small", "large", "large-dropout")
ACCURACY = {"small": 0.8, "large": 0.83, "large-dropout": 0.831}


class Interrupted(Backend):
    """Ends after so many runs, as Ctrl-C does."""

    def __init__(self, runs: int) -> None:
        self._backend, self._left = FakeBackend(lambda arm: ACCURACY[arm]), runs

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        for event in self._backend.run(jobs):
            if isinstance(event, Ended):
                self._left -= 1
                if self._left < 0:
                    raise InterruptedRunError("interrupted")
            yield event


def answer(outcome: Outcome) -> str:
    return json.dumps(as_json(outcome), sort_keys=True)


class Commands(RuleBasedStateMachine):
    """Commands as a user gives them, in any order."""

    @initialize(primary=st.booleans())
    def start(self, primary: bool) -> None:
        self.store = MemoryStore()
        document = load_study("digits")
        table = document.model_dump(exclude_none=True) | {"seeds": 2}
        table["contrasts"] = [{"a": "large-dropout", "b": "large", "primary": primary}]
        self.study = StudyDocument.model_validate(table)
        self.runs: set[str] = set()
        self.last: Outcome | None = None

    def backend(self) -> Backend:
        return FakeBackend(lambda arm: ACCURACY[arm])

    @rule(arms=st.lists(st.sampled_from(ARMS), max_size=2, unique=True), seeds=st.integers(1, 5))
    def run(self, arms: list[str], seeds: int) -> None:
        study = override(self.study, seeds=seeds)
        self.last = run_study(study, self.store, self.backend(), Silent(), arms=arms)

    @rule(max_seeds=st.sampled_from([4, 6]), arms=st.lists(st.sampled_from(ARMS), max_size=2, unique=True))
    def grow(self, max_seeds: int, arms: list[str]) -> None:
        try:
            self.last = run_until_decided(
                with_looks(self.study, max_seeds), self.store, self.backend(), Silent(), max_seeds, arms=arms
            )
        except UsageError as error:
            if "were planned when this study was first run" not in str(error):
                raise

    @rule(runs=st.integers(0, 4), seeds=st.integers(2, 5))
    def interrupt(self, runs: int, seeds: int) -> None:
        try:
            self.last = run_study(override(self.study, seeds=seeds), self.store, Interrupted(runs), Silent())
        except InterruptedRunError:
            self.last = None

    @rule(seeds=st.integers(1, 2))
    def run_other_epochs(self, seeds: int) -> None:
        other = override(self.study, seeds=seeds, epochs=2)
        run_study(other, self.store, self.backend(), Silent(), stored_as=stored_name(self.study, other))

    @precondition(lambda self: self.store.study("digits") is not None)
    @invariant()
    def every_reader_says_the_same(self) -> None:
        results = open_results("digits", self.store)
        outcome = results.outcome()
        assert answer(outcome) == answer(open_results("digits", self.store).outcome()), "reports write nothing"
        if self.last is not None:
            assert [c.comparison for c in outcome.contrasts] == [c.comparison for c in self.last.contrasts]
            assert outcome.document == self.last.document
        families = {c.comparison.contrasts for c in outcome.contrasts if c.comparison}
        assert families <= {3}, "the family is that of the whole study"
        assert abs(sum(statement.share for statement in outcome.statements) - 1) < 1e-12
        stored = {run.fingerprint for arm in results.arms for run in arm.runs}
        assert self.runs <= stored, "nothing that was asked for is forgotten"
        self.runs |= stored
        for contrast in outcome.contrasts:
            if contrast.comparison is not None:
                fields = compare(results, contrast.a, contrast.b, contrast.metric.name, None).json
                assert (fields["difference"], fields["low"], fields["p_adjusted"], fields["verdict"]) == (
                    contrast.comparison.difference,
                    contrast.comparison.low,
                    contrast.comparison.p_adjusted,
                    str(contrast.comparison.verdict),
                )

    @precondition(lambda self: self.last is not None)
    @rule()
    def ask_for_a_plan(self) -> None:
        try:
            plan(open_results("digits", self.store), 0.01, 0.8)
        except UsageError as error:
            if "seeds" not in str(error) and "no stored arm" not in str(error):
                raise


@pytest.mark.parametrize("examples", [5, pytest.param(50, marks=pytest.mark.proof)])
def test_a_stored_study_gives_one_answer(examples: int) -> None:
    machine = type("Machine", (Commands,), {})
    machine.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine.TestCase().runTest()
