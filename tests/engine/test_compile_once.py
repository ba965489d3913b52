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
from paribus.engine.compile_once import Packing, compile_once
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


HANDED_ON: Packing[str] = Packing(str.encode, lambda packed: f"{packed.decode()} as handed on")


def start(worker: Worker, packing: Packing[str] | None = None) -> threading.Thread:
    thread = threading.Thread(target=lambda: compile_once(worker.programs(), "arm", packing))
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


def test_a_worker_of_the_same_command_is_handed_the_program_and_does_not_lower_it(cache: Path) -> None:
    log: list[str] = []
    first, second = Worker("first", log), Worker("second", log)
    thread = start(first, HANDED_ON)
    threading.Timer(0.2, first.may_end.set).start()
    assert compile_once(second.programs(), "arm", HANDED_ON) == {"train": "train as handed on", "draw": "draw"}
    thread.join()
    assert [step for step in log if step.startswith("second")] == ["second lowers draw", "second compiles draw"]
    assert list((cache / "compiling").iterdir()) == []


@pytest.mark.parametrize("why", ["another command", "not to be packed", "a full disk", "half of it"])
def test_a_program_that_is_not_handed_on_is_lowered_and_read_from_the_cache(
    why: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    first, second = Worker("first", log), Worker("second", log)
    write = os.write

    def failing(descriptor: int, content: bytes) -> int:
        if len(content) > 32 + len("trai"):  # a digest, and more than half of the program
            if why == "half of it":
                write(descriptor, content[:34])
            raise OSError(28, "No space left on device")
        return write(descriptor, content)

    packing: Packing[str] = Packing(lambda _: None, bytes.decode) if why == "not to be packed" else HANDED_ON
    thread = start(first, packing)
    if why in ("a full disk", "half of it"):
        monkeypatch.setattr(os, "write", failing)
    if why == "another command":
        monkeypatch.setattr(os, "getppid", lambda: 1)
    second.may_end.set()
    threading.Timer(0.2, first.may_end.set).start()
    assert compile_once(second.programs(), "arm", packing) == {"train": "train", "draw": "draw"}
    thread.join()
    lowered, ended = log.index("second lowers train"), log.index("first has compiled train")
    assert (lowered < ended) == (why == "another command"), "who cannot be handed it lowers it meanwhile"


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


WORKER = """
import sys, time
from pathlib import Path
from paribus.engine import environment
from paribus.machine import list_cores
environment.prepare(list_cores()[0] if sys.argv[4] == "pinned" else None)
import digits_jobs
from paribus.engine import compile, packing
from paribus.engine.compile_once import Packing
from paribus.engine.engine import Engine
handed_on = []
ours = packing.PACKING
compile.PACKING = Packing(ours.pack, lambda packed: handed_on.append(packed) or ours.unpack(packed))
engine = Engine()
job = digits_jobs.train_job(engine.describe(digits_jobs.describe_job(digits_jobs.arm(digits_jobs.DROPOUT))))
folder, mine, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(folder / mine).touch()
while not (folder / other).exists():
    time.sleep(0.005)
result = engine.run(job)
print(len(handed_on), result.weights_digest, result.scores)
"""


@pytest.mark.parametrize("pinned", [True, False])
def test_two_workers_of_one_command_train_to_the_same_bits_with_one_program(pinned: bool, tmp_path: Path) -> None:
    """Processes that are no workers may have the same parent, a shell, and another Keras."""
    line, how = [sys.executable, "-c", WORKER, str(tmp_path)], "pinned" if pinned else "anywhere"
    ours = ("XLA_", "PJRT_", "KERAS_", "JAX_")
    environment = {name: value for name, value in unmeasured().items() if not name.startswith(ours)}
    environment |= {"PARIBUS_CACHE": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen([*line, *names], env=environment, stdout=subprocess.PIPE, text=True)
        for names in (("one", "other", how), ("other", "one", how))
    ]
    (handed_to_one, *one), (handed_to_other, *other) = (
        process.communicate()[0].split(maxsplit=1) for process in started
    )
    assert [process.returncode for process in started] == [0, 0]
    assert one == other
    assert (int(handed_to_one) + int(handed_to_other) >= 1) == pinned
    assert list((tmp_path / "cache" / "compiling").iterdir()) == []
