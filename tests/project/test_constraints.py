"""``make constraints-check``: what it finds wrong with pins. The index itself is asked by the command, not here."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "constraints.py"))
Requirement, Version, Distribution = TOOL["Requirement"], TOOL["Version"], TOOL["Distribution"]


def pin(version: str, *requirements: str) -> Any:
    return Distribution(Version(version), tuple(map(Requirement, requirements)))


def violations(roots: list[str], python: str = "3.11.2", **pins: Any) -> list[str]:
    return list(TOOL["violations"](pins, roots, python))


def test_pins_that_meet_everything() -> None:
    assert not violations(
        ["a>=1"], a=pin("1.5", "b[more]<3", "pip>=19"), b=pin("2.0", "c; extra == 'more'"), c=pin("1")
    )


@pytest.mark.parametrize(
    ("requirement", "says"),
    [
        ("b", "a==1.5 asks for b, which nothing pins"),
        ("c>=2", "a==1.5 asks for c>=2, which c==1.0 is not"),
        ("c[more]", "c==1.0 asks for d"),
    ],
)
def test_a_requirement_that_no_pin_meets(requirement: str, says: str) -> None:
    (said,) = violations(["a"], a=pin("1.5", requirement), c=pin("1.0", "d; extra == 'more'"))
    assert says in said


def test_markers_are_read_for_the_python_that_is_asked_about() -> None:
    pins = {"a": pin("1", "b; python_version < '3.12'", "c; python_full_version < '3.11.3'")}
    assert len(violations(["a"], "3.11.2", **pins)) == 2
    assert len(violations(["a"], "3.11.4", **pins)) == 1
    assert not violations(["a"], "3.12.0", **pins)


def test_a_circle_of_requirements_ends() -> None:
    assert not violations(["a"], a=pin("1", "b"), b=pin("1", "a"))


def test_the_pythons_are_those_that_the_readme_and_the_package_name() -> None:
    versions = [python.rpartition(".")[0] for python in TOOL["PYTHONS"]]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    line = next(line for line in readme.splitlines() if line.startswith("With Python ("))
    assert re.findall(r"3\.\d+", line) == versions
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"])) == versions
    assert TOOL["OLDEST"] in TOOL["PYTHONS"]
    assert TOOL["declared"]()[0].startswith("keras")
