"""A pool of workers: which of them computes what, and what follows when one dies, or the user interrupts.

It knows nothing of where workers are: a ``Fleet`` starts them, in processes of this machine (``local``) or on the nodes
of a cluster (``ray``). See ``docs/decisions/0124-a-pool-over-workers.md``.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

from paribus.backends.interruption import Interruption, nearly_done
from paribus.backends.schedule import Group, Program, Waiting, program_of
from paribus.backends.worker import Message, Raised, WarmUp, lost_job
from paribus.records import Ended, EpochDone, Event, Interrupted, Job, Started, TrainJob

MAX_ATTEMPTS = 3
"""How often a run is tried whose worker dies under it."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker died, in words, and whether memory ran out (or may have, where that cannot be known)."""

    words: str
    memory: bool


class Worker(ABC):
    """What computes groups of jobs, one after the other, in a process of its own."""

    @property
    @abstractmethod
    def host(self) -> str:
        """The machine whose memory it takes."""

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether it has started, and takes jobs."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Give it jobs, or another message. If it is dead already, ``listen`` says so.

        Args:
            message: a group of jobs, ``WarmUp``, or None for "leave".
        """

    @abstractmethod
    def listen(self) -> Sequence[Event | Raised] | None:
        """Its messages since the last time; None if it is dead. To be called once ``Fleet.wait`` has named it."""

    @abstractmethod
    def bury(self) -> Death:
        """How it died; then it is gone altogether.

        Raises:
            BackendError: the next one would die as well.
        """

    @abstractmethod
    def kill(self, patience: float = 0.0) -> None:
        """Make sure that it is gone, after so many seconds in which it may leave by itself.

        Args:
            patience: seconds that it has to leave by itself.
        """


class Fleet(ABC):
    """Starts the workers of one pool, and waits for them. It decides how many there may be, and where."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """How many runs of an arm a worker trains side by side.

        Raises:
            BackendError: what is to compute them cannot be reached.
        """

    @abstractmethod
    def expect(self, jobs: Sequence[Job]) -> None:
        """These jobs are to be computed now: how many workers end them soonest?

        Args:
            jobs: all jobs of one ``Pool.run``.
        """

    @abstractmethod
    def start(self, count: int) -> Sequence[Worker]:
        """Start at most so many more workers, as far as they are allowed. They need not be ready at once.

        Args:
            count: how many could be used.

        Returns:
            Those that were started; none where no more are allowed.

        Raises:
            BackendError: none can be started.
        """

    @abstractmethod
    def surplus(self, idle: Sequence[Worker]) -> Sequence[Worker]:
        """Which of these workers are more than there may be."""

    @abstractmethod
    def allow(self, host: str, count: int) -> None:
        """From now on at most so many workers on a host: its memory does not hold more.

        Args:
            host: the machine, as ``Worker.host`` names it.
            count: at most so many workers, at least 1.
        """

    @abstractmethod
    def wait(
        self, workers: Sequence[Worker], wakes: Sequence[int], patience: float | None = None
    ) -> Collection[Worker]:
        """Wait until one of the workers has something to say, is ready or is dead.

        Args:
            workers: those to wait for.
            wakes: file descriptors that end the wait when one is readable.
            patience: seconds after which the wait ends; None for no limit.

        Returns:
            The workers to listen to; none if a descriptor is readable, if there may be new places for workers, or after
            ``patience`` seconds.

        Raises:
            BackendError: no worker is left to wait for, and none can start.
        """

    @abstractmethod
    def remove(self, worker: Worker) -> None:
        """A worker is gone."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held beside the workers. It may be used again afterwards."""


@dataclass(slots=True, eq=False)
class _Member:
    """A worker, and what the pool knows of it.

    Attributes:
        worker: the worker.
        number: its number among the members, from 1, which events name; a new member may have that of one that is gone.
        jobs: what it was sent and has not ended yet.
        epochs: how many epochs its runs have behind them; those of a group go through them together.
        program: what it has compiled last.
        had_jobs: whether it was ever sent any.
    """

    worker: Worker
    number: int
    jobs: Group = ()
    epochs: int = 0
    program: Program | None = None
    had_jobs: bool = False

    def take(self, group: Group) -> None:
        self.jobs, self.epochs, self.had_jobs = group, 0, True
        self.program = program_of(group[0]) or self.program
        self.worker.send(group)

    def note(self, message: Event | Raised) -> Event:
        """Remember what a message says of the worker. An error of paribus in the worker is raised here."""
        if isinstance(message, EpochDone):
            self.epochs = message.report.epoch
        elif isinstance(message, Ended):
            self.jobs = tuple(job for job in self.jobs if job != message.job)
        else:
            self.jobs = ()
        if isinstance(message, Raised):
            raise message.error
        return message


@dataclass(slots=True)
class _Work:
    """What is left of the jobs of one call: those that wait, how often each was tried, how its last worker died."""

    waiting: Waiting
    attempts: Counter[Job] = field(default_factory=Counter)
    deaths: dict[Job, str] = field(default_factory=dict)


