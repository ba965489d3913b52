"""The local backend: workers that die in every way, and interruption. The workers are real processes without Keras."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digits_jobs import DIGITS
from paribus.backends import process
from paribus.backends.interruption import Interruption, terminable
from paribus.backends.local import LocalBackend
from paribus.backends.pool import MAX_ATTEMPTS
from paribus.records import (
    Described,
    DescribeJob,
    Ended,
    EpochDone,
    Event,
    Interrupted,
    Refused,
    Started,
    Status,
)
from stub_jobs import TRAINING, job


def children() -> set[int]:
    """Processes whose parent this process is."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == os.getpid() and words[0] != "Z":
            found.add(int(stat.parent.name))
    return found


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBackend]:
    monkeypatch.setattr(process, "MODULE", "stub_worker")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    before, descriptors = children(), len(list(Path("/proc/self/fd").iterdir()))
    with LocalBackend(2, kills=lambda: 0) as started:
        yield started
    assert children() == before, "a worker was left behind"
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors, "a file descriptor was left open"


def ended(events: list[Event]) -> dict[str, Ended]:
    found = [event for event in events if isinstance(event, Ended)]
    assert len({event.job for event in found}) == len(found), "a job ends once"
    return {event.job.fingerprint: event for event in found}


def deaths(events: list[Event]) -> list[str | None]:
    return [event.death for event in events if isinstance(event, Started) and event.attempt > 1]


WAYS = {
    "crash": "killed by SIGSEGV (this is the end)",
    "killed": "killed by SIGKILL, but not by the kernel: memory had not run out",
    "memory": "out of memory (MemoryError: too much)",
    "halfway": "exit code 1",
}


@pytest.mark.parametrize(("how", "words"), WAYS.items())
def test_a_run_whose_worker_dies_is_tried_again(backend: LocalBackend, tmp_path: Path, how: str, words: str) -> None:
    jobs = [job(f"{how}@{tmp_path}"), job("fine", 1), job("fine", 2)]
    events = list(backend.run(jobs))
    assert {name: end.result.status for name, end in ended(events).items()} == {
        j.fingerprint: Status.FINISHED for j in jobs
    }
    assert deaths(events) == [words]


@pytest.mark.parametrize(("how", "words"), list(WAYS.items())[::2])
def test_after_so_many_attempts_it_has_failed_and_the_rest_goes_on(backend: LocalBackend, how: str, words: str) -> None:
    jobs = [job("fine", 1), job(how), *(job("fine", seed) for seed in range(2, 6))]
    events = list(backend.run(jobs))
    results = {name: end.result for name, end in ended(events).items()}
    assert results.pop(f"{how}0").reason == f"its worker died {MAX_ATTEMPTS} times, at last: {words}"
    assert {result.status for result in results.values()} == {Status.FINISHED}
    assert len(results) == 5
    assert deaths(events) == [words] * (MAX_ATTEMPTS - 1)


def test_a_worker_goes_on_while_its_run_is_recorded(backend: LocalBackend, tmp_path: Path) -> None:
    """Both workers have a job; whoever hears of the first end need not come back for the third run to begin."""
    begun = tmp_path / "TrainJob-3"
    events = backend.run([job("fine", 1), job("fine", 2), job(f"fine@{tmp_path}", 3)])
    while not isinstance(next(events), Ended):
        assert not begun.exists()
    until = time.monotonic() + 20
    while not begun.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert begun.exists()
    names = [event.job.fingerprint for event in events if isinstance(event, Ended)]
    assert len(names) == 2


def test_an_arm_is_described_again_too(backend: LocalBackend, tmp_path: Path) -> None:
    jobs = [DescribeJob(f"crash@{tmp_path}", "{}", DIGITS, TRAINING), DescribeJob("crash", "{}", DIGITS, TRAINING)]
    first, second = sorted(backend.run(jobs), key=lambda event: isinstance(event, Refused))
    assert isinstance(first, Described)
    assert isinstance(second, Refused)
    assert "its worker died 3 times, at last: killed by SIGSEGV" in second.mistakes[0][1]


def most_at_once(events: list[Event]) -> int:
    running, most = 0, 0
    for event in events:
        running += isinstance(event, Started) - isinstance(event, Ended)
        most = max(most, running)
    return most


@pytest.mark.parametrize(("how", "workers"), [("memory", 1), ("killed", 2), ("crash", 2)])
def test_want_of_memory_leaves_fewer_workers(backend: LocalBackend, tmp_path: Path, how: str, workers: int) -> None:
    list(backend.run([job("fine", 8), job(f"{how}@{tmp_path}", 9)]))
    assert most_at_once(list(backend.run([job("fine", seed) for seed in range(6)]))) == workers
    assert len(children()) == workers, "an idle worker keeps memory, too"


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_interrupted_once_what_is_nearly_done_ends(backend: LocalBackend, tmp_path: Path) -> None:
    """Of 4 epochs one run has 2 behind it, the other 1."""
    go = tmp_path / "go"
    far, near, later = job("epochs", 1, str(go)), job("epochs", 2, str(go)), job("fine", 0, str(go))
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - events come while it runs
        for event in backend.run([near, far, later]):
            events.append(event)
            if sum(isinstance(each, EpochDone) for each in events) == 3 and not go.exists():
                if not any(isinstance(each, Interrupted) for each in events):
                    interrupt()
                else:
                    go.touch()
    assert Interrupted((near,), (far,)) in events
    assert list(ended(events)) == [near.fingerprint]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_twice_nothing_is_waited_for(backend: LocalBackend, tmp_path: Path) -> None:
    near = job("epochs", 3, str(tmp_path / "never"))
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - events come while it runs
        for event in backend.run([near]):
            events.append(event)
            if sum(isinstance(each, EpochDone) for each in events) == 3:
                interrupt()
    assert events[-1] == Interrupted((near,), ())


def test_interrupted_while_describing(backend: LocalBackend) -> None:
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - events come while it runs
        for event in backend.run([DescribeJob("fine", "{}", DIGITS, TRAINING), job("epochs", 0, "/never")]):
            events.append(event)
            interrupt()
    assert any(isinstance(event, Interrupted) for event in events)


def test_a_signal_that_is_ignored_stays_ignored(backend: LocalBackend) -> None:
    """As with nohup, and in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for event in backend.run([job("fine")]):
            interrupt()
            assert not isinstance(event, Interrupted)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_to_be_terminated_is_to_be_interrupted_at_once(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), Interruption(), terminable():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_DFL
