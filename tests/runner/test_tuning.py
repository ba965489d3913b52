"""Tuning carried out: candidates are stored and continued like all runs, and the choice never sees the test split."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from in_process import InProcess
from paribus.backends.base import Backend
from paribus.backends.fake import FakeBackend
from paribus.data import summarize
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.errors import ModelError, ParibusError, UsageError
from paribus.outcome.outcome import Outcome
from paribus.records import Ended, Event, Job, Status, StudyKind, TrainJob
from paribus.report import render_report
from paribus.report.json import outcome_fields as as_json
from paribus.results.noise import read_noise
from paribus.results.stored_study import open_results
from paribus.runner.noise import measure_noise
from paribus.runner.run import run_study
from paribus.runner.sequential import run_until_decided, with_looks
from paribus.store.base import Store
from paribus.store.memory import MemoryStore
from paribus.study.document import StudyDocument
from paribus.study.load import check_table, load_study
from paribus.study.overrides import override
from paribus.study.request import StudyRequest

GOOD = 0.03
"""The learning rate that the fake's validation split likes."""


def study(**changes: Any) -> StudyDocument:
    layers = [{"Dense": {"units": 8, "activation": "relu"}}, {"Dense": {"units": 10, "activation": "softmax"}}]
    table = {
        "name": "tuned",
        "seeds": 2,
        "data": {"source": "digits", "scale": 16, "flatten": True},
        "protocol": {"epochs": 2, "batch_size": 50},
        "arms": {
            "one": {"layers": layers, "grid": {"learning_rate": [0.01, GOOD, 0.1]}},
            "two": {"layers": [{"Dropout": {"rate": 0.1}}, *layers], "grid": {"dropout": [0.2, 0.4, 0.6]}},
        },
        "contrasts": [{"a": "one", "b": "two"}],
    }
    return check_table({**table, **changes}, "tuned.toml")


class Recording(Backend):
    """Passes jobs on, and keeps what was trained; it may fail, or be cut off after some runs."""

    def __init__(self, backend: Backend, *, cut_after: int | None = None, failing: Sequence[str] = ()) -> None:
        self.backend, self.trained, self.cut_after, self.failing = backend, [], cut_after, failing  # type: ignore[var-annotated]

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        for event in self.backend.run(jobs):
            if isinstance(event, Ended):
                if self.cut_after is not None and len(self.trained) >= self.cut_after:
                    raise KeyboardInterrupt
                self.trained.append(event.job)
                if event.job.arm in self.failing:
                    failed = replace(
                        event.result, status=Status.FAILED, scores=None, reason="killed", predictions=None, weights=None
                    )
                    yield Ended(event.job, failed)
                    continue
            yield event


def contradicting() -> FakeBackend:
    """What validation likes best, the test split likes least."""
    liked = {"one.2": 0.9, "two.3": 0.9}
    return FakeBackend(lambda arm: 0.2 if arm in liked else 0.95, lambda arm: liked.get(arm, 0.5))


def run(document: StudyDocument, store: Store, backend: Backend, arms: Sequence[str] = ()) -> Outcome:
    return run_study(document, store, backend, Silent(), arms=arms)


