"""A store against a dictionary: written to, closed, killed, damaged, migrated and mended in any order."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from paribus.errors import StoreError
from paribus.store import schema
from paribus.store.doctor import Problem, examine, repair
from paribus.store.sqlite import SqliteStore
from store_crashes import ANCHORS, NEXT_FORMAT, Child, Model, Step, carry_out, quick_place, temporaries
from store_examples import fingerprint, holds, judgement, same_light

NUMBERS = range(1, 5)
STATUSES = ("finished", "diverged", "failed")
RECORDS = st.tuples(st.just("record"), st.sampled_from(NUMBERS), st.sampled_from(STATUSES), st.integers(0, 2))
RECIPES = st.tuples(st.just("recipe"), st.sampled_from(["x", "y"]), st.integers(0, 2))
STUDIES = st.tuples(st.just("study"), st.sampled_from(["s", "t"]), st.lists(st.sampled_from(NUMBERS), unique=True))
JUDGEMENTS = st.tuples(st.just("judge"), st.lists(st.sampled_from(NUMBERS), unique=True))
STEPS = RECORDS | RECIPES | STUDIES | JUDGEMENTS
FORMATS = (schema.MIGRATIONS, (*schema.MIGRATIONS, NEXT_FORMAT))


class StoreMachine(RuleBasedStateMachine):
    child: Child  # shared by all examples: starting one takes longer than an example

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.folder = self._stack.enter_context(quick_place()) / "runs"
        self.model = Model()
        self.damaged: set[int] = set()
        self.store: SqliteStore | None = None

    def teardown(self) -> None:
        self.close()
        schema.MIGRATIONS = FORMATS[0]
        self._stack.close()

    @initialize()
    def fresh(self) -> None:
        schema.MIGRATIONS = FORMATS[0]

    @property
    def writer(self) -> SqliteStore:
        if self.store is None:
            self.store = SqliteStore.open(self.folder, "write")
            assert temporaries(self.folder) == []
        return self.store

    @rule(step=STEPS)
    def write(self, step: Step) -> None:
        carry_out(self.writer, step)
        self.accept(self.model.after(step))

    def accept(self, model: Model) -> None:
        """A run that was replaced has new artifacts, and the damage is gone with the old ones."""
        self.damaged -= {number for number in self.damaged if model.runs[number] is not self.model.runs[number]}
        self.model = model

    @rule()
    def close(self) -> None:
        if self.store is not None:
            self.store.close()
            self.store = None

    @rule(steps=st.lists(STEPS, min_size=1, max_size=3), moment=st.integers(0, 40))
    def write_and_be_killed(self, steps: list[Step], moment: int) -> None:
        self.close()
        answer = self.child.ask(self.folder, steps, kill_at=moment, formats=len(schema.MIGRATIONS))
        for step in steps[: len(answer.done)]:
            self.accept(self.model.after(step))
        if answer.signal is None:
            assert len(answer.done) == len(steps)
            return
        assert answer.signal == signal.SIGKILL
        further = self.model.after(steps[len(answer.done)])
        if not self.agrees(self.model):
            self.accept(further)
        # A run that was on the way again may have put the same files in the place of the damaged ones.
        with SqliteStore.open(self.folder) as reader:
            self.damaged = {number for number in self.damaged if not holds_or_damaged(reader, number, self.model)}

    @rule()
    def migrate(self) -> None:
        self.close()
        schema.MIGRATIONS = FORMATS[1]

    def artifacts(self) -> list[tuple[int, Path]]:
        """The artifacts that rows name, with the numbers of their runs."""
        return [
            (number, path)
            for number, result in sorted(self.model.runs.items())
            if result.weights is not None and number not in self.damaged
            for path in sorted((self.folder / "artifacts").rglob(f"{fingerprint(number)}.*.safetensors"))
        ]

    @precondition(lambda self: self.artifacts())
    @rule(data=st.data(), how=st.sampled_from(["flip", "cut", "remove"]))
    def damage(self, data: st.DataObject, how: str) -> None:
        # Files that no row names may be among them; damaging one of those damages nothing.
        number, path = data.draw(st.sampled_from(self.artifacts()))
        content = bytearray(path.read_bytes())
        if how == "flip":
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
            path.write_bytes(content)
        elif how == "cut":
            path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        else:
            path.unlink()
        with SqliteStore.open(self.folder) as reader:
            if not holds_or_damaged(reader, number, self.model):
                self.damaged.add(number)

    @rule()
    def mend(self) -> None:
        self.close()
        wrong = {
            finding.subject for finding in examine(self.folder) if finding.problem in (Problem.DAMAGED, Problem.MISSING)
        }
        assert wrong == {fingerprint(number) for number in self.damaged}
        repair(self.folder)
        assert examine(self.folder) == []
        for number in self.damaged:
            del self.model.runs[number]
        self.damaged = set()

    @rule()
    def break_the_database_of_a_closed_store(self) -> None:
        """Cut to half: what was in it is gone or saved, but nothing in it is wrong after a repair."""
        self.close()
        path = self.folder / "paribus.sqlite"
        if not path.exists():
            return
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        repair(self.folder)
        with SqliteStore.open(self.folder) as reader:
            saved = reader.runs([fingerprint(number) for number in NUMBERS])
            runs = {number: result for number, result in self.model.runs.items() if result.fingerprint in saved}
            assert all(holds(reader, result) for result in runs.values())
            assert len(runs) == len(saved)
            studies = {study.name: study for study in reader.studies()}
            recipes = {k: n for k, n in self.model.recipes.items() if reader.recipe(k) is not None}
            left = set(reader.judgements(ANCHORS))
            judged = tuple(number for number in self.model.judged if judgement(number) in left)
            assert len(judged) == len(left)
        self.model, self.damaged = Model(runs, recipes, studies, judged), set()

    def agrees(self, model: Model) -> bool:
        runs = {n: r for n, r in model.runs.items() if n not in self.damaged}
        sound = Model(runs, model.recipes, model.studies, model.judged)
        with SqliteStore.open(self.folder) as reader:
            found = reader.runs([fingerprint(number) for number in NUMBERS])
            if found.keys() != {result.fingerprint for result in model.runs.values()}:
                return False
            if not all(same_light(found[result.fingerprint], result) for result in model.runs.values()):
                return False
            return sound.is_in(reader, [number for number in NUMBERS if number not in self.damaged])

    @invariant()
    def a_reader_finds_what_the_model_has(self) -> None:
        assert self.agrees(self.model)
        with SqliteStore.open(self.folder) as reader:
            for number in self.damaged:
                assert not holds_or_damaged(reader, number, self.model)


def holds_or_damaged(reader: SqliteStore, number: int, model: Model) -> bool:
    try:
        assert holds(reader, model.runs[number]), "damage is reported, never returned"
    except StoreError:
        return False
    return True


@pytest.mark.no_cover  # other tests pass the same lines, in half the time
@pytest.mark.parametrize(("examples", "steps"), [(25, 20), pytest.param(100, 50, marks=pytest.mark.proof)])
def test_a_store_is_a_dictionary_whatever_happens(examples: int, steps: int) -> None:
    with Child() as child:
        machine = type("Machine", (StoreMachine,), {"child": child})
        machine.TestCase.settings = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
        machine.TestCase().runTest()
