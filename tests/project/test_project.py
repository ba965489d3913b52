"""The project's frame: commands, versions, constraints, what is imported when, and what never enters the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import paribus
from paribus.version import __version__
from project_files import HEAVY, ROOT, imported_by

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
MAX_LINES = 400
COMPUTES = {"keras", "jax", "jaxlib"}
SLOW = {"sklearn", "pandas", "pyarrow", "matplotlib"}
"""What reading stored results has no use for; Matplotlib draws the figures of HTML."""


def tracked() -> list[Path]:
    """Every file that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """A file's text; empty for binary files."""
    content = path.read_bytes()
    return "" if b"\0" in content[:4096] else content.decode("utf-8", errors="replace")


def test_public_names_are_pinned() -> None:
    classes, functions = {"Ablation", "Contrast", "ParibusError", "Results", "Study"}, {"ablate", "compare", "judge"}
    things = {*classes, *functions, "load_results"}
    packages = {"analysis", "data", "errors"}
    assert set(paribus.__all__) == {"__version__", *things, *packages}
    assert all(hasattr(paribus, name) for name in paribus.__all__)


def test_the_changelog_opens_with_the_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == __version__
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/paribus/version.py"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["show", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"sys.argv = ['paribus', *{arguments}]\ntry:\n    from paribus.cli import main; main()\nexcept SystemExit: pass"
    )
    assert not imported_by(code) & HEAVY


def test_only_the_variables_that_help_names_are_read() -> None:
    environment = os.environ | {"PARIBUS_VERSION": "1", "PARIBUS_STUDIES_JSON": "1"}
    command = [sys.executable, "-m", "paribus", "studies"]
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert result.stdout.split()[:2] == ["study", "question"]


def test_importing_paribus_imports_nothing_heavy() -> None:
    assert not imported_by("import paribus") & (HEAVY | {"pydantic", "typer", "rich"})


def test_the_driver_of_a_study_never_imports_keras() -> None:
    modules = (
        "runner.run",
        "results.assemble",
        "backends.local",
        "store.sqlite",
        "data",
        "study.load",
        "display.live",
        "report.terminal",
    )
    code = "\n".join(f"import paribus.{module}" for module in modules)
    assert not imported_by(code) & COMPUTES


def test_workers_are_started_before_what_judges_is_imported(tmp_path: Path) -> None:
    code = f"""
import paribus.backends.process as process
started = []
def leave(*_):
    started.append(set(sys.modules))
    raise SystemExit
process.Process.__init__ = leave
sys.argv = ["paribus", "run", "digits", "--store", {str(tmp_path / "store")!r}]
try:
    from paribus.cli import main; main()
except SystemExit:
    pass
(before,) = started
late = ("paribus.analysis", "paribus.results", "paribus.report", "scipy", "keras", "jax")
assert [name for name in before if name.startswith(late)] == []
"""
    assert imported_by(code)


def test_importing_the_report_draws_nothing() -> None:
    assert not imported_by("import paribus.report") & (COMPUTES | SLOW)


@pytest.mark.parametrize(
    ("arguments", "drawn"),
    [
        *[(["report", "digits", "--format", kind], False) for kind in ("md", "latex", "csv", "json")],
        (["show", "digits"], False),
        (["compare", "digits", "small", "large"], False),
        (["report", "digits", "-o", "-"], True),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_stored_results_are_read_without_what_trains_and_draws(
    arguments: list[str], drawn: bool, tmp_path: Path
) -> None:
    """Matplotlib takes a quarter of a second and scikit-learn two: they load where a figure or an estimator is made.

    ``scipy.stats`` takes half a second, and what is needed of it is in ``scipy.special``.
    """
    store = shutil.copytree(ROOT / "tests" / "fixtures" / "store-v2-studies", tmp_path / "store")
    code = (
        f"sys.argv = ['paribus', *{arguments}, '--store', {str(store)!r}]\n"
        "try:\n    from paribus.cli import main; main()\nexcept SystemExit as end: assert not end.code\n"
        "assert 'scipy.stats' not in sys.modules"
    )
    slow = SLOW - {"matplotlib"} if drawn else SLOW
    assert not imported_by(code) & (COMPUTES | slow)


def test_every_make_target_is_documented_by_make_help() -> None:
    result = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(re.findall(r"^make ([a-z-]+) +\w", result.stdout, re.MULTILINE)) == TARGETS


def test_ci_runs_what_contributors_run() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"set -euo pipefail", "make test"} <= set(script)
    (first,) = [line.split() for line in script if line.startswith("make -j2 ")]
    assert {"check", "site", "dist"} <= set(first)


def test_ci_installs_nothing_besides() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert not re.search(r"apt|pip3? |install(?!ed)|\bCI=", script)


def test_constraints_pin_everything_that_is_declared_and_nothing_local() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [re.fullmatch(r"([A-Za-z0-9._-]+)==[0-9][0-9A-Za-z.]*", line) for line in lines]
    assert all(pinned), [line for line, match in zip(lines, pinned, strict=True) if not match]
    names = {re.sub(r"[-_.]+", "-", match[1]).lower() for match in pinned if match}
    extras = PROJECT["project"]["optional-dependencies"].values()
    declared = [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)]
    wanted = {re.split(r"[\[<>=! ]", each)[0].lower() for each in declared} - {"paribus"}
    assert wanted <= names
    assert not names & {"torch", "tensorflow", "pip", "setuptools", "paribus"}


# Written so that this file does not match itself.
FOREIGN = re.compile(
    r"(?<![\w.~-])/(?:wor[k]|roo[t]|home|opt|Users)/\w"
    r"|index-ur[l]|pypi\.or[g]|pythonhosted\.or[g]|npmjs\.co[m]|deb\.debian\.or[g]"
)


def test_no_path_of_a_machine_and_no_registry_is_committed() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert not found


def test_that_search_finds_them() -> None:
    for line in ("/wor" + "k/main", "cd /roo" + "t/x", "https://pypi.or" + "g/simple", "--extra-index-ur" + "l x"):
        assert FOREIGN.search(line), line
    assert not FOREIGN.search("src/wor" + "k/x and https://example.org/home/x")


def test_no_source_file_is_longer_than_two() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked()
        if path.is_relative_to(ROOT / "src")
        and path.suffix == ".py"
        and (count := len(text_of(path).splitlines())) > MAX_LINES
    }
    assert not long


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= 150


def test_metrics_are_those_of_one_table() -> None:
    from paribus.analysis.metrics import METRICS
    from paribus.records import MEASURES

    assert set(MEASURES) == set(METRICS)
