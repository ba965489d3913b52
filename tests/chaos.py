"""Chaos: real drivers and workers killed by SIGKILL, at random moments and at every named point of the store.

A study is run once undisturbed. Then it is run in rounds, each from an empty store, and killed again and again until
it is done. After every kill: everything that the driver started is gone, no run that was told as ended is lost. At the
end of a round: the table and every ``weights_digest`` are those of the undisturbed run, no temporary file is left, and
the doctor finds nothing. The long form: ``python tests/chaos.py --kills 200``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from command_line import MARK, alive, all_gone
from paribus.store.doctor import examine
from paribus.store.points import Point
from paribus.store.sqlite import SqliteStore
from store_crashes import temporaries

HERE = Path(__file__).parent
NOT_IN_A_RUN = {Point.BEFORE_MOVE, Point.AFTER_MOVE, Point.BEFORE_REPLACE, Point.AFTER_REPLACE}
"""Points of a repair."""
AFTER_A_TEMPORARY = {Point.BEFORE_CLEAN, Point.AFTER_CLEAN}
"""Points that come only where a killed writer left a temporary file."""
OF_A_REPLACEMENT = {Point.BEFORE_REMOVE, Point.AFTER_REMOVE}
"""Points that come only where a run with scores replaces one."""
POINTS = tuple(point for point in Point if point not in NOT_IN_A_RUN | AFTER_A_TEMPORARY | OF_A_REPLACEMENT)
IN_EVERY_RUN = POINTS[POINTS.index(Point.BEFORE_WRITE) :]


@dataclass
class Chaos:
    """One session: a study, what it gives undisturbed, and what has been done to it."""

    place: Path
    arguments: tuple[str, ...]
    random: Random
    kills: Counter[str] = field(default_factory=Counter)
    drivers: int = 0
    rounds: int = 0

    def __post_init__(self) -> None:
        started = time.monotonic()
        self.wanted = self.finished("undisturbed")
        self.seconds = time.monotonic() - started

    def environment(self, mark: str) -> dict[str, str]:
        (self.place / "tmp").mkdir(exist_ok=True)
        return {**os.environ, MARK: mark, "TMPDIR": str(self.place / "tmp"), "PARIBUS_CACHE": str(self.place / "cache")}

    def command(self, store: str, *, point: tuple[Point, int] | None = None) -> list[str]:
        start = ["-m", "paribus"] if point is None else [str(HERE / "chaos_driver.py"), point[0], str(point[1])]
        return [sys.executable, *start, "run", *self.arguments, "--store", str(self.place / store), "--json"]

    def finished(self, store: str) -> Any:
        """Run undisturbed to the end: the whole answer but the seconds."""
        run = subprocess.run(self.command(store), capture_output=True, text=True, env=self.environment(uuid4().hex))
        assert run.returncode == 0, run.stderr
        self.drivers += 1
        return timeless(json.loads(run.stdout))

    def killed(self, store: str, *, target: str, point: tuple[Point, int] | None = None) -> bool:
        """Start a driver and kill it at a point, or it or a worker at a random moment; whether the study is done."""
        before, mark = self.stored(store), uuid4().hex
        driver = subprocess.Popen(
            self.command(store, point=point),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(mark),
        )
        self.drivers += 1
        if point is None:
            time.sleep(self.random.uniform(0, self.seconds))
            # A machine that others use as well is now slow, now quick: the moments follow.
            self.seconds *= 1.1 if self.kill(driver, mark, target) else 0.9
        _, err = driver.communicate()
        if point is not None:
            self.kills[point[0]] += driver.returncode == -signal.SIGKILL
        assert "Traceback" not in err, err
        assert driver.returncode in (0, 1, -signal.SIGKILL), (driver.returncode, err)
        assert all_gone(mark), "a process outlived its driver"
        assert list((self.place / "tmp").iterdir()) == [], "something was left in the folder for temporary files"
        told = sum("; test accuracy" in line for line in err.splitlines())
        assert self.stored(store) >= before + told, "a run that had ended is lost"
        return driver.returncode == 0

    def kill(self, driver: subprocess.Popen[str], mark: str, target: str) -> bool:
        victims = [driver.pid] if target == "driver" else [pid for pid in alive(mark) if pid != driver.pid]
        if not victims or driver.poll() is not None:
            return driver.poll() is None
        try:
            os.kill(self.random.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return True
        self.kills[target] += 1
        return True

    def stored(self, store: str) -> int:
        with SqliteStore.open(self.place / store) as opened:
            found = [run.fingerprint for study in opened.studies() for arm in study.arms for run in arm.runs]
            return len(opened.runs(found))

    def round(self, kills: Iterator[tuple[str, tuple[Point, int] | None]]) -> None:
        """From an empty store, through as many kills as it takes (or there are), to the end."""
        store = f"round-{self.rounds}"
        for target, point in kills:
            if self.killed(store, target=target, point=point):
                break
        # Opening for writing cleans up after whoever was killed last.
        assert self.finished(store) == self.wanted, "another table, or other weights"
        assert temporaries(self.place / store) == []
        assert examine(self.place / store) == []
        self.rounds += 1


def timeless(value: Any) -> Any:
    """Without the seconds, which nobody promises."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key != "seconds"}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Kill paribus until it has had enough, and see whether anything is lost."
    )
    parser.add_argument("--kills", type=int, default=200, help="random kills, beside one at every named point")
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--epochs", default="2")
    parser.add_argument("--seed", type=int, default=0, help="of the chaos")
    asked = parser.parse_args()
    random = Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        study = ("digits", "--seeds", asked.seeds, "--epochs", asked.epochs, "--workers", "2")
        chaos = Chaos(Path(folder), study, random)
        # A second time with the compiled programs at hand: how long a driver lives that has everything to compute.
        started = time.monotonic()
        assert chaos.finished("again") == chaos.wanted
        chaos.seconds = time.monotonic() - started
        print(f"undisturbed: {chaos.seconds:.1f} s", flush=True)
        points = [(point, 1 + random.randrange(6 if point in IN_EVERY_RUN else 1)) for point in POINTS]
        while points or chaos.kills["driver"] + chaos.kills["worker"] < asked.kills:
            chaos.round(_mixed(chaos, points))
            print(f"round {chaos.rounds}: {chaos.kills.total()} kills so far, {len(points)} points to go", flush=True)
        print(f"{chaos.rounds} rounds, {chaos.drivers} drivers, {chaos.kills.total()} kills, nothing lost:")
        for what, count in sorted(chaos.kills.items()):
            print(f"  {count:4} {what}")


def _mixed(chaos: Chaos, points: list[tuple[Point, int]]) -> Iterator[tuple[str, tuple[Point, int] | None]]:
    """One of the points that are still to be passed, then some random kills, and so on."""
    while True:
        if points:
            point, times = points.pop(0)
            before = chaos.kills[point]
            yield "driver", (point, times)
            if chaos.kills[point] == before:
                points.append((point, 1))  # it was not passed: everything was stored already
        for _ in range(3):
            yield chaos.random.choice(["driver", "driver", "worker"]), None


if __name__ == "__main__":
    main()
