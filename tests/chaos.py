"""The long form of the chaos test: ``python tests/chaos.py --kills 200``, over ``digits``.

Random kills of drivers and workers in every part of a driver's life, several to a driver, many drivers to a round; in
between, one kill at every named point of the store, those of a cleaning, a replacement and a repair included.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

from chaos_session import Chaos, Kill, Life, Moment
from paribus.store.artifacts import parse
from paribus.store.database import DATABASE_NAME
from paribus.store.doctor import examine
from paribus.store.points import Point
from paribus.store.survey import Problem

OF_A_NEW_STORE = [
    Point.BEFORE_FOLDER,
    Point.AFTER_FOLDER,
    Point.BEFORE_LOCK,
    Point.AFTER_LOCK,
    Point.BEFORE_MIGRATION_COMMIT,
    Point.AFTER_MIGRATION_COMMIT,
]
"""Points that a round begins with."""
OF_A_RUN = list(Point)[list(Point).index(Point.BEFORE_WRITE) : list(Point).index(Point.AFTER_COMMIT) + 1]
CLEANING = [Point.BEFORE_CLEAN, Point.AFTER_CLEAN]
"""Points that come only where a killed writer left a temporary file."""
LIVES = 40
"""Lives in a round, at most."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Kill paribus until it has had enough, and see whether anything is lost."
    )
    parser.add_argument("--kills", type=int, default=200, help="random kills, beside one at every named point")
    parser.add_argument("--seeds", default="6")
    parser.add_argument("--epochs", default="2")
    parser.add_argument("--seed", type=int, default=0, help="of the chaos")
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        study = ("digits", "--seeds", asked.seeds, "--epochs", asked.epochs, "--workers", "2")
        chaos = Chaos(Path(folder), study, Random(asked.seed))
        repairs(chaos)
        print(f"{chaos.kills.total()} kills around a repair", flush=True)
        points = [*OF_A_NEW_STORE, *chaos.random.sample(OF_A_RUN, len(OF_A_RUN))]
        while points or at_random(chaos) < asked.kills:
            chaos.round(told(chaos, mixed(chaos, points, asked.kills)))
            print(
                f"round {chaos.rounds}: {at_random(chaos)} random kills so far, {len(points)} points to go, "
                f"{time.monotonic() - started:.0f} s",
                flush=True,
            )
        assert set(chaos.kills) >= set(Point), "a point was never passed"
        print(
            f"{chaos.rounds} rounds, {chaos.drivers} drivers, {at_random(chaos)} random kills and "
            f"{chaos.kills.total() - at_random(chaos)} at named points, nothing lost:"
        )
        for what, count in sorted(chaos.kills.items()):
            print(f"  {count:4} {what}")


def told(chaos: Chaos, lives: Iterator[Life]) -> Iterator[Life]:
    """The same lives, each with a line that says what was done and how far the study has come."""
    for life in lives:
        before, started = chaos.kills.copy(), time.monotonic()
        yield life
        killed = ", ".join((chaos.kills - before).elements()) or "nobody was killed"
        print(f"  {time.monotonic() - started:3.0f} s: {killed}; {chaos.runs} runs stored", flush=True)


def at_random(chaos: Chaos) -> int:
    return sum(count for what, count in chaos.kills.items() if what not in set(Point))


def mixed(chaos: Chaos, points: list[Point], kills: int) -> Iterator[Life]:
    """The lives of one round: a point of those that are still to be passed, then some random kills, and so on."""
    for life in range(LIVES):
        if not points and at_random(chaos) >= kills:
            return
        new = [point for point in points if point in OF_A_NEW_STORE]
        if points and (life == 0 or not new or points != new):
            point = new[0] if life == 0 and new else next(each for each in points if each not in OF_A_NEW_STORE)
            yield point, 1 if point in OF_A_NEW_STORE else chaos.random.randrange(1, 4)
            if chaos.kills[point]:
                points.remove(point)
                if point is Point.HALF_WRITTEN:
                    yield from ((cleaning, 1) for cleaning in CLEANING)
        for _ in range(chaos.random.randrange(4)):
            yield at_some_moment(chaos.random)


def at_some_moment(random: Random) -> list[Kill]:
    """Kills of workers, none or some, and of the driver after them, as a rule."""
    order = list(Moment)
    last = random.choices(order, [4, 6, 9, 1])[0]
    moments = sorted(random.choices(order[: order.index(last) + 1], k=random.choice([0, 0, 1, 1, 2])), key=order.index)
    kills = [Kill("worker", moment) for moment in moments]
    return kills if kills and random.random() < 0.03 else [*kills, Kill("driver", last)]


def repairs(chaos: Chaos) -> None:
    """A round with what only a repair and a replacement do: orphans that others left, and a broken database."""
    store = f"round-{chaos.rounds}"
    for removing in (Point.BEFORE_REMOVE, Point.AFTER_REMOVE):
        chaos.lives(store, (Point.AFTER_RENAME, 1))
        leave_other_bits(chaos.place / store)
        chaos.lives(store, (removing, 1))
        if removing is Point.BEFORE_REMOVE:
            for moving in (Point.BEFORE_MOVE, Point.AFTER_MOVE):
                mended(chaos, store, (moving, 1))
            # The one file was moved by the repair that was killed just after that.
        mended(chaos, store)
    for number, replacing in enumerate((Point.BEFORE_REPLACE, Point.AFTER_REPLACE)):
        database = chaos.place / store / DATABASE_NAME
        content = bytearray(database.read_bytes())
        content[4096 * (number + 1) : 4096 * (number + 1) + 64] = bytes(64)
        database.write_bytes(content)
        mended(chaos, store, (replacing, 1))
        mended(chaos, store)
    chaos.ends_well(store)
    chaos.rounds += 1


def leave_other_bits(store: Path) -> None:
    """As if who was killed had computed in another environment: his orphan has another digest in its name."""
    (orphan,) = (found.subject for found in examine(store) if found.problem is Problem.ORPHAN)
    path = store / orphan
    named = parse(path.name)
    assert named is not None
    path.rename(path.with_name(path.name.replace(named.digest, "0" * len(named.digest))))


def mended(chaos: Chaos, store: str, point: tuple[Point, int] | None = None) -> None:
    """``paribus doctor --repair``, killed at a point, or to a sound end."""
    with chaos.started(store, uuid4().hex, point, "doctor", "--repair") as doctor:
        chaos.wait(doctor)
        assert doctor.process.returncode == (0 if point is None else -signal.SIGKILL), (doctor.out(), doctor.err())
        if point is not None:
            chaos.kills[point[0]] += 1


if __name__ == "__main__":
    main()
