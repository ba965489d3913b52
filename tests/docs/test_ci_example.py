"""``examples/ci-check.yml``: its commands are ours, and its exit codes are those of the contract."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from paribus.cli.app import app
from processes import unmeasured

WORKFLOW: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "examples" / "ci-check.yml").read_text(encoding="utf-8")
)
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["check"]["steps"]
CHECK = next(step["run"] for step in STEPS if "paribus check" in step.get("run", ""))


def commands() -> list[list[str]]:
    """Every paribus command of the workflow, with the values of its ``env``."""
    found = []
    for step in STEPS:
        for line in re.findall(
            r"paribus [^|>\n;]+", "\n".join(re.findall(r"^ *paribus .*", step.get("run", ""), re.M))
        ):
            filled = re.sub(r"\$([A-Z]+)", lambda match: str(WORKFLOW["env"][match[1]]), line)
            found.append(shlex.split(filled)[1:])
    return found


def test_its_commands_parse() -> None:
    assert [each[0] for each in commands()] == ["run", "check", "plan", "report"]
    group: Any = typer.main.get_command(app)
    for name, *arguments in commands():
        command = group.commands[name]
        # Raises where an option does not exist or a value is of the wrong kind.
        command.make_context(name, arguments)


@pytest.mark.parametrize(
    ("code", "ends", "says"),
    [(0, 0, "Not worse"), (3, 1, "title=Worse"), (4, 1, "Undecided"), (2, 2, "exit code 2"), (5, 5, "exit code 5")],
)
def test_exit_codes_are_distinguishable(code: int, ends: int, says: str, tmp_path: Path) -> None:
    stub = tmp_path / "paribus"
    stub.write_text(f'#!/bin/sh\necho "asked: $*"\n[ "$1" = plan ] && exit 0\nexit {code}\n')
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    summary = tmp_path / "summary.md"
    environment = unmeasured() | WORKFLOW["env"] | {"GITHUB_STEP_SUMMARY": str(summary)}
    environment["PATH"] = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    # As GitHub runs a step.
    command = ["bash", "--noprofile", "--norc", "-e", "-c", CHECK]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=tmp_path)
    assert done.returncode == ends, done.stderr
    assert says in done.stdout
    assert "asked: check study.toml --new big-dropout --old big --margin 0.005" in summary.read_text()
    assert ("asked: plan" in done.stdout) == (code == 4)


def test_runs_are_kept_between_pull_requests() -> None:
    cache = next(step["with"] for step in STEPS if step.get("uses", "").startswith("actions/cache@"))
    assert "paribus-runs" in cache["path"].split()
    assert cache["key"].startswith(cache["restore-keys"])
