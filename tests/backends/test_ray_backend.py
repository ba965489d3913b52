"""The driver's side of ``--backend ray``, over a stand-in for Ray: its worker processes are real, without Keras."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digits_jobs import DIGITS
from fake_ray import FakeRay, OutOfMemoryError
from paribus.backends import node, ray
from paribus.backends.choose import BackendChoice, make_backend
from paribus.backends.core_claims import claim_core
from paribus.backends.pool import MAX_ATTEMPTS
from paribus.backends.ray import RayBackend
from paribus.backends.ray_worker import RayWorker
from paribus.backends.worker import Raised
from paribus.errors import BackendError, UnknownNameError, UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Core
from paribus.records import Described, DescribeJob, Ended, EpochDone, Event, Interrupted, Started, Status
from stub_jobs import TRAINING, job


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRay:
    """Two nodes of two cores each."""
    fake = FakeRay(a=2, b=2)
    monkeypatch.setattr(ray, "_import_ray", lambda: fake)
    monkeypatch.setattr(ray, "LOOK_AGAIN", 0.05)
    monkeypatch.setattr(node, "list_cores", lambda: tuple(map(Core, range(4))))
    monkeypatch.setattr(node, "claim_core", lambda cores: claim_core(cores, folder=tmp_path / "cores"))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a token")
    monkeypatch.setenv("RAY_worker_niceness", "5")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    return fake


@pytest.fixture
def backend(cluster: FakeRay) -> Iterator[RayBackend]:
    with RayBackend("somewhere:6379", module="stub_worker") as made:
        yield made
    assert cluster.joined is None
    assert not cluster.actors


def ended(events: list[Event]) -> dict[str, Ended]:
    found = [event for event in events if isinstance(event, Ended)]
    assert len({event.job for event in found}) == len(found), "a job ends once"
    return {event.job.fingerprint: event for event in found}


def deaths(events: list[Event]) -> list[str | None]:
    return [event.death for event in events if isinstance(event, Started) and event.attempt > 1]


def test_all_jobs_end_on_workers_of_all_nodes(backend: RayBackend, cluster: FakeRay) -> None:
    jobs = [job("fine", seed) for seed in range(12)]
    events = list(backend.run([*jobs, DescribeJob("fine", "{}", DIGITS, TRAINING)]))
    assert ended(events).keys() == {j.fingerprint for j in jobs}
    assert [event.arm for event in events if isinstance(event, Described)] == ["fine"]
    assert all(event.result.status is Status.FINISHED for event in ended(events).values())
    assert sorted(actor.node for actor in cluster.actors) == ["a", "a", "b", "b"]
    claims = [actor.instance._claim.core for actor in cluster.actors if actor.instance._claim]
    assert len(set(claims)) == len(claims), "no two on one core"


def test_epochs_come_in_order_before_their_end(backend: RayBackend, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.touch()
    events = list(backend.run([job("epochs", 5, model=str(go))]))
    assert [event.report.epoch for event in events if isinstance(event, EpochDone)] == [1, 2, 3, 4, 5]
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Ended)


def test_at_most_as_many_workers_as_were_asked_for(cluster: FakeRay) -> None:
    with RayBackend("somewhere:6379", workers=3, module="stub_worker") as backend:
        backend.warm_up(10)
        list(backend.run([job("fine", seed) for seed in range(8)]))
        assert len(cluster.actors) == 3


WAYS = {"crash": "killed by SIGSEGV (this is the end) on ", "memory": "out of memory (MemoryError: too much) on "}


@pytest.mark.parametrize(("how", "words"), WAYS.items())
def test_a_run_whose_worker_dies_is_tried_again(
    backend: RayBackend, cluster: FakeRay, tmp_path: Path, how: str, words: str
) -> None:
    events = list(backend.run([job(f"{how}@{tmp_path}"), job("fine", 1), job("fine", 2)]))
    assert {end.result.status for end in ended(events).values()} == {Status.FINISHED}
    (death,) = deaths(events)
    assert death is not None
    assert death.startswith(words)
    assert death.removeprefix(words) in {"a", "b"}


def test_after_so_many_attempts_it_has_failed(backend: RayBackend) -> None:
    results = {name: end.result for name, end in ended(list(backend.run([job("crash"), job("fine", 1)]))).items()}
    assert results["fine1"].status is Status.FINISHED
    assert results["crash0"].status is Status.FAILED
    assert (results["crash0"].reason or "").startswith(f"its worker died {MAX_ATTEMPTS} times, at last: killed by SIG")


def test_want_of_memory_leaves_fewer_workers_on_that_node_alone(cluster: FakeRay) -> None:
    cluster.cpus = {"a": 4}
    with RayBackend("somewhere:6379", module="stub_worker") as backend:
        list(backend.run([job("fine", seed) for seed in range(4)]))
        list(backend.run([job("memory")]))
        cluster.cpus["b"] = 2
        time.sleep(0.1)
        list(backend.run([job("fine", seed) for seed in range(8)]))
        nodes = [actor.node for actor in cluster.actors]
    assert nodes.count("a") == 1
    assert nodes.count("b") == 2


def test_a_node_that_is_lost_costs_nothing_but_time(backend: RayBackend, cluster: FakeRay, tmp_path: Path) -> None:
    go = tmp_path / "go"
    jobs = [job("epochs", seed, model=str(go)) for seed in (1, 2, 3, 4)]
    events: list[Event] = []
    for event in backend.run(jobs):
        events.append(event)
        if isinstance(event, EpochDone) and "b" in cluster.cpus:
            cluster.lose("b")
            go.touch()
    assert {end.result.status for end in ended(events).values()} == {Status.FINISHED}
    assert len(ended(events)) == 4
    assert deaths(events)
    assert all("its node has died" in (death or "") for death in deaths(events))


def test_a_node_that_joins_is_used(backend: RayBackend, cluster: FakeRay, tmp_path: Path) -> None:
    cluster.cpus = {"a": 1}
    go = tmp_path / "go"
    events: list[Event] = []
    for event in backend.run([job("epochs", seed, model=str(go)) for seed in (1, 2)]):
        events.append(event)
        if isinstance(event, EpochDone):
            cluster.cpus["b"] = 1
            if sum(isinstance(event, Started) for event in events) == 2:
                go.touch()
    assert len(ended(events)) == 2


def test_a_node_low_on_memory_gets_fewer_workers(backend: RayBackend, cluster: FakeRay, tmp_path: Path) -> None:
    """Ray itself ends actors of a node that is low on memory."""
    go = tmp_path / "go"
    events: list[Event] = []
    for event in backend.run([job("epochs", seed, model=str(go)) for seed in (1, 2)]):
        events.append(event)
        if isinstance(event, EpochDone) and not go.exists():
            actor = cluster.actors.pop(0)
            actor.die(OutOfMemoryError("Task was killed due to the node running low on memory."))
            go.touch()
    assert len(ended(events)) == 2
    assert [death for death in deaths(events) if death and "low on memory" in death]


def test_interrupted_once_what_is_nearly_done_ends(backend: RayBackend, tmp_path: Path) -> None:
    go = tmp_path / "go"
    jobs = [job("epochs", 2, model=str(go)), job("epochs", 1, model=str(go))]
    events: list[Event] = []

    def interrupt() -> None:
        for event in backend.run(jobs):
            events.append(event)
            if sum(isinstance(event, EpochDone) for event in events) == 3 and not go.exists():
                os.kill(os.getpid(), signal.SIGINT)
                go.touch()

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert sum(isinstance(event, Interrupted) for event in events) == 1
    assert set(ended(events)) <= {j.fingerprint for j in jobs}


def test_a_node_without_a_worker_is_left_out_and_without_any_other_it_is_an_error(
    cluster: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> None:
        raise RuntimeError("No module named 'paribus'")

    monkeypatch.setattr(node.NodeWorker, "start", broken)
    with (
        RayBackend("somewhere:6379", module="stub_worker") as backend,
        pytest.raises(BackendError, match=r"no worker starts on any node of the Ray cluster, at last: .*'paribus'"),
    ):
        list(backend.run([job("fine")]))


def test_no_node_that_could_compute(cluster: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.cpus = {"head": 0}
    monkeypatch.setattr(ray, "PATIENCE", 0.2)
    with (
        RayBackend("somewhere:6379", module="stub_worker") as backend,
        pytest.raises(BackendError, match=r"no node of the Ray cluster has had a CPU for 0 s"),
    ):
        list(backend.run([job("fine")]))


def test_other_versions_are_refused(cluster: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = node.read_versions()
    assert {"paribus", "Python", "keras", "jax", "jaxlib", "numpy"} <= versions.keys()
    monkeypatch.setattr(node, "read_versions", lambda: {**versions, "keras": "3.0.0"})
    with (
        RayBackend("somewhere:6379", module="stub_worker") as backend,
        pytest.raises(BackendError, match=rf"node [ab]: keras 3\.0\.0 instead of {versions['keras']}: other versions"),
    ):
        list(backend.run([job("fine")]))


def test_an_error_about_data_names_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    class Process:
        def listen(self) -> tuple[Raised, ...]:
            return (Raised(UnknownNameError("data '/x': no such name")),)

    (message,) = node.NodeWorker._hear(Process(), (job("fine"),))  # type: ignore[arg-type]
    assert isinstance(message, Raised)
    assert type(message.error) is UnknownNameError
    assert str(message.error).startswith("data '/x': no such name (on node ")


def test_the_cluster_that_is_joined(
    cluster: FakeRay, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def address(**arguments: str) -> str:
        with RayBackend(**arguments, module="stub_worker") as backend:
            backend.warm_up(0)
            assert cluster.joined is not None
            return str(cluster.joined["address"])

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert address(address="host:6379") == "host:6379"
    assert capsys.readouterr().err == "", "authentication is on"
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert address(address="host:6379") == "host:6379"
    assert "is used without token authentication" in capsys.readouterr().err
    monkeypatch.setenv("RAY_ADDRESS", "other:6379")
    assert address() == "other:6379"
    monkeypatch.delenv("RAY_ADDRESS")
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.delenv("RAY_worker_niceness")
    assert address() == "local", "never the cluster of somebody else on this machine"
    assert os.environ.pop("RAY_AUTH_MODE") == "token"
    assert len(os.environ.pop("RAY_AUTH_TOKEN")) == 64
    assert os.environ.pop("RAY_worker_niceness") == "0", "its workers come before nobody and behind nobody"
    with pytest.raises(BackendError, match=r"Ray cluster nowhere:1: cannot be joined: Could not find"):
        address(address="nowhere:1")


def test_a_cluster_that_the_caller_has_joined_stays_joined(cluster: FakeRay) -> None:
    cluster.init(address="mine")
    with RayBackend(module="stub_worker") as backend:
        list(backend.run([job("fine")]))
    assert cluster.joined == {"address": "mine"}
    assert cluster.left == 0
    assert not cluster.actors


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"backend 'ray': Ray is not installed; pip install 'paribus\[ray\]'"):
        make_backend(BackendChoice("ray"), Imports())
    with pytest.raises(UsageError, match=r"address 'ray://host:10001': Ray Client is not supported"):
        make_backend(BackendChoice("ray", address="ray://host:10001"), Imports())
    with pytest.raises(UsageError, match=r"0 workers: at least 1"):
        make_backend(BackendChoice("ray", workers=0), Imports())
    with pytest.raises(UsageError, match=r"backend 'dask': expected one of local, ray"):
        make_backend(BackendChoice("dask"), Imports())
    with pytest.raises(UsageError, match=r"address 'auto': it is that of a Ray cluster; say --backend ray too"):
        make_backend(BackendChoice(address="auto"), Imports())


def test_a_core_is_claimed_by_one(tmp_path: Path) -> None:
    cores = (Core(0), Core(5))
    first, second = (claim_core(cores, folder=tmp_path / "cores") for _ in range(2))
    assert (first.core, second.core) == cores
    with pytest.raises(BackendError, match=r"all 2 cores are in use by workers of paribus"):
        claim_core(cores, patience=0.0, folder=tmp_path / "cores")
    first.release()
    assert claim_core(cores, folder=tmp_path / "cores").core == Core(0)
    second.release()


def test_a_worker_without_a_word_is_dead(cluster: FakeRay) -> None:
    """A stream that ends before its jobs do: whatever happened, they are tried again."""
    with RayBackend("somewhere:6379", module="stub_worker") as backend:
        list(backend.run([job("fine")]))
        (worker,) = backend.fleet._workers
        assert isinstance(worker, RayWorker)
        worker._stream = iter(())
        assert worker.listen() is None
        assert worker.bury().words.startswith("silent on ")
