"""Enough of Ray's core for the driver's side of ``--backend ray``, in this process: an actor is a thread.

What an actor holds is real: a worker process of its own. Ray itself is tested where it is installed, by
``make ray-test``.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """As ``ray.exceptions.RayError``."""


class OutOfMemoryError(RayError):
    """As ``ray.exceptions.OutOfMemoryError``."""


class Ref:
    """The result of a call: of an actor that is alive, or of none any more."""

    def __init__(self, actor: Actor) -> None:
        self.actor, self.results = actor, list[Any]()

    @property
    def ready(self) -> bool:
        return bool(self.results) or self.actor.death is not None

    def get(self) -> Any:
        while not self.ready:
            time.sleep(0.001)
        if not self.results:
            raise self.actor.death or RayError()
        if isinstance(self.results[0], Exception):
            raise self.results[0]
        return self.results[0]


class Stream(Ref):
    """The results of a generator, one after the other."""

    ended = False

    @property
    def ready(self) -> bool:
        return self.ended or super().ready

    def __next__(self) -> Ref:
        while not self.ready:
            time.sleep(0.001)
        if self.ended and not self.results and self.actor.death is None:
            raise StopIteration
        item = Ref(self.actor)
        item.results = [self.results.pop(0)] if self.results else []
        return item


class Actor:
    """A thread that calls the methods of one object, in the order in which they were asked for."""

    def __init__(self, node: str, make: Callable[[], Any]) -> None:
        self.node = node
        self.death: Exception | None = None
        self.instance: Any = None
        self._calls: queue.Queue[tuple[str, tuple[Any, ...], Ref] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, args=(make,), daemon=True)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        def call(kind: type[Ref]) -> Callable[..., Ref]:
            def remote(*arguments: Any) -> Ref:
                ref = kind(self)
                self._calls.put((name, arguments, ref))
                return ref

            return remote

        return SimpleNamespace(remote=call(Ref), options=lambda num_returns: SimpleNamespace(remote=call(Stream)))

    def die(self, error: Exception) -> None:
        """End, and with it the worker process that it holds."""
        self.death = error
        self._calls.put(None)
        process = getattr(self.instance, "_process", None)
        if process is not None and process._process.poll() is None:
            os.kill(process._process.pid, signal.SIGKILL)
        self._thread.join()
        process = getattr(self.instance, "_process", None)
        if process is not None and not process.connection.closed:
            process.kill()
        claim = getattr(self.instance, "_claim", None)
        if claim is not None:
            self.instance._claim = None
            claim.release()

    def _serve(self, make: Callable[[], Any]) -> None:
        try:
            self.instance = make()
        except Exception as error:  # noqa: BLE001 - it is Ray's to pass on
            self.death = RayError(f"the actor died: {error}")
            return
        while self.death is None and (call := self._calls.get()) is not None:
            name, arguments, ref = call
            try:
                result = getattr(self.instance, name)(*arguments)
                for item in result if isinstance(ref, Stream) else (result,):
                    if self.death is None:  # who is dead says nothing more
                        ref.results.append(item)
            except Exception as error:  # noqa: BLE001 - it is Ray's to pass on
                ref.results.append(RayError(str(error)))
            if isinstance(ref, Stream):
                ref.ended = True


class FakeRay:
    """The module, with a cluster of nodes: names with numbers of CPUs."""

    def __init__(self, **nodes: int) -> None:
        self.cpus = nodes
        self.actors: list[Actor] = []
        self.joined: dict[str, Any] | None = None
        self.left = 0
        self.exceptions = SimpleNamespace(RayError=RayError, OutOfMemoryError=OutOfMemoryError)
        affinity = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: node)
        self.util = SimpleNamespace(scheduling_strategies=affinity)

    def is_initialized(self) -> bool:
        return self.joined is not None

    def init(self, **options: Any) -> None:
        if options["address"] == "nowhere:1":
            raise ConnectionError("Could not find any running Ray instance")
        self.joined = options

    def shutdown(self) -> None:
        for actor in self.actors:
            actor.die(RayError("the driver left"))
        self.actors.clear()
        self.joined, self.left = None, self.left + 1

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"NodeID": name, "NodeManagerHostname": name, "Alive": True, "Resources": {"CPU": float(cpus)}}
            for name, cpus in self.cpus.items()
        ]

    def remote(self, **_options: Any) -> Callable[[type], Any]:
        def wrapped(kind: type) -> Any:
            def options(scheduling_strategy: str) -> Any:
                def remote(*arguments: Any) -> Actor:
                    actor = Actor(scheduling_strategy, lambda: kind(*arguments))
                    self.actors.append(actor)
                    return actor

                return SimpleNamespace(remote=remote)

            return SimpleNamespace(options=options)

        return wrapped

    def get(self, ref: Ref) -> Any:
        return ref.get()

    def wait(
        self, refs: Sequence[Ref], *, num_returns: int, timeout: float, fetch_local: bool
    ) -> tuple[list[Ref], list[Ref]]:
        end = time.monotonic() + timeout
        while not (ready := [ref for ref in refs if ref.ready][:num_returns]) and time.monotonic() < end:
            time.sleep(0.001)
        return ready, [ref for ref in refs if ref not in ready]

    def kill(self, actor: Actor, *, no_restart: bool) -> None:
        if actor in self.actors:
            self.actors.remove(actor)
        actor.die(RayError("killed by its driver"))

    def lose(self, node: str) -> None:
        """A node is gone, with all that was on it."""
        del self.cpus[node]
        for actor in [actor for actor in self.actors if actor.node == node]:
            self.actors.remove(actor)
            actor.die(RayError(f"The actor died because its node has died. Node: {node}"))
