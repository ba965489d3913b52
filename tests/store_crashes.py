"""Talking to ``store_child.py``, and what a store may hold after its steps were cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from paribus.records import RunResult
from paribus.store import base
from paribus.store.base import Store, StoredStudy
from store_examples import arm, fingerprint, holds, judgement, recipe, run

Step = tuple[Any, ...]


ANCHORS = [judgement(number).anchor for number in range(1, 5)]
NEXT_FORMAT = ("CREATE TABLE later (x)", "ALTER TABLE studies ADD COLUMN note TEXT")
"""A migration that stands in for one that a later version brings."""


def carry_out(store: Store, step: Step) -> None:
    match step:
        case ("record", number, *values):
            store.record(run(number, *values))
        case ("recipe", key, number):
            store.save_recipe(key, recipe(number))
        case ("study", name, numbers):
            store.save_study(name, "{}", [arm("a", numbers)])
        case ("judge", numbers):
            store.record_judgements([judgement(number) for number in numbers])


def first_and_last(points: Sequence[str]) -> list[int]:
    """Of each point the places where it comes first and last: a sample of a long list of points, with all of them."""
    first = {point: len(points) - 1 - index for index, point in enumerate(reversed(points))}
    last = {point: index for index, point in enumerate(points)}
    return sorted({*first.values(), *last.values()})


@dataclass(frozen=True)
class Answer:
    signal: int | None
    exit: int | None
    done: list[int]
    points: list[str]
    error: str | None
    message: str | None


class Child:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("store_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def ask(self, folder: Path, steps: list[Step], **order: Any) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "steps": steps, **order}) + "\n")
        self._process.stdin.flush()
        answer = Answer(**json.loads(self._process.stdout.readline()))
        assert answer.exit in (None, 0), "the child died of something else than a StoreError; see its stderr"
        return answer


@dataclass
class Model:
    """A store as a dictionary."""

    runs: dict[int, RunResult] = field(default_factory=dict)
    recipes: dict[str, int] = field(default_factory=dict)
    studies: dict[str, StoredStudy] = field(default_factory=dict)
    judged: tuple[int, ...] = ()

    def after(self, step: Step) -> Model:
        runs, recipes, studies, judged = dict(self.runs), dict(self.recipes), dict(self.studies), self.judged
        match step:
            case ("record", number, *values):
                new = run(number, *values)
                if number not in runs or base.gives_way(runs[number].status, new.status):
                    runs[number] = new
            case ("recipe", key, number):
                recipes[key] = number
            case ("study", name, numbers):
                studies[name] = base.extended(studies.get(name), StoredStudy(name, "{}", (arm("a", numbers),)))
            case ("judge", numbers):
                judged = tuple(dict.fromkeys((*judged, *numbers)))
        return Model(runs, recipes, studies, judged)

    def is_in(self, store: Store, numbers: Sequence[int]) -> bool:
        """Whether the store holds exactly this, as far as runs with these numbers go."""
        found = store.runs([fingerprint(number) for number in numbers])
        return (
            set(found) == {fingerprint(number) for number in self.runs}
            and all(holds(store, result) for result in self.runs.values())
            and all(store.recipe(key) == recipe(number) for key, number in self.recipes.items())
            and store.studies() == tuple(self.studies[name] for name in sorted(self.studies))
            and store.judgements(ANCHORS) == tuple(judgement(number) for number in self.judged)
        )


def model_after(steps: list[Step]) -> Model:
    model = Model()
    for step in steps:
        model = model.after(step)
    return model


@contextmanager
def quick_place() -> Iterator[Path]:
    """A folder in memory where there is one: a kill does not ask what the disk is made of, and fsync costs nothing."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


def temporaries(folder: Path) -> list[Path]:
    """What a writer makes and removes again; a journal in quarantine is the copy of one."""
    found = [path for path in folder.rglob("*") if "tmp" in path.name or "journal" in path.name]
    return [path for path in found if path.parent.name != "quarantine" or "tmp" in path.name]
