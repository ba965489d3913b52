"""Chaos: real drivers and workers killed by SIGKILL, at random moments and at every named point of the store.

A study is run once undisturbed. Then it is run in rounds, each from an empty store, and killed again and again until
it is done. After every driver's end: nothing that it started is alive or went on computing, every run that was told as
ended is stored as it was told, everything stored has the bits of the undisturbed run, and the doctor finds nothing but
what the next writer removes. At the end of a round: the table and every ``weights_digest`` are those of the
undisturbed run, no temporary file is left, and the doctor finds nothing. ``chaos.py`` is the long form.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from command_line import MARK, alive, all_gone, processor_seconds
from paribus.store.doctor import examine
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore
from paribus.store.survey import Problem
from processes import unmeasured
from store_crashes import temporaries

HERE = Path(__file__).parent
BOUND = 900.0
"""Seconds after which a driver is taken not to end; a test of something broken must end, too."""
AFTER_DEATH = 1.5
"""Seconds of a processor that a worker may use after its driver was killed. Importing Keras alone takes 3."""


class Moment(StrEnum):
    """Parts of a driver's life, each of which starts with something that it says (or does)."""

    START = "from its start to its plan"
    WORKERS = "while its workers start and compile"
    RUNS = "between runs, in training and recording"
    END = "after its last run, and while it answers"


@dataclass(frozen=True)
class Kill:
    """Kill the driver or one of its workers, somewhere in a part of the driver's life."""

    target: str
    moment: Moment


Life = Sequence[Kill] | tuple[Point, int]
"""What is done to one driver: kills, one after the other, or one at a named point, passed for the so-manyth time."""


