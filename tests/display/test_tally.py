"""Counting what happens and estimating what is left, on a clock that the test turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits_jobs import DIGITS
from display_examples import Clock
from paribus.display.tally import FIXED_COST, Tally
from paribus.records import (
    Curve,
    Described,
    Ended,
    EpochDone,
    EpochReport,
    Event,
    Predictions,
    Recipe,
    RunResult,
    Seeds,
    Started,
    Status,
    Training,
    TrainJob,
)
from paribus.study.plan import RunPlan

SMALL, BIG = Recipe("small", "{}", 0, ()), Recipe("big", "{}", 3 * FIXED_COST, ())
EPOCHS = 4


def job(recipe: Recipe = SMALL, seed: int = 0) -> TrainJob:
    return TrainJob(f"{recipe.model}{seed}", recipe.model, Seeds.of(seed), recipe, Training("{}", EPOCHS, 10), DIGITS)


def epoch(of: TrainJob, number: int) -> EpochDone:
    return EpochDone(of, EpochReport(number, EPOCHS, 0.5, 0.9))


def ended(of: TrainJob, status: Status = Status.FINISHED) -> Ended:
    return Ended(of, RunResult(of.fingerprint, status, of.seeds, None, Curve((), ()), 1.0, None, None))


def tally(*jobs: TrainJob) -> tuple[Tally, Clock]:
    clock = Clock()
    return Tally(RunPlan(jobs, jobs), clock), clock


def test_nothing_is_known_before_the_first_epoch() -> None:
    counted, clock = tally(job())
    counted.count(Started(job()))
    clock.now += 50
    assert counted.seconds_left() is None
    assert counted.fraction() == 0.0
    assert (counted.total, counted.ended) == (1, {})


def test_epochs_take_as_long_as_those_before() -> None:
    counted, clock = tally(job())
    counted.count(Started(job()))
    for number, seconds in ((1, 2.0), (2, 4.0)):
        clock.now += seconds
        counted.count(epoch(job(), number))
    assert counted.seconds_left() == pytest.approx(2 * 4.0), "the first one may have compiled the network"
    assert counted.fraction() == pytest.approx(0.5)


def test_arms_not_yet_seen_are_priced_by_their_size() -> None:
    """The big network has four times the cost of the small one: 2 epochs of 2 s and 4 of 8 s, one worker."""
    counted, clock = tally(job(), job(BIG))
    counted.count(Started(job()))
    for number, seconds in ((1, 9), (2, 2)):
        clock.now += seconds
        counted.count(epoch(job(), number))
    assert counted.seconds_left() == pytest.approx(2 * 2 + 4 * 8)
    assert counted.fraction() == pytest.approx(2 / 20)


def test_a_first_epoch_that_compiles_gives_no_estimate() -> None:
    counted, clock = tally(*(job(seed=seed) for seed in range(100)))
    counted.count(Started(job()))
    clock.now += 30
    counted.count(epoch(job(), 1))
    assert counted.seconds_left() is None
    clock.now += 1
    counted.count(epoch(job(), 2))
    assert counted.seconds_left() == pytest.approx(2 + 99 * 4)


def test_runs_of_one_epoch_are_estimated_from_the_second_on() -> None:
    jobs = [replace(job(seed=seed), training=replace(job().training, epochs=1)) for seed in range(10)]
    counted, clock = tally(*jobs)
    for done, seconds in enumerate((30, 2)):
        counted.count(Started(jobs[done]))
        clock.now += seconds
        counted.count(EpochDone(jobs[done], EpochReport(1, 1, 0.5, 0.9)))
        counted.count(ended(jobs[done]))
        assert counted.seconds_left() == (None if done == 0 else pytest.approx(8 * 2))


def test_an_arm_that_has_been_seen_is_priced_by_itself() -> None:
    counted, clock = tally(job(), job(BIG))
    counted.count(Started(job()))
    counted.count(Started(job(BIG)))
    for number in (1, 2):
        clock.now += 2
        counted.count(epoch(job(), number))
        clock.now += 1
        counted.count(epoch(job(BIG), number))
    assert counted.seconds_left() == pytest.approx((2 * 3 + 2 * 3) / 2), "two workers are busy"


def test_a_run_that_is_tried_again_starts_from_nothing() -> None:
    counted, clock = tally(job())
    counted.count(Started(job()))
    for number in (1, 2):
        clock.now += 2
        counted.count(epoch(job(), number))
    clock.now += 30
    counted.count(Started(job(), attempt=2))
    assert counted.running[job().fingerprint].attempt == 2
    assert counted.fraction() == 0.0
    assert counted.seconds_left() == pytest.approx(4 * 2)
    for number in (1, 2):
        clock.now += 4
        counted.count(epoch(job(), number))
    assert counted.seconds_left() == pytest.approx(2 * 3), "the time that a dead worker took is nobody's epoch"


def test_a_run_that_ends_early_has_nothing_left() -> None:
    counted, clock = tally(job(), job(seed=1))
    counted.count(Started(job()))
    for number in (1, 2):
        clock.now += 2
        counted.count(epoch(job(), number))
    counted.count(ended(job(), Status.DIVERGED))
    assert counted.running == {}
    assert counted.fraction() == pytest.approx(0.5)
    assert counted.seconds_left() == pytest.approx(4 * 2)


def test_only_failures_are_failures() -> None:
    counted, _ = tally(*(job(seed=seed) for seed in range(3)))
    for seed, status in enumerate(Status):
        counted.count(ended(job(seed=seed), status))
    assert counted.failed() == 1
    assert len(counted.ended) == counted.total == 3


def test_the_arrays_of_a_run_are_not_kept() -> None:
    """A study's weights need not fit into memory."""
    counted, _ = tally(job())
    answers = Predictions(np.zeros(2, np.int32), np.ones(2, np.float32), np.ones(2, np.float32))
    result = replace(ended(job()).result, weights={"kernel": np.ones(3)}, predictions=answers)
    counted.count(Ended(job(), result))
    (kept,) = counted.ended.values()
    assert (kept.fingerprint, kept.weights, kept.predictions) == (result.fingerprint, None, None)


