"""Whether the tests of reliability fail when the thing is broken: ``python tests/mutants.py``.

Each mutant is paribus with one promise broken, in a copy; the tests that are named for it must fail, and end. A few
minutes in all. docs/reliability.md has the table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHAOS = "store/test_chaos.py"
BOUND = 1200
"""Seconds after which a test is taken not to end, which is no way to fail."""


RECORDED = "        if runs:\n            self._store.record(*(run.result for run in runs))\n"
TOLD = "        for run in runs:\n            self._display.show(run)\n"


@dataclass(frozen=True)
class Mutant:
    """What is broken, by replacing text in one file, and the tests that must notice."""

    broken: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "workers do not watch their driver (no lifeline)",
        "backends/worker.py",
        "    os.read(lifeline, 1)\n    os._exit(1)",
        "    os.read(lifeline, 1)",
        (CHAOS, "backends/test_contract.py::test_workers_do_not_outlive_a_driver_that_is_killed"),
    ),
    Mutant(
        "runs are told and not recorded",
        "runner/recorder.py",
        RECORDED,
        "",
        (CHAOS,),
    ),
    Mutant(
        "a run is told before it is recorded",
        "runner/recorder.py",
        RECORDED + TOLD,
        TOLD + RECORDED,
        (CHAOS,),
    ),
    Mutant(
        "an artifact is renamed without fsync",
        "store/durable.py",
        "os.fsync(",
        "(lambda descriptor: None)(",
        ("store/test_power.py",),
    ),
    Mutant(
        "the digest of an artifact is not looked at",
        "store/artifacts.py",
        "        if digest != sha256:",
        "        if False:",
        ("store/test_sqlite.py::test_damaged_artifacts_are_named_and_the_rest_works", "store/test_doctor.py"),
    ),
    Mutant(
        "temporary files of killed writers stay",
        "store/artifacts.py",
        "            if _TEMPORARY.fullmatch(path.name):",
        "            if False:",
        # Chaos cannot see it: whoever computes the same run again takes the file up.
        ("store/test_crash.py::test_killed_at_every_point",),
    ),
    Mutant(
        "the writer's lock is not taken",
        "store/lock.py",
        "            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "            pass",
        ("store/test_sqlite.py::test_a_second_writer_is_refused_by_name_of_the_first",),
    ),
    Mutant(
        "the row is committed before its files are there",
        "store/sqlite.py",
        "                digests = self._artifacts.write(contents)\n"
        "                with transaction(connection, self._at):\n"
        "                    self._at(Point.BEFORE_INSERT)\n"
        "                    for name, (result, _) in accepted.items():\n"
        "                        queries.put_run(connection, result, digests[name])\n"
        "                    self._at(Point.AFTER_INSERT)\n",
        "                import hashlib\n"
        "\n"
        "                digests = {\n"
        "                    name: {kind: hashlib.sha256(content).hexdigest() for kind, content in by_kind.items()}\n"
        "                    for name, by_kind in contents.items()\n"
        "                }\n"
        "                with transaction(connection, self._at):\n"
        "                    self._at(Point.BEFORE_INSERT)\n"
        "                    for name, (result, _) in accepted.items():\n"
        "                        queries.put_run(connection, result, digests[name])\n"
        "                    self._at(Point.AFTER_INSERT)\n"
        "                self._artifacts.write(contents)\n",
        (CHAOS, "store/test_crash.py::test_killed_at_every_point"),
    ),
    Mutant(
        "a run that is tried again has another seed",
        "backends/worker.py",
        "        return [Ended(job, result) for job, result in zip(runs, runner.run(runs, on_epoch), strict=True)]",
        "        from dataclasses import replace\n\n"
        "        moved = os.getpid() % 2\n"
        "        others = [replace(job, seeds=replace(job.seeds, init=job.seeds.init + moved)) for job in runs]\n"
        "        results = runner.run(others, on_epoch)\n"
        "        return [Ended(j, replace(r, seeds=j.seeds)) for j, r in zip(runs, results, strict=True)]",
        (CHAOS,),
    ),
    Mutant(
        "every SIGKILL is taken for a lack of memory",
        "backends/oom.py",
        "        return risen",
        "        return True",
        ("backends/test_oom.py::test_a_killed_worker",),
    ),
    Mutant(
        "a cut-off compiled program stays",
        "engine/compilation_cache.py",
        "        _remove_damaged(name)",
        "        pass",
        ("engine/test_compilation_cache.py",),
    ),
    Mutant(
        "what a killed process left beside Python's arrays stays",
        "files/temporary.py",
        "    remove_left(parent)\n",
        "",
        ("data/test_arrays.py::test_what_a_killed_process_left_goes_and_what_another_works_on_stays",),
    ),
)


def caught(mutant: Mutant, test: str, place: Path) -> str:
    """How a test takes a mutant: ``caught``, ``passed``, or that it did not end."""
    shutil.copytree(ROOT / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__"))
    path = place / "src" / "paribus" / mutant.file
    text = path.read_text(encoding="utf-8")
    assert mutant.old in text, f"{mutant.file} has changed: {mutant.broken}"
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(ROOT / "tests" / test)]
    environment = {**os.environ, "PYTHONPATH": str(place / "src")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=BOUND, check=False
        )
    except subprocess.TimeoutExpired:
        return "DID NOT END"
    if done.returncode == 0:
        return "PASSED"
    reasons = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    return f"caught: {reasons[0][1:].strip()[:110]}" if reasons else f"exit code {done.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Break paribus in known ways and see which test fails.")
    parser.add_argument("--only", default="", help="mutants whose description holds these words")
    asked = parser.parse_args()
    missed = 0
    for mutant in MUTANTS:
        if asked.only not in mutant.broken:
            continue
        for test in mutant.tests:
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                answer = caught(mutant, test, Path(folder))
            missed += not answer.startswith("caught")
            print(f"{mutant.broken} | {test} | {answer} ({time.monotonic() - started:.0f} s)", flush=True)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
