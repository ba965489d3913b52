"""The pool itself, over workers that are none: what it makes of what they say, in whatever order."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from paribus.backends.pool import Death, Fleet, Pool, Worker
from paribus.records import Ended, Event, Job, Started, TrainJob
from store_examples import run
from stub_jobs import job


class StubWorker(Worker):
    """Ends every run it is sent the next time it is listened to; ``dies`` under its first one."""

    def __init__(self, *, dies: bool = False, ready: bool = True) -> None:
        self.dies, self.is_ready, self.killed, self.jobs = dies, ready, False, list[TrainJob]()

    host = "here"

    @property
    def ready(self) -> bool:
        return self.is_ready

    def send(self, message: object) -> None:
        assert not self.killed
        self.jobs += [job for job in message or () if isinstance(job, TrainJob)]  # type: ignore[attr-defined]

    def listen(self) -> Sequence[Event] | None:
        assert not self.killed, "a worker that was stopped is listened to"
        ended, self.jobs = self.jobs, []
        return None if self.dies else [Ended(job, run(1)) for job in ended]

    def bury(self) -> Death:
        self.killed = True
        return Death("killed, out of memory", memory=True)

    def kill(self, patience: float = 0.0) -> None:
        self.killed = True


class StubFleet(Fleet):
    """Has these workers and no others; a wait makes all of them ready."""

    lanes = 1

    def __init__(self, *workers: StubWorker) -> None:
        self.workers, self.started, self.allowed = workers, 0, len(workers)

    def expect(self, jobs: Sequence[Job]) -> None:
        pass

    def start(self, count: int) -> Sequence[Worker]:
        fresh = self.workers[self.started : self.started + count]
        self.started += len(fresh)
        return fresh

    def surplus(self, idle: Sequence[Worker]) -> Sequence[Worker]:
        alive = sum(not worker.killed for worker in self.workers)
        return idle[::-1][: max(0, alive - self.allowed)]

    def allow(self, host: str, count: int) -> None:
        self.allowed = count

    def wait(
        self, workers: Sequence[Worker], wakes: Sequence[int], patience: float | None = None
    ) -> Collection[Worker]:
        for worker in self.workers:
            worker.is_ready = True
        return workers

    def remove(self, worker: Worker) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_worker_that_was_stopped_meanwhile_is_not_listened_to() -> None:
    """One dies for want of memory, one ends its run, one has just started: the last is too many, and is stopped."""
    workers = StubWorker(dies=True), StubWorker(), StubWorker(ready=False)
    jobs = [job("ok", seed) for seed in range(4)]
    pool = Pool(StubFleet(*workers))
    events = list(pool.run(jobs))
    assert [worker.killed for worker in workers] == [True, False, True]
    assert sorted(event.job.fingerprint for event in events if isinstance(event, Ended)) == ["ok0", "ok1", "ok2", "ok3"]
    again = [event for event in events if isinstance(event, Started) and event.attempt == 2]
    assert [(event.job.fingerprint, event.death) for event in again] == [("ok0", "killed, out of memory")]
    pool.close()
