"""The README's two commands on a machine that has Python, git and make, and nothing more."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from proof import debian
from proof.debian import Case
from proof.records import Finding, Proof
from proof.results import ROOT

PLACE = ROOT / "out" / "proof" / "debian"
CHECKOUT = "/srv/paribus"
CASES = {
    "root": Case(root=True),
    "a plain user without a home": Case(root=False),
}
COMMANDS = {
    "make run": "make run RUN_ARGS='--max-seeds 4'",
    "make test": "make test PYTEST_ARGS=--junitxml=out/tests.xml",
}


def show(case: Case, command: str) -> Finding:
    """Run a command of the README in a fresh minimal Debian, in a fresh clone of what is committed."""
    name = "root" if case.root else "user"
    base, tree, log = debian.minimal(PLACE), PLACE / name, PLACE / f"{name}.txt"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cp", "-a", str(base), str(tree)], check=True)
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(ROOT), f"{tree}{CHECKOUT}"], check=True)
    if not case.root:
        debian.own(tree, CHECKOUT)
    begun = time.monotonic()
    code = debian.run(case, tree, command, CHECKOUT, log)
    figures: dict[str, object] = {
        "command": command.partition(" PYTEST_ARGS")[0],
        "user": "root" if case.root else f"uid {debian.USER}, no home",
        "mounted": list(case.mounts),
        "exit_code": code,
        "seconds": round(time.monotonic() - begun),
    }
    report = Path(f"{tree}{CHECKOUT}/out/tests.xml")
    if report.exists():
        figures |= outcomes(report)
    elif code == 0:
        figures["last_lines"] = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    return Finding(code == 0, figures)


def outcomes(report: Path) -> dict[str, object]:
    """Counts of tests, and the names of those that did not pass, each with the reason."""
    passed, others = 0, {"skipped": [], "failure": [], "error": []}  # type: tuple[int, dict[str, list[str]]]
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        ends = [element for element in case if element.tag in others]
        for element in ends:
            reason = (element.get("message") or "").splitlines()[:1]
            others[element.tag].append(": ".join([name, *reason]))
        passed += not ends
    return {"passed": passed, "skipped": others["skipped"], "failed": others["failure"] + others["error"]}


def _parts() -> dict[str, Callable[[], Finding]]:
    return {
        f"{who}, {name}": partial(show, case, command)
        for who, case in CASES.items()
        for name, command in COMMANDS.items()
    }


PROOF = Proof(
    "bare-machine",
    "On a minimal Debian 12 with Python, git and make, both commands end well, as root and as a plain user.",
    ("Makefile", "constraints.txt", "pyproject.toml", "README.md", "src", "tests", "tools", "examples", "proof/*.py"),
    _parts(),
)
