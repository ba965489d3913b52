"""What every backend promises, and what the local one does when processes die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from digits_jobs import DIGITS, PLAIN, TWO_EPOCHS, WIDER, arm, describe_job, train_job
from paribus.backends import process
from paribus.backends.base import Backend
from paribus.backends.fake import FakeBackend
from paribus.backends.local import LocalBackend
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.errors import DataError, UnknownNameError, UsageError
from paribus.machine import list_cores
from paribus.records import (
    DataSpec,
    DataSummary,
    Described,
    Ended,
    EpochDone,
    Event,
    Job,
    Recipe,
    Refused,
    Seeds,
    Started,
    Status,
    TrainJob,
)
from paribus.runner.run import run_study
from paribus.runner.start import start_workers
from paribus.store.memory import MemoryStore
from paribus.study.document import Arm
from paribus.study.load import load_study
from paribus.study.overrides import override
from processes import STUB, WORKER, alive, gone, own_workers, workers_of
from ray_cluster import two_nodes

MANY_EPOCHS = replace(TWO_EPOCHS, epochs=400)


@pytest.fixture(scope="module")
def local() -> Iterator[LocalBackend]:
    """Two workers, shared by the tests that leave them as they were."""
    with LocalBackend(2) as backend:
        yield backend


@pytest.fixture(scope="module")
def cluster() -> Iterator[Backend]:
    """A worker on each of two nodes, shared like ``local``."""
    with two_nodes() as nodes:
        from paribus.backends.ray import RayBackend

        with RayBackend(nodes.address) as backend:
            yield backend


RAY = pytest.param("cluster", marks=pytest.mark.proof)
"""Where Ray is installed: ``make ray-test``. The driver's side is in ``test_ray_backend.py``, without it."""


@pytest.fixture(params=["local", "fake", RAY])
def backend(request: pytest.FixtureRequest) -> Backend:
    return FakeBackend() if request.param == "fake" else request.getfixturevalue(request.param)


@pytest.fixture(params=["local", RAY])
def training(request: pytest.FixtureRequest) -> Backend:
    """Those that train."""
    trains: Backend = request.getfixturevalue(request.param)
    return trains


@pytest.fixture(scope="module")
def recipe(engine: Engine) -> Recipe:
    return engine.describe(describe_job(arm(PLAIN)))


def only(event: Event) -> Ended:
    assert isinstance(event, Ended)
    return event


# The contract


def test_every_job_ends_in_exactly_one_event_and_events_come_in_order(backend: Backend, recipe: Recipe) -> None:
    jobs: list[Job] = [train_job(recipe, seed, name="arm") for seed in range(3)]
    jobs += [describe_job(arm(PLAIN), "plain"), describe_job(arm(WIDER), "wider")]
    events = list(backend.run(jobs))
    assert sorted(e.arm for e in events if isinstance(e, Described)) == ["plain", "wider"]
    assert len(events) == 2 + 3 * (1 + TWO_EPOCHS.epochs + 1)
    for job in jobs[:3]:
        mine = [event for event in events if not isinstance(event, (Described, Refused)) and event.job == job]
        first, *epochs, last = mine
        assert isinstance(first, Started)
        assert first.attempt == 1
        assert isinstance(last, Ended)
        reports = [event.report for event in epochs if isinstance(event, EpochDone)]
        assert [(r.epoch, r.epochs) for r in reports] == [(1, 2), (2, 2)]
        curve = last.result.curve
        assert [(r.fit_loss, r.fit_accuracy) for r in reports] == list(
            zip(curve.fit_loss, curve.fit_accuracy, strict=True)
        )


def test_a_result_belongs_to_its_job(backend: Backend, recipe: Recipe) -> None:
    job = train_job(recipe, Seeds(1, 2, 3))
    result = only(list(backend.run([job]))[-1]).result
    assert (result.fingerprint, result.seeds, result.status) == (job.fingerprint, job.seeds, Status.FINISHED)
    assert result.scores is not None
    assert result.predictions is not None
    assert result.predictions.predicted.shape == (450,)
    assert result.weights is not None
    assert len(result.weights_digest or "") == 64
    assert result.scores.fit_accuracy == result.curve.fit_accuracy[-1]


def test_the_same_jobs_again_and_in_another_order_give_the_same(backend: Backend, recipe: Recipe) -> None:
    jobs = [train_job(recipe, seed) for seed in range(3)]

    def results(of: list[TrainJob]) -> dict[str, object]:
        ended = [event.result for event in backend.run(of) if isinstance(event, Ended)]
        return {result.fingerprint: (result.weights_digest, result.scores, result.curve) for result in ended}

    first = results(jobs)
    assert len({digest for digest, *_ in first.values()}) == 3
    assert results(jobs[::-1]) == first
    assert results(jobs[1:2]) == {jobs[1].fingerprint: first[jobs[1].fingerprint]}


def test_no_jobs_no_events(backend: Backend) -> None:
    assert list(backend.run([])) == []


