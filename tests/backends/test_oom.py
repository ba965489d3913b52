"""Want of memory is told from any other SIGKILL by the kernel's counters: real kills, with real and faked counts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from paribus.backends import process
from paribus.backends.local import LocalBackend
from paribus.backends.oom import OomKills, kernel_kills
from paribus.records import Started
from processes import STUB, own_workers
from stub_jobs import job

V1 = "8:pids:/\n4:memory:/a/b\n1:name=systemd:/\n0::/\n"
V2 = "0::/user.slice/x\n"
COUNTERS = [
    (V2, {"sys/fs/cgroup/user.slice/x/memory.events": "low 0\noom 4\noom_kill 3\noom_group_kill 0\n"}, 3),
    (V2, {"sys/fs/cgroup/memory.events": "oom_kill 2\n", "proc/vmstat": "oom_kill 9\n"}, 2),
    (V2, {"proc/vmstat": "nr_free_pages 12\noom_kill 9\n"}, 9),
    (V1, {"sys/fs/cgroup/memory/a/b/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"}, 5),
    (V1, {"sys/fs/cgroup/memory/memory.oom_control": "oom_kill 6\n", "sys/fs/cgroup/memory.events": "oom_kill 1\n"}, 6),
    (V1, {"sys/fs/cgroup/memory/a/b/memory.oom_control": "under_oom 0\n", "proc/vmstat": "oom_kill 7\n"}, 7),
    (V2, {"sys/fs/cgroup/user.slice/x/memory.events": "oom_kill many\n", "proc/vmstat": "\xff"}, None),
    (V2, {}, None),
    (None, {"proc/vmstat": "oom_kill 8\n"}, 8),
    (None, {}, None),
]


@pytest.mark.parametrize(("groups", "files", "count"), COUNTERS)
def test_the_most_telling_counter_is_read(
    tmp_path: Path, groups: str | None, files: dict[str, str], count: int | None
) -> None:
    for name, content in (files | ({"proc/self/cgroup": groups} if groups else {})).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="latin-1")
    assert kernel_kills(tmp_path) == count


def test_one_kill_explains_one_death() -> None:
    count: int | None = 5
    kills = OomKills(lambda: count)
    first, second, third = (kills.unexplained() for _ in range(3))
    count = 7
    assert [kills.explain(first), kills.explain(second), kills.explain(third)] == [True, True, False]
    assert kills.explain(kills.unexplained()) is False, "what happened before the job is not its reason"
    count = None
    assert kills.explain(kills.unexplained()) is None


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MODULE", "stub_worker")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )


DEATHS = [
    (lambda died: 0, 2, "killed by SIGKILL, but not by the kernel: memory had not run out"),
    (lambda died: 3 + died(), 1, "killed by SIGKILL by the kernel, out of memory"),
    (
        lambda died: None,
        1,
        "killed by SIGKILL, as the kernel does when memory runs out (whether it did cannot be known on this system)",
    ),
]


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(("count", "workers", "words"), DEATHS, ids=["by a user", "by the kernel", "nobody can tell"])
def test_a_killed_worker(
    tmp_path: Path, count: Callable[[Callable[[], int]], int | None], workers: int, words: str
) -> None:
    """The worker is really killed; what the kernel has counted is made up."""
    killed = job(f"killed@{tmp_path}", 9)
    with LocalBackend(2, kills=lambda: count(lambda: len(list(tmp_path.iterdir())))) as backend:
        events = list(backend.run([job("fine", 8), killed]))
        assert [event.death for event in events if isinstance(event, Started) and event.attempt > 1] == [words]
        list(backend.run([job("fine", seed) for seed in range(4)]))
        assert len(own_workers(STUB)) == workers


@contextlib.contextmanager
def limited_group() -> Iterator[Path]:
    """A control group of 400 MiB, below this process's own; skipped where none may be made."""
    name, place = f"paribus-test-{uuid4().hex}", Path("/sys/fs/cgroup")
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    old = "memory" in paths
    group = (place / "memory" if old else place) / paths["memory" if old else ""].lstrip("/") / name
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(400 << 20))
        if not old:
            (group / "memory.swap.max").write_text("0")
    except OSError as error:
        pytest.skip(f"no control group of its own may be made here: {error.strerror}")
    yield group
    while (group / "cgroup.procs").read_text():
        time.sleep(0.02)
    group.rmdir()


DRIVER = """
import os, sys
from pathlib import Path
Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
from paribus.backends import process
from paribus.backends.local import LocalBackend
from paribus.records import DataSpec, Ended, Recipe, Seeds, Started, Training, TrainJob
def job(how, seed):
    nothing = Recipe("{}", "{}", 1, ())
    return TrainJob(how, how, Seeds.of(seed), nothing, Training("{}", 4, 10), DataSpec("digits"))
process.MODULE = "stub_worker"
with LocalBackend(2) as backend:
    for event in backend.run([job("fine", 1), job("hungry@" + sys.argv[2], 2), job("killed@" + sys.argv[2], 3)]):
        if isinstance(event, Started) and event.death:
            print(event.job.arm.partition("@")[0], event.death)
        if isinstance(event, Ended):
            print(event.job.arm.partition("@")[0], event.result.status)
"""


def test_the_kernel_itself_kills_a_worker(tmp_path: Path) -> None:
    """In a control group of its own with too little memory, beside a worker that is killed by hand."""
    here = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with limited_group() as group:
        command = [sys.executable, "-c", DRIVER, str(group), str(tmp_path)]
        driver = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": here})
    assert driver.returncode == 0, driver.stderr
    said = driver.stdout.splitlines()
    assert "hungry killed by SIGKILL by the kernel, out of memory" in said
    assert "killed killed by SIGKILL, but not by the kernel: memory had not run out" in said
    assert sorted(line for line in said if line.endswith("finished")) == [
        "fine finished",
        "hungry finished",
        "killed finished",
    ]
