"""The Ray backend: a worker on every core or GPU of a cluster, and this process as the only writer of the store.

An actor a core or GPU holds a worker process of its node (``node.py``). Which node an actor is on is decided here, core
by core, so that a node that is lost costs its own workers and no more. See
``docs/decisions/0125-a-cluster-of-nodes.md``, and ``docs/ray.md`` for users.

Of Ray only its core is used. Upstream faults that are avoided: Ray forks in processes that may have imported JAX (ray
issue 44087), and JAX counts the cores of the whole machine (jax issue 27028): what computes is a process of its own,
pinned before it imports JAX. Ray Client has limits of its own (docs.ray.io), and its addresses are refused.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

from paribus.backends.base import Backend
from paribus.backends.local import check_counts
from paribus.backends.node import PASSED_ON, NodeWorker, Orders
from paribus.backends.pool import Fleet, Pool, Worker
from paribus.backends.ray_worker import Node, RayWorker
from paribus.backends.worker_count import default_lanes
from paribus.engine.variables import check_environment
from paribus.errors import BackendError, UsageError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import list_cores
from paribus.records import Event, Job

LOCAL: Final = "local"
"""Ray's address for a new cluster of this machine alone."""

TICK: Final = 0.1
"""Seconds after which an interruption is noticed while all workers are silent: Ray waits for nothing else."""

LOOK_AGAIN: Final = 2.0
"""Seconds between two looks at which nodes there are."""

TRIES: Final = 3
"""Workers that may die on a node before they have started; after those the node is left out."""

PATIENCE: Final = 60.0
"""Seconds without a node that could compute, after which the study ends with an error. What has ended is stored."""


class RayBackend(Backend):
    """Workers on the nodes of a Ray cluster.

    Args:
        address: the cluster's ``HOST:PORT``; ``auto`` for the one that this machine is part of; None for the one that
            ``RAY_ADDRESS`` names, else a new one of this machine alone, which ends with the study.
        workers: how many at most; one a core or GPU by default.
        imports: the modules that define the user's own Keras classes; every node must be able to import them.
        lanes: how many runs of an arm a worker trains side by side; by default 1 on a core, ``GPU_LANES`` on a GPU.
        module: the program of the workers; for tests.

    Raises:
        UsageError: Ray is not installed, the address is one of Ray Client, or a number is out of range.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        imports: Imports = Imports(),  # noqa: B008 - frozen
        lanes: int | None = None,
        module: str | None = None,
    ) -> None:
        check_counts(workers, lanes)
        if address is not None and address.startswith("ray://"):
            raise UsageError(
                f"address {address!r}: Ray Client is not supported; run the command on a node of the cluster with "
                "--address auto, or give the HOST:PORT that `ray start --head` printed"
            )
        address = address or os.environ.get("RAY_ADDRESS") or LOCAL
        if address == LOCAL:
            _make_token()
            # Ray would start its workers, and so ours, with a niceness of 15: behind all else on this machine.
            os.environ.setdefault("RAY_worker_niceness", "0")
        self.fleet = RayFleet(_import_ray(), address, workers, imports, lanes, module)
        self._pool = Pool(self.fleet)

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Pool.run``."""
        return self._pool.run(jobs)

    @property
    def has_more(self) -> bool:
        """See ``Backend.has_more``."""
        return self._pool.has_more

    def warm_up(self, jobs: int) -> None:
        """See ``Pool.warm_up``."""
        self._pool.warm_up(jobs)

    def close(self) -> None:
        """See ``Pool.close``; the connection to the cluster is closed too."""
        self._pool.close()


def _make_token() -> None:
    """A secret for a cluster of this machine alone: it lets no one in who does not know it.

    Ray reads it while it is imported. Set in this process's environment alone, it reaches the cluster's processes.
    """
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if os.environ["RAY_AUTH_MODE"] == "token" and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _import_ray() -> Any:
    # Read while it is imported. Nothing about a user's studies is anybody else's business.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        what = "Ray is not installed" if error.name == "ray" else f"Ray cannot be imported ({error})"
        raise UsageError(f"backend 'ray': {what}; pip install 'paribus[ray]'") from error
    return ray


