"""The local backend: long-lived worker processes, one per core, each single-threaded and pinned.

Workers are plain subprocesses with a socket pair, not a ``multiprocessing`` pool: a pool hangs when a member is killed,
forking after JAX is imported deadlocks, and spawning runs the caller's script a second time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from paribus.backends.base import Backend
from paribus.backends.interruption import Interruption, nearly_done
from paribus.backends.oom import OomKills, kernel_kills
from paribus.backends.process import Process
from paribus.backends.schedule import Waiting
from paribus.backends.worker import failed
from paribus.custom import Imports
from paribus.errors import UsageError
from paribus.records import DescribeJob, Ended, Event, Interrupted, Job, Refused, Started, TrainJob

MAX_ATTEMPTS = 3
"""How often a run is tried whose worker dies under it."""


def available_cores() -> list[int]:
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


@dataclass(slots=True)
class _Work:
    """What is left of the jobs of one call: those that wait, how often each was tried, how its last worker died."""

    waiting: Waiting
    attempts: Counter[Job] = field(default_factory=Counter)
    deaths: dict[Job, str] = field(default_factory=dict)


class LocalBackend(Backend):
    """Worker processes on this machine.

    Args:
        workers: how many, by default one per core. More than cores is allowed; each is pinned, cores are shared.
        imports: the modules that define the user's own Keras classes.
        kills: how many processes the kernel has killed for want of memory until now; None where it does not say.

    Raises:
        UsageError: fewer than one worker.
    """

    def __init__(
        self,
        workers: int | None = None,
        imports: Imports = Imports(),  # noqa: B008 - frozen
        kills: Callable[[], int | None] = kernel_kills,
    ) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"{workers} workers: at least 1 is needed; leave --workers out for one per core")
        self._cores = available_cores()
        self._limit = workers or len(self._cores)
        self._imports = imports
        self._kills = OomKills(kills)
        self._workers: list[Process] = []

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Backend.run``. A job whose worker dies is tried again, ``MAX_ATTEMPTS`` times in all, then failed.

        Where the worker died for want of memory, half as many workers go on. After Ctrl-C (see ``Interruption``) the
        runs that are nearly done end first.

        Raises:
            KeyboardInterrupt: interrupted.
        """
        work = _Work(Waiting(jobs))
        try:
            with Interruption() as interruption:
                while work.waiting or self._busy():
                    if interruption.asked:
                        yield self._interrupted()
                        yield from self._last(work)
                        break
                    yield from self._hand_out(work)
                    for event in self._listen(work, interruption.wakes):
                        # Who hears of a run's end records it: meanwhile its worker goes on.
                        go_on = isinstance(event, Ended) and not interruption.asked
                        started = list(self._hand_out(work)) if go_on else []
                        yield event
                        yield from started
                if interruption.asked:
                    raise KeyboardInterrupt
        finally:
            self._stop(self._busy())

    def warm_up(self, jobs: int) -> None:
        """Start as many workers as these jobs will need, and have them import meanwhile."""
        for worker in self._idle(jobs):
            worker.warm_up()

    def close(self) -> None:
        """Stop all workers; those that do not leave by themselves within a few seconds are killed."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.kill(patience=2.0)
        self._workers.clear()

    def _busy(self) -> list[Process]:
        return [worker for worker in self._workers if worker.job is not None]

    def _stop(self, workers: list[Process], patience: float = 0.0) -> None:
        for worker in workers:
            self._workers.remove(worker)
            worker.kill(patience)

    def _hand_out(self, work: _Work) -> Iterator[Event]:
        """Give every idle worker a job."""
        for worker in self._idle(len(work.waiting)):
            others = [w.program for w in self._workers if w is not worker]
            job = work.waiting.take(worker.program, others)
            worker.take(job)
            work.attempts[job] += 1
            if isinstance(job, TrainJob):
                yield Started(job, work.attempts[job], work.deaths.get(job))

    def _idle(self, wanted: int) -> list[Process]:
        """At most ``wanted`` workers without a job, started where there is room; those without room are sent away."""
        room = self._limit - len(self._busy())
        idle = [worker for worker in self._workers if worker.job is None]
        self._stop(idle[max(0, room) :])
        idle = idle[: max(0, room)]
        while len(idle) < min(wanted, room):
            taken = Counter(worker.core for worker in self._workers)
            core = min(self._cores, key=lambda c: taken[c])
            worker = Process(core, self._imports, self._kills)
            self._workers.append(worker)
            idle.append(worker)
        return idle[:wanted]

    def _listen(self, work: _Work, *wakes: int) -> Iterator[Event]:
        """What busy workers say, as soon as one does; or nothing, when something else wakes us."""
        busy = self._busy()
        ready = wait([*(worker.connection for worker in busy), *wakes])
        for worker in [worker for worker in busy if worker.connection in ready]:
            job = worker.job
            event = worker.listen()
            if event is not None:
                yield event
            elif job is not None:
                yield from self._bury(worker, job, work)

    def _bury(self, worker: Process, job: Job, work: _Work) -> Iterator[Event]:
        """A worker died under a job: try the job again, or give it up with its reason."""
        busy = len(self._busy())
        self._workers.remove(worker)
        death = worker.bury()
        if death.memory:
            self._limit = max(1, busy // 2)
        if work.attempts[job] < MAX_ATTEMPTS:
            work.deaths[job] = death.words
            work.waiting.put_back(job)
            return
        reason = f"its worker died {MAX_ATTEMPTS} times, at last: {death.words}"
        if isinstance(job, DescribeJob):
            yield Refused(job.arm, ((f"arm '{job.arm}'", reason),))
        else:
            yield Ended(job, failed(job, reason))

    def _interrupted(self) -> Interrupted:
        """Stop what is not nearly done; a describing worker has nothing to finish."""
        trains = {worker: worker.job for worker in self._busy() if isinstance(worker.job, TrainJob)}
        finishing = {worker: job for worker, job in trains.items() if nearly_done(job, worker.epochs)}
        self._stop([worker for worker in self._busy() if worker not in finishing])
        stopped = tuple(job for worker, job in trains.items() if worker not in finishing)
        return Interrupted(tuple(finishing.values()), stopped)

    def _last(self, work: _Work) -> Iterator[Event]:
        """Nothing new is started; a run whose worker dies now is left for the next time."""
        while self._busy():
            yield from self._listen(work)
