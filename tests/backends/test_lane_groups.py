"""Groups of runs on workers with lanes: nothing is lost and nothing counted twice, whatever happens to the worker."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import command_line
from digits_jobs import DIGITS, DROPOUT, TWO_EPOCHS, arm, describe_job, train_job
from paribus.backends import process
from paribus.backends.local import LocalBackend
from paribus.engine.engine import Engine
from paribus.errors import UsageError
from paribus.records import (
    DescribeJob,
    Ended,
    EpochDone,
    Event,
    Interrupted,
    Recipe,
    Seeds,
    Started,
    Status,
    Training,
    TrainJob,
)
from processes import own_workers

TRAINING = Training("{}", 4, 10)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBackend]:
    """One worker with three lanes, which does what the arms' names say and imports neither Keras nor JAX."""
    monkeypatch.setattr(process, "MODULE", "stub_worker")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    with LocalBackend(1, kills=lambda: 0, lanes=3) as started:
        yield started


def job(how: str, seed: int = 0, model: str = "{}") -> TrainJob:
    return TrainJob(f"{how}{seed}", how, Seeds.of(seed), Recipe(model, "{}", 1, ()), TRAINING, DIGITS)


def attempts(events: list[Event]) -> dict[int, int]:
    """How often each seed was started."""
    return dict(Counter(event.job.seeds.init for event in events if isinstance(event, Started)))


def ends(events: list[Event]) -> list[tuple[int, Status]]:
    return sorted((event.job.seeds.init, event.result.status) for event in events if isinstance(event, Ended))


def test_what_of_a_group_had_not_ended_is_tried_again(backend: LocalBackend, tmp_path: Path) -> None:
    """The worker dies under the second of three runs; the fourth is in the group of the second attempt."""
    jobs = [job("fine", 0), job(f"crash@{tmp_path}", 1), job("fine", 2), job("fine", 3), job("fine", 4)]
    events = list(backend.run([*jobs, DescribeJob("fine", "{}", DIGITS, TRAINING)]))
    assert ends(events) == [(seed, Status.FINISHED) for seed in range(5)]
    assert attempts(events) == {0: 1, 1: 2, 2: 2, 3: 1, 4: 1}
    again = [event.job.seeds.init for event in events if isinstance(event, Started)]
    assert again == [0, 1, 2, 1, 2, 3, 4]


def test_a_run_that_always_kills_its_worker_takes_nobody_along(backend: LocalBackend) -> None:
    """Those behind it in its group are tried as often as it is, the last time alone."""
    events = list(backend.run([job("fine", 0), job("memory", 1), job("fine", 2), job("fine", 3), job("fine", 4)]))
    assert ends(events) == [(seed, Status.FAILED if seed == 1 else Status.FINISHED) for seed in range(5)]
    assert attempts(events)[1] == 3
    assert max(attempts(events).values()) == 3
    (reason,) = (event.result.reason for event in events if isinstance(event, Ended) and event.job.seeds.init == 1)
    assert reason == "its worker died 3 times, at last: out of memory (MemoryError: too much)"


@pytest.mark.parametrize(("told", "goes_on"), [(2, True), (1, False)])
def test_interrupted_a_group_ends_or_is_stopped_as_one(
    backend: LocalBackend, tmp_path: Path, told: int, goes_on: bool
) -> None:
    """Three runs in lanes, of 4 epochs; a fourth waits."""
    go = tmp_path / "go"
    group = [job("epochs", told * 10 + number, str(go)) for number in range(3)]
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - events come while it runs
        for event in backend.run([*group, job("epochs", 99, str(go))]):
            events.append(event)
            if isinstance(event, EpochDone) and event.report.epoch == told and not go.exists():
                os.kill(os.getpid(), signal.SIGINT)
            if isinstance(event, Interrupted):
                go.touch()
    (interrupted,) = (event for event in events if isinstance(event, Interrupted))
    assert (interrupted.finishing, interrupted.stopped) == ((tuple(group), ()) if goes_on else ((), tuple(group)))
    assert [seed for seed, _ in ends(events)] == [each.seeds.init for each in group if goes_on]


@pytest.mark.parametrize("lanes", [0, -1])
def test_fewer_than_one_lane(lanes: int) -> None:
    with pytest.raises(UsageError, match=f"{lanes} lanes: at least 1 is needed"):
        LocalBackend(1, lanes=lanes)


def test_a_killed_worker_of_a_group_costs_nothing_but_time(engine: Engine) -> None:
    """In earnest: two groups of three lanes, the second one padded; the worker is killed in the first one."""
    recipe = engine.describe(describe_job(arm(DROPOUT)))
    # Long enough that the first group still trains when its first epoch is heard of, on a busy core, too.
    long = replace(TWO_EPOCHS, epochs=40)
    jobs = [train_job(recipe, seed, long) for seed in range(4)]
    events: list[Event] = []
    killed = False
    before = own_workers()
    with LocalBackend(1, lanes=3) as backend, closing(backend.run(jobs)) as running:
        for event in running:
            events.append(event)
            if isinstance(event, EpochDone) and not killed:
                (pid,) = set(own_workers()) - set(before)
                os.kill(pid, signal.SIGKILL)
                killed = True
    assert attempts(events) == {0: 2, 1: 2, 2: 2, 3: 1}
    results = {event.job: event.result for event in events if isinstance(event, Ended)}
    assert sum(isinstance(event, Ended) for event in events) == 4
    assert {job: run.weights_digest for job, run in results.items()} == {
        job: engine.run(job).weights_digest for job in jobs
    }


def test_the_command_line_has_lanes_and_their_answers_are_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, devices = {}, {}
    for lanes in (1, 4):
        store = ("--store", tmp_path / str(lanes))
        asked = ("digits", "--arm", "small", "--seeds", 3, "--epochs", 2, "--workers", 1, "--json", *store)
        said = command_line.call(capsys, monkeypatch, "run", *asked, "--lanes", lanes)
        assert said.code == 0, said.err
        (found,) = json.loads(said.out)["arms"]
        answers[lanes] = [(run["weights_digest"], run["test_accuracy"], run["train_loss"]) for run in found["runs"]]
        shown = command_line.call(capsys, monkeypatch, "show", "digits/small/2", *store).out
        devices[lanes] = [line.split(maxsplit=1)[1].strip() for line in shown.splitlines() if "device" in line]
    assert answers[1] == answers[4]
    assert devices == {1: ["cpu:cpu"], 4: ["cpu:cpu, 4 lanes"]}