def test_an_empty_plan_is_done() -> None:
    counted, _ = tally()
    assert (counted.fraction(), counted.seconds_left()) == (1.0, None)


def test_arms_are_described_without_being_counted() -> None:
    counted, _ = tally(job())
    counted.count(Described("small", SMALL))
    assert (counted.running, counted.ended) == ({}, {})


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[TrainJob], list[tuple[float, Event]]]:
    """A study as a backend may tell it: runs interleaved on some workers, some tried again, some ending early."""
    jobs = [job(recipe, seed) for recipe in (SMALL, BIG) for seed in range(draw(st.integers(0, 3)))]
    waiting, running, story = list(draw(st.permutations(jobs))), {}, []
    workers = draw(st.integers(1, 3))

    def tell(event: Event) -> None:
        story.append((draw(st.floats(0, 100)), event))

    while waiting or running:
        if waiting and len(running) < workers:
            taken = waiting.pop()
            running[taken] = 0
            tell(Started(taken))
            continue
        one = draw(st.sampled_from(sorted(running, key=str)))
        match draw(st.sampled_from(["epoch"] * 6 + ["again", "end"])):
            case "again":
                running[one] = 0
                tell(Started(one, attempt=2))
            case "epoch" if running[one] < EPOCHS:
                running[one] += 1
                tell(epoch(one, running[one]))
            case _:
                del running[one]
                tell(ended(one))
    return jobs, story


@given(stories())
def test_laws(told: tuple[list[TrainJob], list[tuple[float, Event]]]) -> None:
    """The share done stays in [0, 1] and falls only when a run starts again; in the end all is done."""
    jobs, story = told
    counted, clock = tally(*jobs)
    before = counted.fraction()
    for seconds, event in story:
        clock.now += seconds
        counted.count(event)
        fraction, left = counted.fraction(), counted.seconds_left()
        assert 0.0 <= fraction <= 1.0
        assert fraction >= before or (isinstance(event, Started) and event.attempt > 1)
        assert left is None or left >= 0.0
        assert not counted.running.keys() & counted.ended.keys()
        before = fraction
    assert counted.fraction() == 1.0
    assert not counted.seconds_left()
    assert len(counted.ended) == counted.total


@given(stories(), st.floats(0.5, 20))
def test_a_slower_machine_has_proportionally_more_left(
    told: tuple[list[TrainJob], list[tuple[float, Event]]], factor: float
) -> None:
    jobs, story = told
    (normal, clock), (slow, slow_clock) = tally(*jobs), tally(*jobs)
    clock.now = slow_clock.now = 0.0
    for seconds, event in story:
        clock.now += seconds
        slow_clock.now += factor * seconds
        normal.count(event)
        slow.count(event)
        left = normal.seconds_left()
        assert slow.seconds_left() == (None if left is None else pytest.approx(factor * left, abs=1e-6))
