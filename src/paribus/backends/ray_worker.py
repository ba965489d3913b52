"""One worker of a Ray cluster, seen from the driver: an actor (``node.py``) and the stream of its messages.

Ray itself is passed in: only ``ray.py`` imports it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from paribus.backends.node import NodeMessage, Progress, read_versions
from paribus.backends.pool import Death, Worker
from paribus.backends.schedule import Group
from paribus.backends.worker import Message, Raised, WarmUp
from paribus.errors import BackendError
from paribus.records import Described, Ended, EpochDone, EpochReport, Event, Refused, TrainJob


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster, and how many workers it takes."""

    identifier: str
    host: str
    places: int


@final
class RayWorker(Worker):
    """One actor of the cluster, seen from the driver.

    Attributes:
        node: where it is.
        died: how it died; None as long as that is not known.
    """

    def __init__(self, ray: Any, actor: Any, node: Node) -> None:
        """``actor`` is a ``NodeWorker``, which is asked to start its worker."""
        self._ray = ray
        self._actor = actor
        self.node = node
        self._versions: Any = actor.versions.remote()
        self._starting: Any = actor.start.remote()
        self._stream: Any = None
        self._jobs: Group = ()
        self.died: Death | None = None

    @property
    def host(self) -> str:
        """The name of the node's machine."""
        return self.node.host

    @property
    def ready(self) -> bool:
        """Whether the worker process has started, with the versions of this one."""
        return self._starting is None

    @property
    def awaited(self) -> Any:
        """What Ray is to wait for: the start, or the next messages."""
        return self._starting if self._starting is not None else self._stream

    def send(self, message: Message) -> None:
        """See ``Worker.send``. A worker that is not ready is sent no jobs."""
        if isinstance(message, tuple):
            self._jobs = message
            self._stream = self._actor.compute.options(num_returns="streaming").remote(message)
        elif isinstance(message, WarmUp):
            self._actor.warm_up.remote()

    def listen(self) -> Sequence[Event | Raised] | None:
        """See ``Worker.listen``."""
        try:
            if self._starting is not None:
                return self._listen_to_start()
            messages: Sequence[NodeMessage] = self._ray.get(next(self._stream))
        except StopIteration:
            self.died = Death(f"silent on {self.host}", memory=False)
            return None
        except self._ray.exceptions.RayError as error:
            self.died = _explain(error, self.host)
            return None
        events: list[Event | Raised] = []
        for message in messages:
            if isinstance(message, Death):  # it comes alone
                self.died = Death(f"{message.words} on {self.host}", message.memory)
                return None
            events.append(self._event(message))
        return events

    def bury(self) -> Death:
        """See ``Worker.bury``."""
        self.kill()
        return self.died or Death(f"unknown on {self.host}", memory=False)

    def kill(self, patience: float = 0.0) -> None:  # noqa: ARG002 - Ray ends an actor at once
        """See ``Worker.kill``. The worker process ends with its actor."""
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._actor, no_restart=True)

    def _listen_to_start(self) -> Sequence[Raised]:
        theirs: dict[str, str] = self._ray.get(self._versions)
        ours = read_versions()
        names = [name for name in ours if theirs.get(name) != ours[name]]
        if names:
            different = ", ".join(f"{name} {theirs.get(name)} instead of {ours[name]}" for name in names)
            message = (
                f"node {self.host}: {different}: other versions give other bits; install the same on every machine"
            )
            return (Raised(BackendError(message)),)
        problem: Raised | None = self._ray.get(self._starting)
        self._starting = None
        return () if problem is None else (problem,)

    def _event(self, message: Progress | Described | Refused | Raised) -> Event | Raised:
        if not isinstance(message, Progress):
            return message
        run, report = self._run(message.position), message.report
        return EpochDone(run, report) if isinstance(report, EpochReport) else Ended(run, report)

    def _run(self, position: int) -> TrainJob:
        job = self._jobs[position]
        if not isinstance(job, TrainJob):
            raise BackendError(f"node {self.host}: it reported an epoch of a job that is not a run")
        return job


def _explain(error: Exception, host: str) -> Death:
    text = str(error)
    memory = type(error).__name__ == "OutOfMemoryError" or "low on memory" in text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if memory:
        return Death(f"ended by Ray on {host}, which was low on memory", memory=True)
    words = next((line for line in lines if "died" in line or "dead" in line), lines[-1] if lines else "")
    return Death(f"{type(error).__name__} on {host} ({words[:200]})", memory=False)
