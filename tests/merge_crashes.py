"""Merges in processes that are killed at random moments. As a script: the merge, ``merge_crashes.py INTO STORE...``."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from paribus.runner.merge import merge_stores
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore
from paribus.store.survey import Problem
from paribus.study.load import load_study
from store_crashes import temporaries
from store_examples import DATA, arm, fingerprint, holds, judgement, run

SEEDS = 25
"""Seeds of a part."""


def content_of(folder: Path) -> dict[str, str]:
    """Every file of a folder by its digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def make_parts(place: Path, count: int = 3) -> list[Path]:
    """Stores of one study, of which each has some seeds and a judgement."""
    document = load_study("digits").model_dump_json()
    parts = []
    for number in range(count):
        seeds = list(range(SEEDS * number, SEEDS * (number + 1)))
        with SqliteStore.open(place / f"part-{number}", "write") as store:
            store.record(*map(run, seeds))
            store.save_study("digits", document, [arm("small", seeds)], DATA, seeds=SEEDS * count)
            store.record_judgements([judgement(number)])
        parts.append(place / f"part-{number}")
    return parts


def kill_merges(place: Path, kills: int, random: Random, parts: list[Path]) -> Counter[str]:
    """Merge again and again, killed at random until it was killed often enough; every merge comes to its end.

    After every kill the target has sound runs only, and the sources are as they were. At the end of a merge, which goes
    on after each kill, nothing is missing. Returns how many merges were killed, and how far they had come.
    """
    before, into = [content_of(part) for part in parts], place / "into"
    numbers = range(SEEDS * len(parts))
    tally: Counter[str] = Counter()
    duration = 1.0
    while tally.total() < kills:
        stored_before = _count(into, numbers)
        code, seconds = _merge_killed(into, parts, random.uniform(0, duration))
        if code == 0:
            duration = seconds
        else:
            assert code == -signal.SIGKILL, code
        stored = _count(into, numbers)
        assert stored >= stored_before, "a run was lost"
        if code != 0:
            tally["with all runs" if stored == len(numbers) else "in the middle" if stored else "with none"] += 1
        if into.exists():
            # What the next writer removes or takes up, and nothing else.
            assert {finding.problem for finding in examine(into)} <= {Problem.TEMPORARY, Problem.ORPHAN}
        assert [content_of(part) for part in parts] == before
        if code == 0 or tally.total() == kills:
            merge_stores(parts, into)
            check_merged(into, len(parts))
            shutil.rmtree(into)
    return tally


def check_merged(into: Path, count: int) -> None:
    """Everything of the parts is there, and nothing else."""
    numbers = list(range(SEEDS * count))
    with SqliteStore.open(into) as store:
        assert all(holds(store, run(number)) for number in numbers)
        (study,) = store.studies()
        assert [each.fingerprint for of in study.arms for each in of.runs] == list(map(fingerprint, numbers))
        assert len(store.judgements([judgement(number).anchor for number in range(count)])) == count
    assert temporaries(into) == []
    assert examine(into) == []


def _count(into: Path, numbers: range) -> int:
    """How many runs are there, all of them whole."""
    if not into.exists():
        return 0
    with SqliteStore.open(into) as store:
        stored = [number for number in numbers if store.runs([fingerprint(number)])]
        assert all(holds(store, run(number)) for number in stored)
    return len(stored)


def _merge_killed(into: Path, parts: list[Path], seconds: float) -> tuple[int, float]:
    """Start a merge and kill it so much later, once it has imported what it needs."""
    command = [sys.executable, __file__, str(into), *map(str, parts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        return process.wait(), time.monotonic() - started


if __name__ == "__main__":
    print("imported", flush=True)
    merge_stores([Path(word) for word in sys.argv[2:]], Path(sys.argv[1]))
