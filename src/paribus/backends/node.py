"""What a cluster runs on a node: one worker process on a core or GPU of its own, whose messages are passed on.

The worker is the same program as on the driver's machine (``worker.py``): the cluster's own process never imports Keras
or JAX, so that nothing the cluster has set or imported reaches what computes (decision 0125).
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from paribus.backends.core_claims import CoreClaim, claim_core
from paribus.backends.oom import OomKills
from paribus.backends.pool import Death
from paribus.backends.process import Process
from paribus.backends.schedule import Group
from paribus.backends.worker import Raised, WarmUp
from paribus.engine.variables import RECORDED
from paribus.errors import BackendError, DataError, UnknownNameError
from paribus.keras_config.custom_objects import Imports
from paribus.machine import Gpu, Place, list_cores
from paribus.records import Described, Ended, EpochDone, EpochReport, Refused, RunResult
from paribus.version import __version__

INTERVAL: Final = 0.2
"""Seconds in which epochs are collected: thousands of workers talk to one driver."""

PASSED_ON: Final = (*RECORDED, "JAX_PLATFORMS", "PARIBUS_CACHE")
"""Variables of the driver that count on every node."""

COMPARED: Final = ("keras", "jax", "jaxlib", "numpy", "scikit-learn")
"""Distributions whose versions must be the driver's, beside Python's and paribus's own."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An epoch of a run, or its end; ``position`` is that of the run in its group."""

    position: int
    report: EpochReport | RunResult


NodeMessage = Progress | Described | Refused | Raised | Death
"""What a node says to the driver; a death is the last it says."""


@dataclass(frozen=True, slots=True)
class Orders:
    """How a worker of a node is to be set up: the same for all of one driver.

    Attributes:
        imports: the modules that define the user's own Keras classes.
        lanes: how many runs it trains side by side.
        on_gpu: whether it computes on a GPU.
        environ: the driver's variables among ``PASSED_ON``.
        folder: the driver's working directory, which relative paths are relative to.
        module: the program of the worker; for tests.
    """

    imports: Imports
    lanes: int
    on_gpu: bool
    environ: Mapping[str, str]
    folder: str
    module: str | None = None


def read_versions() -> dict[str, str]:
    """The versions that must be the same on all machines, by what they are of; "none" for what is not installed."""
    versions = {"paribus": __version__, "Python": platform.python_version()}
    for name in COMPARED:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "none"
    return versions


@final
class NodeWorker:
    """An actor: it holds one worker process, and gives it one group of jobs at a time."""

    def __init__(self, orders: Orders) -> None:
        """Nothing is started yet."""
        self._orders = orders
        self._process: Process | None = None
        self._claim: CoreClaim | None = None

    def versions(self) -> dict[str, str]:
        """See ``read_versions``."""
        return read_versions()

    def start(self) -> Raised | None:
        """Start the worker process on a core that no other has, or on the GPU that the cluster has assigned."""
        for name in PASSED_ON:
            os.environ.pop(name, None)
        os.environ.update(self._orders.environ)
        if Path(self._orders.folder).is_dir():
            os.chdir(self._orders.folder)
        orders = self._orders
        try:
            place: Place
            if orders.on_gpu:
                place = Gpu(os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0])
            else:
                self._claim = claim_core(list_cores())
                place = self._claim.core
            self._process = Process(place, orders.imports, OomKills(), orders.lanes, orders.module)
        except BackendError as error:
            return Raised(BackendError(f"{platform.node()}: {error}"))
        return None

    def warm_up(self) -> None:
        """Have the worker import what trains networks."""
        self._started().send(WarmUp())

    def compute(self, group: Group) -> Iterator[Sequence[NodeMessage]]:
        """Compute jobs, and say how it goes: every end at once, epochs together with what follows soon."""
        process = self._started()
        process.send(group)
        left = len(group)
        while left:
            messages: list[NodeMessage] = []
            end = time.monotonic() + INTERVAL
            while left and (not messages or process.connection.poll(max(0.0, end - time.monotonic()))):
                for message in self._hear(process, group):
                    messages.append(message)
                    if isinstance(message, (Raised, Death)):
                        left = 0
                    elif not (isinstance(message, Progress) and isinstance(message.report, EpochReport)):
                        left -= 1
                if messages and self._ends(messages[-1]) and not process.connection.poll():
                    break
            # A death comes alone: the messages before it count.
            last = [message for message in messages if isinstance(message, Death)]
            if messages[: len(messages) - len(last)]:
                yield messages[: len(messages) - len(last)]
            if last:
                yield last

    @staticmethod
    def _ends(message: NodeMessage) -> bool:
        return isinstance(message, Progress) and isinstance(message.report, RunResult)

    @staticmethod
    def _hear(process: Process, group: Group) -> Iterator[NodeMessage]:
        messages = process.listen()
        if messages is None:
            try:
                yield process.bury()
            except BackendError as error:
                yield Raised(BackendError(f"{platform.node()}: {error}"))
            return
        for message in messages:
            match message:
                case EpochDone():
                    yield Progress(group.index(message.job), message.report)
                case Ended():
                    yield Progress(group.index(message.job), message.result)
                case Raised(problem):
                    # The data is read here, under the path that it has on the driver's machine.
                    of_data = type(problem) in (DataError, UnknownNameError)
                    yield Raised(type(problem)(f"{problem} (on node {platform.node()})")) if of_data else message
                case Described() | Refused():
                    yield message

    def _started(self) -> Process:
        if self._process is None:
            raise BackendError(f"{platform.node()}: jobs came before the worker was started")
        return self._process