@final
class RayFleet(Fleet):
    """Actors on the nodes of a cluster. The arguments are those of ``RayBackend``."""

    def __init__(
        self,
        ray: Any,
        address: str,
        workers: int | None,
        imports: Imports,
        lanes: int | None,
        module: str | None,
    ) -> None:
        self._ray = ray
        self._address = address
        self._limit = workers
        self._imports = imports
        self._user_lanes = lanes
        self._module = module
        self._connected = self._ours = self._on_gpu = False
        self._actor: Any = None
        self._workers: list[RayWorker] = []
        self._allowed: dict[str, int] = {}
        self._failures: Counter[str] = Counter()
        self._last_failure = ""
        self._nodes: Sequence[Node] = ()
        self._next_look = 0.0
        self._hopeless_since: float | None = None

    @property
    def lanes(self) -> int:
        """See ``Fleet.lanes``; that the nodes have GPUs is known once the cluster is reached."""
        self._connect()
        return self._user_lanes or default_lanes(on_gpu=self._on_gpu)

    def expect(self, jobs: Sequence[Job]) -> None:
        """A cluster has as many workers as it has cores, whatever the jobs."""

    def start(self, count: int) -> Sequence[Worker]:
        """See ``Fleet.start``; each goes to the node with the most free places."""
        self._connect()
        self._look()
        places = sum(node.places for node in self._nodes)
        # With thousands of workers the rest would take long, and this is asked at every end of a run.
        count = min(count, (places if self._limit is None else min(places, self._limit)) - len(self._workers))
        if count <= 0:
            return ()
        used = Counter(worker.node.identifier for worker in self._workers)
        on_host = Counter(worker.host for worker in self._workers)
        started: list[Worker] = []
        while len(started) < count:
            free = [
                (node.places - used[node.identifier], node)
                for node in self._nodes
                if used[node.identifier] < node.places
                and on_host[node.host] < self._allowed.get(node.host, sys.maxsize)
                and self._failures[node.identifier] < TRIES
            ]
            if not free:
                break
            node = max(free, key=lambda pair: pair[0])[1]
            worker = RayWorker(self._ray, self._make_actor(node), node)
            used[node.identifier] += 1
            on_host[node.host] += 1
            self._workers.append(worker)
            started.append(worker)
        return started

    def surplus(self, idle: Sequence[Worker]) -> Sequence[Worker]:
        """See ``Fleet.surplus``."""
        if not self._allowed:
            return ()
        on_host = Counter(worker.host for worker in self._workers)
        surplus: list[Worker] = []
        for worker in reversed(idle):
            if on_host[worker.host] > self._allowed.get(worker.host, sys.maxsize):
                on_host[worker.host] -= 1
                surplus.append(worker)
        return surplus

    def allow(self, host: str, count: int) -> None:
        """See ``Fleet.allow``; the other nodes go on as they are."""
        self._allowed[host] = count

    def wait(
        self, workers: Sequence[Worker], wakes: Sequence[int], patience: float | None = None
    ) -> Collection[Worker]:
        """See ``Fleet.wait``; returns every few seconds, as nodes may have joined."""
        awaited = {worker.awaited: worker for worker in workers if isinstance(worker, RayWorker)}
        waiting = list(awaited)
        if patience is None:
            self._check_hope(bool(waiting))
            patience = LOOK_AGAIN
        end = time.monotonic() + patience
        while not (wakes and select.select(wakes, [], [], 0)[0]):
            tick = max(0.0, min(TICK, end - time.monotonic()))
            if not waiting:
                time.sleep(tick)
            elif self._ray.wait(waiting, num_returns=1, timeout=tick, fetch_local=False)[0]:
                ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0, fetch_local=False)
                return {awaited[item] for item in ready}
            if time.monotonic() >= end:
                break
        return ()

    def remove(self, worker: Worker) -> None:
        """See ``Fleet.remove``. One that dies before it is ready counts against its node."""
        for gone in [own for own in self._workers if own is worker]:
            self._workers.remove(gone)
            if not gone.ready and gone.died is not None:
                self._failures[gone.node.identifier] += 1
                self._last_failure = gone.died.words

    def close(self) -> None:
        """Leave the cluster, unless this process had joined it before."""
        if self._connected and self._ours:
            self._ray.shutdown()
        self._connected = self._ours = False
        self._actor = None
        self._nodes, self._next_look = (), 0.0

    def _connect(self) -> None:
        if self._connected:
            return
        if not self._ray.is_initialized():
            self._join()
            self._ours = True
        self._connected = True
        on_cores = os.environ.get("JAX_PLATFORMS", "").startswith("cpu")
        self._on_gpu = not on_cores and any(_count(node, "GPU") for node in self._ray.nodes() if node["Alive"])
        check_environment(os.environ, on_gpu=self._on_gpu)

    def _join(self) -> None:
        address = self._address
        options: dict[str, Any] = {"namespace": "paribus", "log_to_driver": False, "logging_level": logging.ERROR}
        if address == LOCAL:
            options |= {"num_cpus": len(list_cores()), "include_dashboard": False}
        handler = signal.getsignal(signal.SIGTERM)
        try:
            self._ray.init(address=address, **options)
        except Exception as error:
            # Not a class of its own: where its processes do not start in time, Ray raises just this one.
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise BackendError(f"Ray cluster {address}: cannot be joined: {lines[0][:300]}") from error
        finally:
            # Ray sets one that ends the process at once: runs that ended would not be recorded.
            if handler is not None and signal.getsignal(signal.SIGTERM) is not handler:
                signal.signal(signal.SIGTERM, handler)
        # Asked afterwards: Ray turns it on by itself where it has a token.
        if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
            print(
                f"paribus: the Ray cluster {address} is used without token authentication: whoever reaches its ports "
                "can run code on its nodes. Start it with RAY_AUTH_MODE=token (docs.ray.io, token authentication)",
                file=sys.stderr,
            )

    def _look(self) -> None:
        """Which nodes there are now."""
        if time.monotonic() < self._next_look:
            return
        kind = "GPU" if self._on_gpu else "CPU"
        self._nodes = tuple(
            Node(node["NodeID"], node["NodeManagerHostname"], _count(node, kind))
            for node in self._ray.nodes()
            if node["Alive"] and _count(node, kind)
        )
        self._next_look = time.monotonic() + LOOK_AGAIN

    def _check_hope(self, waiting: bool) -> None:
        """End where no node could compute for a while."""
        usable = [node for node in self._nodes if self._failures[node.identifier] < TRIES]
        if waiting or usable:
            self._hopeless_since = None
            return
        if self._nodes:
            raise BackendError(f"no worker starts on any node of the Ray cluster, at last: {self._last_failure}")
        now = time.monotonic()
        self._hopeless_since = self._hopeless_since or now
        if now > self._hopeless_since + PATIENCE:
            kind = "GPU" if self._on_gpu else "CPU"
            raise BackendError(
                f"no node of the Ray cluster has had a {kind} for {PATIENCE:.0f} s; runs that ended are stored"
            )

    def _make_actor(self, node: Node) -> Any:
        strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node.identifier, soft=False)
        environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        orders = Orders(self._imports, self.lanes, self._on_gpu, environ, str(Path.cwd()), self._module)
        if self._actor is None:
            gpus = 1 if self._on_gpu else 0
            self._actor = self._ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(NodeWorker)
        return self._actor.options(scheduling_strategy=strategy).remote(orders)


def _count(node: Mapping[str, Any], kind: str) -> int:
    return int(node["Resources"].get(kind, 0))