@dataclass
class Chaos:
    """One session: a study, what it gives undisturbed, and what has been done to it."""

    place: Path
    arguments: tuple[str, ...]
    random: Random
    kills: Counter[str] = field(default_factory=Counter)
    drivers: int = 0
    rounds: int = 0
    runs: int = 0
    lasting: dict[Moment, float] = field(default_factory=dict)
    """How long each part of a life lasted when it was last seen whole; the machine is now slow, now quick."""

    def __post_init__(self) -> None:
        self.wanted = self.finished("undisturbed")
        self.bits = self.stored("undisturbed")
        assert self.bits, "nothing is stored of an undisturbed run"

    def environment(self, mark: str) -> dict[str, str]:
        (self.place / "tmp").mkdir(exist_ok=True)
        return {
            **unmeasured(),
            MARK: mark,
            "TMPDIR": str(self.place / "tmp"),
            "PARIBUS_CACHE": str(self.place / "cache"),
        }

    def started(self, store: str, mark: str, point: tuple[Point, int] | None = None, *doctor: str) -> Driver:
        start = ["-m", "paribus"] if point is None else [str(HERE / "chaos_driver.py"), point[0], str(point[1])]
        words = doctor or ("run", *self.arguments, "--json")
        self.drivers += 1
        command = [sys.executable, *start, *words, "--store", str(self.place / store)]
        return Driver(command, self.environment(mark), self.place / "said", mark)

    def finished(self, store: str) -> Any:
        """Run undisturbed to the end: the whole answer but the seconds."""
        with self.started(store, uuid4().hex) as driver:
            self.wait(driver)
            assert driver.process.returncode == 0, driver.err()
            return timeless(json.loads(driver.out()))

    def wait(self, driver: Driver) -> None:
        """See a driver through to its end, whatever it dies of."""
        while not driver.ended():
            self.watch(driver)
        if driver.process.returncode == 0:
            self.lasting[driver.seen] = time.monotonic() - driver.since

    def watch(self, driver: Driver) -> None:
        """Look once, and note how long the parts of its life last."""
        time.sleep(0.01)
        moment, since = driver.moment(), time.monotonic()
        if moment != driver.seen:
            # Between runs: as long as one of them.
            share = len(driver.told()) if driver.seen is Moment.RUNS else 1
            self.lasting[driver.seen] = (since - driver.since) / share
            driver.seen, driver.since = moment, since

    def lives(self, store: str, life: Life) -> bool:
        """Start a driver, do to it what is to be done, and look at what is left; whether the study is done."""
        mark = uuid4().hex
        point = life if isinstance(life[0], Point) else None
        with self.started(store, mark, point) as driver:  # type: ignore[arg-type]
            used = None
            for kill in () if point else life:
                used = self.kill(driver, kill)  # type: ignore[arg-type]
            self.wait(driver)
            if point:
                self.kills[point[0]] += driver.process.returncode == -signal.SIGKILL
            self.look(store, driver, used or {})
            return driver.process.returncode == 0

    def kill(self, driver: Driver, kill: Kill) -> dict[int, float]:
        """Wait for the moment, then kill; for a driver, what each of its workers had used of a processor by then."""
        self.wait_for(driver, kill.moment)
        while kill.target == "worker" and not driver.ended() and not driver.workers():
            self.watch(driver)
        victims = [driver.process.pid] if kill.target == "driver" else driver.workers()
        if driver.ended() or not victims:
            return {}
        used = {pid: processor_seconds(pid) for pid in driver.workers()} if kill.target == "driver" else {}
        try:
            os.kill(self.random.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return {}
        self.kills[f"{kill.target}, {driver.moment()}"] += 1
        return used

    def wait_for(self, driver: Driver, moment: Moment) -> None:
        """Until a moment in a part of the driver's life: at random, but not after the end of that part."""
        order = list(Moment).index(moment)
        while not driver.ended() and driver.order() < order:
            self.watch(driver)
        runs = len(driver.told()) + (self.random.randrange(4) if moment is Moment.RUNS else 0)
        while not driver.ended() and driver.order() == order and len(driver.told()) < runs:
            self.watch(driver)
        until = time.monotonic() + self.random.uniform(0, self.lasting.get(moment, 1.0))
        while not driver.ended() and driver.order() == order and time.monotonic() < until:
            self.watch(driver)

    def look(self, store: str, driver: Driver, used: dict[int, float]) -> None:
        """Whether anything is lost, left, broken or still at work after a driver's end."""
        assert "Traceback" not in driver.err(), driver.err()
        assert driver.process.returncode in (0, 1, -signal.SIGKILL), (driver.process.returncode, driver.err())
        after = all_gone(driver.mark)
        assert after is not None, "a process outlived its driver"
        busy = max((after.get(pid, 0.0) - before for pid, before in used.items()), default=0.0)
        assert busy < AFTER_DEATH, f"a worker went on computing for {busy:.1f} s after its driver had been killed"
        assert list((self.place / "tmp").iterdir()) == [], "something was left in the folder for temporary files"
        stored = self.stored(store)
        self.runs = len(stored)
        assert stored.items() <= self.bits.items(), "a run with other bits"
        for run, accuracy in driver.told():
            assert stored.get(run, ("nothing",))[0] == accuracy, f"{run} was told as ended and is lost"
        assert {each.problem for each in examine(self.place / store)} <= {Problem.TEMPORARY, Problem.ORPHAN}

    def stored(self, store: str) -> dict[str, tuple[str, ...]]:
        """The accuracy and the digest of every run that has any, by its name as it is told."""
        with SqliteStore.open(self.place / store) as opened:
            names = {
                run.fingerprint: f"{arm.name} seed {run.seeds.seed}"
                for study in opened.studies()
                for arm in study.arms
                for run in arm.runs
            }
            return {
                names[name]: (f"{run.scores.test_accuracy:.4f}", str(run.weights_digest))
                for name, run in opened.runs(list(names)).items()
                if run.scores is not None
            }

    def round(self, lives: Iterable[Life]) -> None:
        """From an empty store, through as many lives as it takes (or there are), to the end."""
        store = f"round-{self.rounds}"
        for life in lives:
            if self.lives(store, life):
                break
        self.ends_well(store)
        self.rounds += 1

    def ends_well(self, store: str) -> None:
        # Opening for writing cleans up after whoever was killed last.
        assert self.finished(store) == self.wanted, "another table, or other weights"
        assert temporaries(self.place / store) == []
        assert examine(self.place / store) == []


class Driver:
    """A driver in a process of its own, with what it says; it is gone at the end, whatever happens."""

    def __init__(self, command: list[str], environment: dict[str, str], said: Path, mark: str) -> None:
        self.mark = mark
        self.seen, self.since = Moment.START, time.monotonic()
        self._begun = self.since
        self._out, self._err = said.with_suffix(".out"), said.with_suffix(".err")
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def ended(self) -> bool:
        assert time.monotonic() < self._begun + BOUND, "the driver did not end"
        return self.process.poll() is not None

    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def told(self) -> list[tuple[str, str]]:
        """The runs that were told as ended, with the accuracy that was told."""
        return re.findall(r"^\[ *\d+/\d+\] (.*?); test accuracy ([\d.]+)", self.err(), re.MULTILINE)

    def workers(self) -> list[int]:
        return [pid for pid in alive(self.mark) if pid != self.process.pid]

    def moment(self) -> Moment:
        return list(Moment)[self.order()]

    def order(self) -> int:
        said = self.err()
        if re.search(r"; done$", said, re.MULTILINE):
            return 3
        if "\n[" in said:
            return 2
        return 1 if " in all, " in said else 0


def timeless(value: Any) -> Any:
    """Without the seconds, which nobody promises."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key != "seconds"}
    return [timeless(item) for item in value] if isinstance(value, list) else value