def chosen(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {arm.name: arm.tuning.values for arm in outcome.arms if arm.tuning is not None}


CHOSEN = {"one": {"learning_rate": GOOD}, "two": {"dropout": 0.6}}


def test_the_choice_follows_validation_where_the_test_split_says_the_opposite() -> None:
    store, backend = MemoryStore(), Recording(contradicting())
    outcome = run(study(), store, backend)
    assert chosen(outcome) == CHOSEN
    assert f'"learning_rate":{GOOD}' in outcome.arm("one").recipe.model, "the fake's recipe is the arm as written"
    assert '"rate":0.6' in outcome.arm("two").recipe.model
    candidate_jobs = [job for job in backend.trained if job.kind is StudyKind.TUNING]
    assert len(candidate_jobs) == 6
    assert {job.training.validation_split for job in candidate_jobs} == {0.1}
    final = [job for job in backend.trained if job.kind is not StudyKind.TUNING]
    assert [(job.arm, job.seeds.seed) for job in final] == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    assert {job.training.validation_split for job in final} == {0.0}


def test_stored_candidates_and_runs_are_not_computed_again_and_the_choice_stays_with_more_seeds() -> None:
    store = MemoryStore()
    first = run(study(), store, contradicting())
    # This backend would like other candidates; it is not asked.
    backend = Recording(FakeBackend(validation=lambda arm: 0.99 if arm.endswith(".1") else 0.1))
    more = run(override(study(), seeds=4), store, backend)
    assert [(job.arm, job.seeds.seed) for job in backend.trained] == [("one", 2), ("one", 3), ("two", 2), ("two", 3)]
    assert chosen(more) == chosen(first) == CHOSEN
    assert [run.seeds.seed for run in more.arm("one").runs] == [0, 1, 2, 3]
    nothing = Recording(FakeBackend())
    run(override(study(), seeds=4), store, nothing)
    assert nothing.trained == []


@pytest.mark.parametrize("cut_after", [0, 3, 6, 8])
def test_a_study_cut_off_anywhere_goes_on_to_the_same_answer(cut_after: int) -> None:
    store, first = MemoryStore(), Recording(contradicting(), cut_after=cut_after)
    with pytest.raises(KeyboardInterrupt):
        run(study(), store, first)
    second = Recording(contradicting())
    outcome = run(study(), store, second)
    assert len(second.trained) == 10 - cut_after
    whole = run(study(), MemoryStore(), contradicting())
    assert as_json(outcome) == as_json(whole)


def test_arms_run_one_by_one_get_what_they_get_together() -> None:
    document = study(
        arms={
            "one": {**study().arms["one"].model_dump(exclude_none=True)},
            "two": {
                **study().arms["two"].model_dump(exclude_none=True),
                "grid": {"dropout": [0.2, 0.4, 0.6], "learning_rate": [0.01, 0.1]},
            },
        }
    )
    store = MemoryStore()
    alone = run(document, store, contradicting(), ["one"])
    choice = alone.arm("one").tuning
    assert choice is not None
    assert choice.trainings == 6, "the budget is that of the whole study"
    backend = Recording(contradicting())
    together = run(document, store, backend)
    assert {job.arm.split(".")[0] for job in backend.trained} == {"two"}
    assert together.arm("one").tuning == choice


def test_a_failed_candidate_is_told_and_is_not_tried_again_once_the_choice_was_made() -> None:
    store = MemoryStore()
    outcome = run(study(), store, Recording(contradicting(), failing=["one.2"]))
    assert chosen(outcome)["one"] == {"learning_rate": 0.01}, "the first among equals"
    assert any("candidate learning_rate 0.03: failed: killed; it has no score" in note for note in outcome.notes)
    backend = Recording(contradicting())
    again = run(override(study(), seeds=3), store, backend)
    assert not [job for job in backend.trained if job.kind is StudyKind.TUNING]
    assert chosen(again) == chosen(outcome)


def test_failed_candidates_are_tried_again_as_long_as_nothing_was_chosen() -> None:
    store = MemoryStore()
    with pytest.raises(ParibusError, match=r"arm 'one': none of its 3 candidates has a score.*failed: killed"):
        run(study(), store, Recording(contradicting(), failing=["one.1", "one.2", "one.3"]))
    assert chosen(run(study(), store, contradicting())) == CHOSEN


def test_noise_measures_the_chosen_recipe() -> None:
    store, backend = MemoryStore(), Recording(contradicting())
    measure_noise(study(), "two", 2, store, backend, Silent())
    final = [job for job in backend.trained if job.kind is not StudyKind.TUNING]
    assert final
    assert all('"rate":0.6' in job.recipe.model for job in final)
    assert set(read_noise(StudyRequest(study(), summarize(study().data.spec()), "tuned", study()), store)) == {"two"}


def test_a_tuned_study_can_grow_until_it_is_decided() -> None:
    document, store = with_looks(study(), 4), MemoryStore()
    outcome = run_until_decided(document, store, contradicting(), Silent(), 4)
    assert chosen(outcome) == CHOSEN


def test_what_keras_refuses_is_told_with_the_values(engine: Engine) -> None:
    arms = {
        "one": {
            **study().arms["one"].model_dump(exclude_none=True),
            "grid": {"layer 1.activation": ["relu", "nothing"]},
        }
    }
    backend = Recording(InProcess(engine))
    with pytest.raises(ModelError, match=r"arm 'one' with layer 1\.activation nothing"):
        run(study(arms=arms, contrasts=[]), MemoryStore(), backend)
    assert backend.trained == []


def test_every_report_says_what_was_tuned_and_what_was_not() -> None:
    arms = {name: arm.model_dump(exclude_none=True) for name, arm in study().arms.items()}
    arms["two"]["grid"] = {}
    outcome = run(study(arms=arms), MemoryStore(), contradicting())
    for format in ("html", "md", "latex"):
        said = render_report(outcome, format).replace("\\", "").replace("{[}", "[")
        assert "two was not tuned" in said
        assert "3 trainings of 2 epochs" in said
        assert "learning_rate 0.03" in said
        assert "90.00" in said
    found = {arm["name"]: arm["tuning"] for arm in as_json(outcome)["arms"]}
    assert found["two"] is None
    assert found["one"]["chosen"] == {"learning_rate": GOOD}
    assert (found["one"]["budget"], found["one"]["monitor"], found["one"]["epochs"]) == (3, "val_accuracy", 2)
    assert [(each["values"]["learning_rate"], each["mean"]) for each in found["one"]["tried"]] == [
        (0.01, 0.5),
        (GOOD, 0.9),
        (0.1, 0.5),
    ]
    assert any("two was not tuned, one was" in note for note in outcome.notes)


def test_what_was_tried_is_missed_where_another_tuning_took_its_place() -> None:
    store = MemoryStore()
    run_study(study(), store, contradicting(), Silent())
    other = Recording(contradicting(), cut_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(override(study(), epochs=1), store, other)
    outcome = open_results("tuned", store).outcome()
    assert chosen(outcome) == {}
    assert any("one was tuned, but its candidates are no longer stored" in note for note in outcome.notes)
    assert chosen(run(study(), store, contradicting())) == CHOSEN


def test_real_training_is_tuned_on_validation(engine: Engine) -> None:
    document = study(protocol={"epochs": 3, "batch_size": 50}, tuning={"validation_split": 0.2, "monitor": "val_loss"})
    document = override(document, seeds=1)
    arms = {"one": document.arms["one"].model_copy(update={"grid": {"learning_rate": (1e-6, 0.01)}})}
    document = StudyDocument.model_validate(
        document.model_dump(exclude_none=True) | {"arms": arms, "contrasts": [], "tuning": {"validation_split": 0.2}}
    )
    backend = Recording(InProcess(engine))
    outcome = run(document, MemoryStore(), backend)
    assert chosen(outcome) == {"one": {"learning_rate": 0.01}}
    candidate_jobs: list[TrainJob] = [job for job in backend.trained if job.kind is StudyKind.TUNING]
    assert len(candidate_jobs) == 2
    estimate = outcome.arm("one").estimates["test_accuracy"]
    assert estimate is not None
    assert estimate.mean > 0.7, "it was trained with the chosen rate"


def test_the_example_of_the_docs_is_a_study() -> None:
    document = load_study("examples/tuned.toml")
    assert document.tuned == ("plain", "momentum")
    assert document.tuning.budget == 6


def test_a_tuned_arm_is_not_taken_apart() -> None:
    from paribus.api.ablate import ablate_arm
    from paribus.api.study import Study

    with pytest.raises(UsageError, match="is tuned, and its variants would not be"):
        ablate_arm(Study.of(study()), "one", backend=FakeBackend(), progress=False)


def test_a_question_about_two_arms_is_told_that_only_one_was_tuned() -> None:
    arms = {name: arm.model_dump(exclude_none=True) for name, arm in study().arms.items()}
    arms["two"]["grid"] = {}
    store = MemoryStore()
    run_study(study(arms=arms), store, contradicting(), Silent())
    opened = open_results("tuned", store)
    remarks = opened.remarks(opened.scores(), "two", "one")
    assert remarks == ("two was not tuned, one was: a difference between them may come from the tuning alone.",)
    assert opened.remarks(opened.scores(), "one") == ()