@final
class Pool:
    """Hands jobs out to the workers of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        """``fleet`` starts the workers, and is used by no other pool."""
        self._fleet = fleet
        self._members: list[_Member] = []
        self._unsaid = False

    @property
    def has_more(self) -> bool:
        """See ``Backend.has_more``."""
        return self._unsaid or bool(self._fleet.wait([member.worker for member in self._busy()], (), 0.0))

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        """See ``Backend.run``. A job whose worker dies is tried again, ``MAX_ATTEMPTS`` times in all, then failed.

        Where the worker died because memory ran out, half as many workers go on on its host. After Ctrl-C (see
        ``Interruption``) the runs that are nearly done end first.

        Raises:
            KeyboardInterrupt: interrupted.
        """
        if not jobs:
            return
        work = _Work(Waiting(jobs, self._fleet.lanes))
        self._fleet.expect(jobs)
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
            self._unsaid = False
            self._stop(self._busy())

    def warm_up(self, jobs: int) -> None:
        """Start as many workers as these jobs will need, and have them import meanwhile.

        Args:
            jobs: how many jobs will come.
        """
        for member in self._idle(-(-jobs // self._fleet.lanes)):
            member.worker.send(WarmUp())

    def close(self) -> None:
        """Stop all workers; those that do not leave by themselves within a few seconds are killed.

        One that has had no job yet may be importing, and holds nothing: it is not waited for.
        """
        for member in self._members:
            member.worker.send(None)
        for member in self._members:
            member.worker.kill(patience=2.0 if member.had_jobs else 0.0)
            self._fleet.remove(member.worker)
        self._members.clear()
        self._fleet.close()

    def _busy(self) -> list[_Member]:
        return [member for member in self._members if member.jobs]

    def _stop(self, members: Sequence[_Member]) -> None:
        for member in members:
            self._members.remove(member)
            member.worker.kill()
            self._fleet.remove(member.worker)

    def _hand_out(self, work: _Work) -> Iterator[Event]:
        """Give every idle worker something to do."""
        for member in self._idle(work.waiting.groups):
            if not member.worker.ready:
                continue
            others = [other.program for other in self._members if other is not member]
            group = work.waiting.take(member.program, others)
            member.take(group)
            work.attempts.update(group)
            for job in group:
                if isinstance(job, TrainJob):
                    yield Started(job, work.attempts[job], work.deaths.get(job), member.number)

    def _idle(self, count: int) -> list[_Member]:
        """At most ``count`` workers without a job, those that are ready first; more are started where allowed."""
        idle = [member for member in self._members if not member.jobs]
        surplus = self._fleet.surplus([member.worker for member in idle])
        self._stop([member for member in idle if member.worker in surplus])
        idle = [member for member in idle if member.worker not in surplus]
        if len(idle) < count:
            for worker in self._fleet.start(count - len(idle)):
                idle.append(self._enroll(worker))
        idle.sort(key=lambda member: not member.worker.ready)
        return idle[:count]

    def _enroll(self, worker: Worker) -> _Member:
        numbers = {member.number for member in self._members}
        member = _Member(worker, next(number for number in itertools.count(1) if number not in numbers))
        self._members.append(member)
        return member

    def _listen(self, work: _Work, *wakes: int) -> Iterator[Event]:
        """What busy workers say, as soon as one does; or nothing, when something else wakes us."""
        talking = [member for member in self._members if member.jobs or not member.worker.ready]
        ready = self._fleet.wait([member.worker for member in talking], wakes)
        members = [member for member in talking if member.worker in ready]
        for position, member in enumerate(members, 1):
            if member not in self._members:
                continue  # stopped as surplus since: a worker that died here before it lacked memory
            messages = member.worker.listen()
            if messages is None:
                yield from self._bury(member, work)
                continue
            for number, message in enumerate(messages, 1):
                self._unsaid = position < len(members) or number < len(messages)
                yield member.note(message)
        self._unsaid = False

    def _bury(self, member: _Member, work: _Work) -> Iterator[Event]:
        """A worker died under its jobs: try those that had not ended again, or give them up with their reason.

        The last attempt is a job's own, so that none fails for what another one of its group does to workers.
        """
        host = member.worker.host
        busy = sum(other.worker.host == host for other in self._busy())
        self._members.remove(member)
        self._fleet.remove(member.worker)
        death = member.worker.bury()
        if death.memory:
            self._fleet.allow(host, max(1, busy // 2))
        for job in member.jobs:
            if work.attempts[job] == MAX_ATTEMPTS:
                yield lost_job(job, f"its worker died {MAX_ATTEMPTS} times, at last: {death.words}")
        again = [job for job in member.jobs if work.attempts[job] < MAX_ATTEMPTS]
        work.deaths.update(dict.fromkeys(again, death.words))
        for alone in (False, True):
            some = [job for job in again if (work.attempts[job] == MAX_ATTEMPTS - 1) is alone]
            work.waiting.put_back(some, alone=alone)

    def _interrupted(self) -> Interrupted:
        """Stop what is not nearly done; a describing worker has nothing to finish."""
        finishing, stopped = list[TrainJob](), list[TrainJob]()
        for member in self._busy():
            runs = [job for job in member.jobs if isinstance(job, TrainJob)]
            if runs and nearly_done(runs[0], member.epochs):
                finishing += runs
            else:
                stopped += runs
                self._stop([member])
        return Interrupted(tuple(finishing), tuple(stopped))

    def _last(self, work: _Work) -> Iterator[Event]:
        """Nothing new is started; a run whose worker dies now is left for the next time."""
        while self._busy():
            yield from self._listen(work)