def test_data_that_is_not_there_is_the_drivers_error(backend: Backend, recipe: Recipe, tmp_path: Path) -> None:
    job = train_job(recipe)
    with pytest.raises(UnknownNameError, match="data 'digitz': no such name"):
        list(backend.run([replace(job, data=replace(DIGITS, source="digitz"))]))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no zip file")
    with pytest.raises(DataError, match=r"broken\.npz"):
        list(backend.run([replace(job, data=DataSpec(str(broken)))]))
    assert only(list(backend.run([job]))[-1]).result.status is Status.FINISHED, "the backend goes on"


def test_closing_the_iterator_stops_what_runs(backend: Backend, recipe: Recipe) -> None:
    jobs = [train_job(recipe, seed, MANY_EPOCHS) for seed in range(4)]
    with closing(backend.run(jobs)) as events:
        for event in events:
            if isinstance(event, EpochDone):
                break
    job = train_job(recipe)
    assert only(list(backend.run([job]))[-1]).job == job, "nothing of the jobs before is left over"


# Only some train


def test_real_workers_and_this_process_give_the_same_bits(training: Backend, engine: Engine, recipe: Recipe) -> None:
    job = train_job(recipe, 5)
    here, there = engine.run(job), only(list(training.run([job]))[-1]).result
    assert there.weights_digest == here.weights_digest
    assert (there.scores, there.curve) == (here.scores, here.curve)
    assert there.environment == here.environment, "a worker says the same of itself as this process"


def test_an_arm_that_keras_refuses(training: Backend) -> None:
    bad = arm([{"Dense": {"units": 7, "activation": "relo"}}, {"Dens": {}}])
    (event,) = training.run([describe_job(bad, "bad")])
    assert isinstance(event, Refused)
    assert [place for place, _ in event.mistakes] == ["arm 'bad', layer 1 (Dense)", "arm 'bad', layer 2"]


def test_a_run_that_raises_is_failed_with_its_reason(training: Backend, recipe: Recipe) -> None:
    """An error that nobody foresaw: a recipe whose optimizer is none."""
    job = replace(train_job(recipe), recipe=replace(recipe, optimizer='{"class_name":"Nobody","config":{}}'))
    result = only(list(training.run([job]))[-1]).result
    assert (result.status, result.scores, result.weights_digest) == (Status.FAILED, None, None)
    assert "Nobody" in (result.reason or "")
    assert "\n" not in (result.reason or "")
    assert only(list(training.run([train_job(recipe)]))[-1]).result.status is Status.FINISHED, "the worker lives on"


def test_workers_are_reused_and_no_more_than_asked_for(local: LocalBackend, recipe: Recipe) -> None:
    list(local.run([train_job(recipe, seed) for seed in range(4)]))
    before = own_workers()
    list(local.run([train_job(recipe, seed) for seed in range(4)]))
    assert own_workers() == before
    assert len(before) == 2


def test_warm_workers_take_the_jobs_that_they_were_started_for(recipe: Recipe) -> None:
    before = set(own_workers())
    with LocalBackend(2) as backend:
        backend.warm_up(1)
        started = set(own_workers()) - before
        assert len(started) == 1, "no more than there are jobs"
        assert [e.result.status for e in backend.run([train_job(recipe)]) if isinstance(e, Ended)] == [Status.FINISHED]
        assert set(own_workers()) - before == started
        backend.warm_up(5)
        assert len(set(own_workers()) - before) == 2, "no more than there may be workers"


def test_only_a_study_that_is_not_stored_yet_has_workers_start_early() -> None:
    asked: list[int] = []

    class Counting(FakeBackend):
        def warm_up(self, jobs: int) -> None:
            asked.append(jobs)

    document = override(load_study("digits"), seeds=4, epochs=1)
    arms = {**document.arms, "forest": Arm(estimator={"RandomForestClassifier": {}})}
    document = document.model_copy(update={"arms": arms})
    store = MemoryStore()
    start_workers(document, store, Counting())
    assert asked == [4 * (len(arms) - 1)], "estimators need no Keras"
    document = document.model_copy(update={"arms": {k: v for k, v in arms.items() if k != "forest"}})
    run_study(document, store, FakeBackend(), Silent())
    start_workers(document, store, Counting())
    assert len(asked) == 1


@pytest.mark.skipif(len(list_cores()) < 2, reason="one core is not shared out")
def test_a_few_runs_more_than_cores_share_them(engine: Engine, recipe: Recipe) -> None:
    """One worker for each of them, bound to no core; the bits are those of a run alone."""
    places = {core.number for core in list_cores()}
    costly = replace(recipe, parameters=10_000_000)
    jobs = [train_job(costly, seed) for seed in range(len(places) + 1)]
    before = set(own_workers())
    with LocalBackend() as backend:
        list(backend.run([describe_job(arm(PLAIN))]))
        assert len(set(own_workers()) - before) == 1
        backend.sized(DataSummary("digits", "", 60_000, 1, (64,), 10))
        results = [only(event).result for event in backend.run(jobs) if isinstance(event, Ended)]
        workers = set(own_workers()) - before
        assert len(workers) == len(jobs)
        for task in (task for pid in workers for task in Path(f"/proc/{pid}/task").iterdir()):
            assert os.sched_getaffinity(int(task.name)) == places
        list(backend.run(jobs[:1]))
        for pid in set(own_workers()) - before:
            assert len(os.sched_getaffinity(pid)) == 1, "each has a core again"
    expected = {engine.run(job).weights_digest for job in jobs}
    assert {result.weights_digest for result in results} == expected


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker(workers: int) -> None:
    with pytest.raises(UsageError, match=f"{workers} workers: at least 1 is needed"):
        LocalBackend(workers)


