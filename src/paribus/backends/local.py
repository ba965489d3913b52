"""The local backend: long-lived worker processes, one per GPU, or else one per core, single-threaded and pinned.

A few runs more than cores share them: see ``docs/decisions/0028-a-few-runs-share-the-cores.md``.

Workers are plain subprocesses with a socket pair, not a ``multiprocessing`` pool: a pool hangs when a member is killed,
forking after JAX is imported deadlocks, and spawning runs the caller's script a second time.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from paribus.backends.base import Backend
from paribus.backends.interruption import Interruption, nearly_done
from paribus.backends.oom import OomKills, kernel_kills
from paribus.backends.process import Process
from paribus.backends.schedule import Waiting, cost
from paribus.backends.worker import lost_job
from paribus.backends.worker_count import workers_for
from paribus.errors import UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Core, Gpu, Place, list_places, read_memory_limit
from paribus.records import DataSummary, Ended, Event, Interrupted, Job, Started, TrainJob

MAX_ATTEMPTS = 3
"""How often a run is tried whose worker dies under it."""

GPU_LANES = 8
"""How many runs are trained side by side on a GPU by default: see ``docs/decisions/0025-lanes.md``."""

WORKER_MEMORY = 1 << 30
"""Bytes that a worker beyond one a core must find; one takes about half of it, beside the data."""


@dataclass(slots=True)
class _Work:
    """What is left of the jobs of one call: those that wait, how often each was tried, how its last worker died."""

    waiting: Waiting
    attempts: Counter[Job] = field(default_factory=Counter)
    deaths: dict[Job, str] = field(default_factory=dict)


class LocalBackend(Backend):
    """Worker processes on this machine.

    Args:
        workers: how many, by default one per place, or more where a few runs end sooner if they share the cores.
            More than places is allowed: those are shared.
        imports: the modules that define the user's own Keras classes.
        kills: how many processes the kernel has killed because memory ran out until now; None where it does not say.
        lanes: how many runs of an arm a worker trains side by side; by default 1 on a core, ``GPU_LANES`` on a GPU.

    Raises:
        UsageError: fewer than one worker, or than one lane.
    """

    def __init__(
        self,
        workers: int | None = None,
        imports: Imports = Imports(),  # noqa: B008 - frozen
        kills: Callable[[], int | None] = kernel_kills,
        lanes: int | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"{workers} workers: at least 1 is needed; leave --workers out for one per core")
        if lanes is not None and lanes < 1:
            raise UsageError(f"{lanes} lanes: at least 1 is needed; leave --lanes out for 1 on a core, 8 on a GPU")
        self._places: Sequence[Place] = list_places()
        self._limit = workers or len(self._places)
        self._lanes = lanes or (GPU_LANES if isinstance(self._places[0], Gpu) else 1)
        self._may_share = workers is None and isinstance(self._places[0], Core) and self._lanes == 1
        self._imports = imports
        self._kills = OomKills(kills)
        self._data: DataSummary | None = None
        self._workers: list[Process] = []

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Backend.run``. A job whose worker dies is tried again, ``MAX_ATTEMPTS`` times in all, then failed.

        Where the worker died because memory ran out, half as many workers go on. After Ctrl-C (see ``Interruption``)
        the runs that are nearly done end first.

        Raises:
            KeyboardInterrupt: interrupted.
        """
        work = _Work(Waiting(jobs, self._lanes))
        self._share(jobs)
        try:
            with Interruption() as interruption:
                while work.waiting or self._busy():
                    if interruption.requested:
                        yield self._interrupted()
                        yield from self._last(work)
                        break
                    yield from self._hand_out(work)
                    for event in self._listen(work, interruption.wakes):
                        # Who hears of a run's end records it: meanwhile its worker goes on.
                        go_on = isinstance(event, Ended) and not interruption.requested
                        started = list(self._hand_out(work)) if go_on else []
                        yield event
                        yield from started
                if interruption.requested:
                    raise KeyboardInterrupt
        finally:
            self._stop(self._busy())

    def sized(self, data: DataSummary) -> None:
        """See ``Backend.sized``."""
        self._data = data

    def warm_up(self, jobs: int) -> None:
        """Start as many workers as these jobs will need, and have them import meanwhile."""
        for worker in self._idle(-(-jobs // self._lanes)):
            worker.warm_up()

    def close(self) -> None:
        """Stop all workers; those that do not leave by themselves within a few seconds are killed.

        One that has had no job yet may be importing, and holds nothing: it is not waited for.
        """
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.kill(patience=2.0 if worker.had_jobs else 0.0)
        self._workers.clear()

    def _share(self, jobs: Sequence[Job]) -> None:
        """Allow as many workers as end these jobs soonest; more than there are cores move about among them."""
        if self._may_share:
            data = self._data
            costs = [cost(job) * data.train for job in jobs] if data is not None else []
            held = 4 * (data.train + data.test) * math.prod(data.input_shape) if data is not None else 0
            cores = len(self._places)
            self._limit = min(workers_for(costs, cores), max(cores, read_memory_limit() // (WORKER_MEMORY + held)))
            for worker in self._workers:
                self._settle(worker)

    def _settle(self, worker: Process) -> None:
        """Let a worker roam where there may be more of them than cores; else it goes back to its own."""
        if self._may_share and self._limit > len(self._places):
            worker.roam(tuple(place.number for place in self._places if isinstance(place, Core)))
        elif worker.roams and isinstance(worker.place, Core):
            worker.roam((worker.place.number,))

    def _busy(self) -> list[Process]:
        return [worker for worker in self._workers if worker.jobs]

    def _stop(self, workers: list[Process], patience: float = 0.0) -> None:
        for worker in workers:
            self._workers.remove(worker)
            worker.kill(patience)

    def _hand_out(self, work: _Work) -> Iterator[Event]:
        """Give every idle worker something to do."""
        for worker in self._idle(work.waiting.groups):
            others = [w.program for w in self._workers if w is not worker]
            group = work.waiting.take(worker.program, others)
            worker.take(group)
            work.attempts.update(group)
            for job in group:
                if isinstance(job, TrainJob):
                    yield Started(job, work.attempts[job], work.deaths.get(job), worker.number)

    def _idle(self, count: int) -> list[Process]:
        """At most ``count`` workers without a job, started where the limit allows; those beyond it are stopped."""
        free = self._limit - len(self._busy())
        idle = [worker for worker in self._workers if not worker.jobs]
        self._stop(idle[max(0, free) :])
        idle = idle[: max(0, free)]
        while len(idle) < min(count, free):
            in_use = Counter(worker.place for worker in self._workers)
            place = min(self._places, key=lambda place: in_use[place])
            worker = Process(place, self._imports, self._kills, self._lanes)
            self._settle(worker)
            numbers = {other.number for other in self._workers}
            worker.number = next(number for number in itertools.count(1) if number not in numbers)
            self._workers.append(worker)
            idle.append(worker)
        return idle[:count]

    def _listen(self, work: _Work, *wakes: int) -> Iterator[Event]:
        """What busy workers say, as soon as one does; or nothing, when something else wakes us."""
        busy = self._busy()
        ready = wait([*(worker.connection for worker in busy), *wakes])
        for worker in [worker for worker in busy if worker.connection in ready]:
            event = worker.listen()
            if event is not None:
                yield event
            else:
                yield from self._bury(worker, work)

    def _bury(self, worker: Process, work: _Work) -> Iterator[Event]:
        """A worker died under its jobs: try those that had not ended again, or give them up with their reason.

        The last attempt is a job's own, so that none fails for what another one of its group does to workers.
        """
        busy = len(self._busy())
        self._workers.remove(worker)
        death = worker.bury()
        if death.memory:
            self._limit, self._may_share = max(1, busy // 2), False
        for job in worker.jobs:
            if work.attempts[job] == MAX_ATTEMPTS:
                yield lost_job(job, f"its worker died {MAX_ATTEMPTS} times, at last: {death.words}")
        again = [job for job in worker.jobs if work.attempts[job] < MAX_ATTEMPTS]
        work.deaths.update(dict.fromkeys(again, death.words))
        for alone in (False, True):
            some = [job for job in again if (work.attempts[job] == MAX_ATTEMPTS - 1) is alone]
            work.waiting.put_back(some, alone=alone)

    def _interrupted(self) -> Interrupted:
        """Stop what is not nearly done; a describing worker has nothing to finish."""
        finishing, stopped = list[TrainJob](), list[TrainJob]()
        for worker in self._busy():
            runs = [job for job in worker.jobs if isinstance(job, TrainJob)]
            if runs and nearly_done(runs[0], worker.epochs):
                finishing += runs
            else:
                stopped += runs
                self._stop([worker])
        return Interrupted(tuple(finishing), tuple(stopped))

    def _last(self, work: _Work) -> Iterator[Event]:
        """Nothing new is started; a run whose worker dies now is left for the next time."""
        while self._busy():
            yield from self._listen(work)
