"""Of several processes that need a program at one moment one compiles it; the others go on, and then read it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from paribus.engine import compile_once as module
from paribus.engine.compile_once import compile_once
from processes import unmeasured


class Worker:
    """Two programs, whose steps it writes down; ``train`` is compiled until it may end."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log
        self.begun, self.may_end = threading.Event(), threading.Event()

    def programs(self) -> dict[str, Callable[[], Callable[[], str]]]:
        return {"train": lambda: self.lowered("train"), "draw": lambda: self.lowered("draw")}

    def lowered(self, program: str) -> Callable[[], str]:
        self.log.append(f"{self.name} lowers {program}")
        return lambda: self.compiled(program)

    def compiled(self, program: str) -> str:
        self.log.append(f"{self.name} compiles {program}")
        if program == "train":
            self.begun.set()
            assert self.may_end.wait(10)
            self.log.append(f"{self.name} has compiled train")
        return program


def start(worker: Worker) -> threading.Thread:
    thread = threading.Thread(target=lambda: compile_once(worker.programs(), "arm"))
    thread.start()
    assert worker.begun.wait(10)
    return thread


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "programs-1").mkdir()
    monkeypatch.setenv("PARIBUS_CACHE", str(tmp_path))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "programs-1"))
    return tmp_path


def test_a_second_worker_compiles_what_nobody_does_and_then_waits(cache: Path) -> None:
    log: list[str] = []
    first, second = Worker("first", log), Worker("second", log)
    thread = start(first)
    second.may_end.set()
    threading.Timer(0.2, first.may_end.set).start()
    assert compile_once(second.programs(), "arm") == {"train": "train", "draw": "draw"}
    thread.join()
    order = ["second lowers draw", "second compiles draw", "second lowers train", "first has compiled train"]
    places = [log.index(step) for step in (*order, "second compiles train")]
    assert places == sorted(places), log
    assert list((cache / "compiling").iterdir()) == [], "no lock is left behind"


def test_one_that_takes_too_long_is_not_waited_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    log: list[str] = []
    first, second = Worker("first", log), Worker("second", log)
    thread = start(first)
    second.may_end.set()
    compile_once(second.programs(), "arm")
    assert "first has compiled train" not in log
    first.may_end.set()
    thread.join()


@pytest.mark.parametrize("other", ["another arm", "no cache"])
def test_nobody_is_waited_for_who_compiles_nothing_of_ours(
    other: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if other == "no cache":
        monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    log: list[str] = []
    first, second = Worker("first", log), Worker("second", log)
    thread = start(first)
    second.may_end.set()
    compile_once(second.programs(), "another arm" if other == "another arm" else "arm")
    assert next(step for step in log if step.startswith("second")) == "second lowers train", "in its own order"
    first.may_end.set()
    thread.join()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system pins no process to a core")
def test_a_pinned_process_compiles_on_all_its_cores_and_goes_back() -> None:
    script = """
import os
from paribus.engine import environment
from paribus.machine import Core
allowed = os.sched_getaffinity(0)
core = max(allowed)
environment.prepare(Core(core))
assert os.sched_getaffinity(0) == {core}
with environment.on_all_cores():
    assert os.sched_getaffinity(0) == allowed
assert os.sched_getaffinity(0) == {core}
"""
    subprocess.run([sys.executable, "-c", script], env=unmeasured(), check=True)
