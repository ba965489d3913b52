"""The local backend: long-lived worker processes, one per GPU, or else one per core, single-threaded and pinned.

A few runs more than cores share them: see ``docs/decisions/0028-a-few-runs-share-the-cores.md``.

Workers are plain subprocesses with a socket pair, not a ``multiprocessing`` pool: a pool hangs when a member is killed,
forking after JAX is imported deadlocks, and spawning runs the caller's script a second time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Generator, Sequence
from multiprocessing.connection import wait
from typing import final

from paribus.backends.base import Backend
from paribus.backends.oom import OomKills, kernel_kills
from paribus.backends.pool import Fleet, Pool, Worker
from paribus.backends.process import Process
from paribus.backends.schedule import cost
from paribus.backends.worker import Roam
from paribus.backends.worker_count import default_lanes, workers_for
from paribus.errors import UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Core, Gpu, Place, list_places, read_memory_limit
from paribus.records import DataSummary, Event, Job

WORKER_MEMORY = 1 << 30
"""Bytes that a worker beyond one a core must find; one takes about half of it, beside the data."""


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
        check_counts(workers, lanes)
        self.fleet = LocalFleet(workers, imports, kills, lanes)
        self._pool = Pool(self.fleet)

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Pool.run``."""
        return self._pool.run(jobs)

    @property
    def has_more(self) -> bool:
        """See ``Backend.has_more``."""
        return self._pool.has_more

    def sized(self, data: DataSummary) -> None:
        """See ``Backend.sized``."""
        self.fleet.sized(data)

    def warm_up(self, jobs: int) -> None:
        """See ``Pool.warm_up``."""
        self._pool.warm_up(jobs)

    def close(self) -> None:
        """See ``Pool.close``."""
        self._pool.close()


def check_counts(workers: int | None, lanes: int | None) -> None:
    """Refuse fewer than one worker, or than one lane.

    Raises:
        UsageError: so it is.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers: at least 1 is needed; leave --workers out for one per core")
    if lanes is not None and lanes < 1:
        raise UsageError(f"{lanes} lanes: at least 1 is needed; leave --lanes out for 1 on a core, 8 on a GPU")


@final
class LocalFleet(Fleet):
    """Processes on the cores or GPUs of this machine. The arguments are those of ``LocalBackend``.

    Attributes:
        limit: how many workers there may be.
    """

    def __init__(
        self, workers: int | None, imports: Imports, kills: Callable[[], int | None], lanes: int | None
    ) -> None:
        self._places: Sequence[Place] = list_places()
        self.limit = workers or len(self._places)
        self._lanes = lanes or default_lanes(on_gpu=isinstance(self._places[0], Gpu))
        self._may_share = workers is None and isinstance(self._places[0], Core) and self._lanes == 1
        self._imports = imports
        self._kills = OomKills(kills)
        self._data: DataSummary | None = None
        self._processes: list[Process] = []

    @property
    def lanes(self) -> int:
        """See ``Fleet.lanes``."""
        return self._lanes

    def sized(self, data: DataSummary) -> None:
        """See ``Backend.sized``."""
        self._data = data

    def expect(self, jobs: Sequence[Job]) -> None:
        """Allow as many workers as end these jobs soonest; more than there are cores move about among them."""
        if self._may_share:
            data = self._data
            costs = [cost(job) * data.train for job in jobs] if data is not None else []
            held = 4 * (data.train + data.test) * math.prod(data.input_shape) if data is not None else 0
            cores = len(self._places)
            self.limit = min(workers_for(costs, cores), max(cores, read_memory_limit() // (WORKER_MEMORY + held)))
            for process in self._processes:
                self._settle(process)

    def start(self, count: int) -> Sequence[Worker]:
        """See ``Fleet.start``; each takes the place that the fewest are in."""
        started = []
        for _ in range(min(count, self.limit - len(self._processes))):
            in_use = Counter(process.place for process in self._processes)
            place = min(self._places, key=lambda place: in_use[place])
            process = Process(place, self._imports, self._kills, self._lanes)
            self._settle(process)
            self._processes.append(process)
            started.append(process)
        return started

    def surplus(self, idle: Sequence[Worker]) -> Sequence[Worker]:
        """See ``Fleet.surplus``: those that were started last."""
        count = min(len(idle), max(0, len(self._processes) - self.limit))
        return idle[len(idle) - count :]

    def allow(self, host: str, count: int) -> None:  # noqa: ARG002 - there is one host
        """See ``Fleet.allow``."""
        self.limit, self._may_share = count, False

    def wait(
        self, workers: Sequence[Worker], wakes: Sequence[int], patience: float | None = None
    ) -> Collection[Worker]:
        """See ``Fleet.wait``."""
        connections = {worker.connection: worker for worker in workers if isinstance(worker, Process)}
        ready = wait([*connections, *wakes], patience)
        return {worker for connection, worker in connections.items() if connection in ready}

    def remove(self, worker: Worker) -> None:
        """See ``Fleet.remove``."""
        self._processes = [process for process in self._processes if process is not worker]

    def close(self) -> None:
        """Nothing is held beside the workers."""

    def _settle(self, process: Process) -> None:
        """Let a worker roam where there may be more of them than cores; else it goes back to its own."""
        if self._may_share and self.limit > len(self._places):
            process.send(Roam(tuple(place.number for place in self._places if isinstance(place, Core))))
        elif process.roams and isinstance(process.place, Core):
            process.send(Roam((process.place.number,)))