# When processes die


def test_a_killed_worker_costs_nothing_but_time(engine: Engine, recipe: Recipe) -> None:
    """Killed in the middle of a run: the run starts again on a new worker and has the same bits."""
    job = train_job(recipe, 5, MANY_EPOCHS)
    events: list[Event] = []
    before = own_workers()
    with LocalBackend(1) as backend, closing(backend.run([job])) as running:
        for event in running:
            events.append(event)
            if isinstance(event, EpochDone) and len(events) == 2:
                (pid,) = set(own_workers()) - set(before)
                os.kill(pid, signal.SIGKILL)
    attempts = [event.attempt for event in events if isinstance(event, Started)]
    assert attempts == [1, 2]
    result = only(events[-1]).result
    assert result.status is Status.FINISHED
    assert result.weights_digest == engine.run(job).weights_digest
    assert sum(isinstance(event, Ended) for event in events) == 1
    (again,) = (i for i, event in enumerate(events) if isinstance(event, Started) and event.attempt == 2)
    assert [e.report.epoch for e in events[again:] if isinstance(e, EpochDone)] == list(range(1, 401)), "from its start"


def test_a_worker_that_died_while_idle_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens to an idle worker: that it is gone comes out with the next job, and costs one attempt."""
    monkeypatch.setattr(process, "MODULE", "stub_worker")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    nothing = Recipe("{}", "{}", 1, ())
    wanted = [train_job(nothing, name="fine"), replace(describe_job(arm()), arm="fine")]
    with LocalBackend(1) as backend:
        list(backend.run(wanted[:1]))
        for job in wanted:
            (pid,) = own_workers(STUB)
            os.kill(pid, signal.SIGTERM)
            last = list(backend.run([job]))[-1]
            assert isinstance(last, Described) or only(last).result.status is Status.FINISHED
            assert pid not in own_workers(STUB)
    assert own_workers(STUB) == []


def test_closing_leaves_no_process_behind(recipe: Recipe) -> None:
    before = set(own_workers())
    backend = LocalBackend(2)
    running = backend.run([train_job(recipe, seed, MANY_EPOCHS) for seed in range(3)])
    assert isinstance(next(running), Started)
    assert isinstance(next(running), Started)
    pids = list(set(own_workers()) - before)
    assert len(pids) == 2
    running.close()
    assert alive(pids) == [], "what was busy is stopped at once"
    list(backend.run([train_job(recipe)]))
    pids = list(set(own_workers()) - before)
    assert len(pids) == 1
    backend.close()
    assert alive(pids) == []
    backend.close()


DRIVER = """
from digits_jobs import SOFTMAX, TWO_EPOCHS, arm, describe_job, train_job
from paribus.backends.local import LocalBackend
from dataclasses import replace
if __name__ == "__main__":
    wide = {"Dense": {"units": 6000, "activation": "relu"}}
    backend = LocalBackend(1)
    (described,) = backend.run([describe_job(arm((wide, wide, SOFTMAX), "SGD"))])
    for event in backend.run([train_job(described.recipe, 0, replace(TWO_EPOCHS, batch_size=1))]):
        print(type(event).__name__, flush=True)
"""


def test_workers_do_not_outlive_a_driver_that_is_killed(tmp_path: Path) -> None:
    """Not even in the middle of an epoch that would take minutes, in which a worker neither listens nor speaks."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER, encoding="utf-8")
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    }
    driver = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert driver.stdout is not None
        assert driver.stdout.readline().strip() == "Started"
        pids = workers_of(driver.pid)
        assert len(pids) == 1
    finally:
        driver.kill()
        driver.communicate()
    assert gone(pids)


def test_what_a_worker_is_called() -> None:
    """The tests above find workers by this name."""
    assert process.MODULE.encode() == WORKER


@pytest.mark.parametrize(("split", "left"), [(0.9999, "0 to train on and 1347"), (1e-17, "1347 to train on and 0")])
def test_a_validation_split_that_leaves_nothing(engine: Engine, split: float, left: str) -> None:
    job = describe_job(arm(PLAIN), training=replace(TWO_EPOCHS, validation_split=split))
    with pytest.raises(UsageError, match=rf"of the 1347 training examples of digits it leaves {left} to validate on"):
        engine.describe(job)
