"""``--backend ray`` on a real cluster of two nodes: the bits of the local backend, whatever dies. Proofs all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digits_jobs import PLAIN, TWO_EPOCHS, arm, describe_job, train_job
from paribus.backends.base import Backend
from paribus.backends.local import LocalBackend
from paribus.backends.ray import RayBackend
from paribus.data import summarize
from paribus.records import Described, Ended, EpochDone, Event, Recipe, RunResult, Started, Status, TrainJob
from paribus.store.sqlite import SqliteStore
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.plan import list_jobs
from paribus.study.request import list_seeds
from ray_cluster import actor_processes, two_nodes

pytestmark = pytest.mark.proof

CONVNET = (
    {"Reshape": {"target_shape": [8, 8, 1]}},
    {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"MaxPooling2D": {}},
    {"Flatten": {}},
    {"Dense": {"units": 10, "activation": "softmax"}},
)
LSTM = ({"LSTM": {"units": 6}}, {"Dense": {"units": 10, "activation": "softmax"}})


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with two_nodes() as cluster:
        yield cluster.address


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    with LocalBackend(1) as local:
        return described(local, PLAIN)


def described(backend: Backend, layers: Any, **data: Any) -> Recipe:
    job = describe_job(arm(layers))
    (event,) = backend.run([replace(job, data=replace(job.data, **data))])
    assert isinstance(event, Described)
    return event.recipe


def results(events: Sequence[Event]) -> dict[str, RunResult]:
    ended = [event.result for event in events if isinstance(event, Ended)]
    assert len({result.fingerprint for result in ended}) == len(ended), "a job ends once"
    assert all(result.status is Status.FINISHED for result in ended)
    return {result.fingerprint: result for result in ended}


def same(left: dict[str, RunResult], right: dict[str, RunResult]) -> bool:
    def content(run: RunResult) -> object:
        return run.weights_digest, run.scores, run.curve, run.environment

    return {name: content(run) for name, run in left.items()} == {name: content(run) for name, run in right.items()}


def locally(jobs: Sequence[TrainJob]) -> dict[str, RunResult]:
    with LocalBackend(2) as local:
        return results(list(local.run(jobs)))


def test_the_study_digits(address: str) -> None:
    document = override(load_study("digits"), seeds=2)
    data = summarize(document.data.spec())
    with RayBackend(address) as backend:
        from paribus.runner.jobs import describe_arms
        from paribus.store.memory import MemoryStore

        recipes = describe_arms(document, data, MemoryStore(), backend)
        jobs = list_jobs(document, recipes, data, list_seeds(document))
        there = results(list(backend.run(jobs)))
    assert len(there) == 6
    assert same(there, locally(jobs))


@pytest.mark.parametrize(("name", "layers"), [("convnet", CONVNET), ("lstm", LSTM)])
def test_other_networks(address: str, name: str, layers: Any) -> None:
    """The digits as pictures, and their rows as sequences."""
    with RayBackend(address) as backend:
        recipe = described(backend, layers, flatten=False)
        base = train_job(recipe)
        data = replace(base.data, flatten=False)
        jobs = [train_job(recipe, seed, name=name, data=data) for seed in range(2)]
        there = results(list(backend.run(jobs)))
    assert len({run.weights_digest for run in there.values()}) == 2
    assert same(there, locally(jobs))


MANY = replace(TWO_EPOCHS, epochs=600)


def test_an_actor_is_killed(address: str, recipe: Recipe) -> None:
    jobs = [train_job(recipe, seed, MANY) for seed in range(4)]
    events: list[Event] = []
    with RayBackend(address) as backend:
        for event in backend.run(jobs):
            events.append(event)
            if isinstance(event, EpochDone) and not any(isinstance(event, EpochDone) for event in events[:-1]):
                os.kill(actor_processes()[0], signal.SIGKILL)
    assert [event for event in events if isinstance(event, Started) and event.attempt == 2]
    assert same(results(events), locally(jobs))


def test_a_node_is_killed(recipe: Recipe) -> None:
    jobs = [train_job(recipe, seed, MANY) for seed in range(4)]
    events: list[Event] = []
    with two_nodes() as cluster, RayBackend(cluster.address) as backend:
        killed = False
        for event in backend.run(jobs):
            events.append(event)
            busy = sum(isinstance(event, Started) for event in events)
            if isinstance(event, EpochDone) and busy == 2 and not killed:
                cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
                killed = True
    assert [event for event in events if isinstance(event, Started) and event.attempt == 2]
    assert same(results(events), locally(jobs))


def test_the_driver_is_killed_and_started_again(address: str, tmp_path: Path) -> None:
    """On the same cluster: what was stored stays, the rest has the bits it would have had."""
    command = [sys.executable, "-m", "paribus", "run", "digits", "--seeds", "6"]
    there, here = tmp_path / "there", tmp_path / "here"
    on_cluster = [*command, "--backend", "ray", "--address", address, "--store", str(there)]
    driver = subprocess.Popen(on_cluster, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(digests(there)) >= 2 or driver.poll() is not None)
    finally:
        driver.kill()
        driver.wait()
    stored = digests(there)
    assert 2 <= len(stored) < 18, "it was killed in the middle"
    again = subprocess.run(on_cluster, check=True, capture_output=True, text=True)
    assert f"{len(stored)} stored, {18 - len(stored)} to do" in again.stderr
    subprocess.run([*command, "--store", str(here)], check=True, capture_output=True)
    assert len(digests(here)) == 18
    assert digests(there) == digests(here)
    assert stored.items() <= digests(here).items()


def digests(folder: Path) -> dict[str, str | None]:
    if not (folder / "paribus.sqlite").exists():
        return {}
    with SqliteStore.open(folder) as store:
        study = store.study("digits")
        names = [run.fingerprint for arm in study.arms for run in arm.runs] if study else []
        return {name: run.weights_digest for name, run in store.runs(names).items()}


def wait_until(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
