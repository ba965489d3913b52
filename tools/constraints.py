"""The pins of ``constraints.txt``: resolved for the oldest Python, checked for every one, and nothing installed for it.

``python tools/constraints.py write`` resolves them, ``python tools/constraints.py check`` reports what fails: for
each Python, a pin without a wheel for it, a requirement that no pin meets, and a package that nothing pins.

pip looks for wheels of another Python but reads markers (``; python_version < "3.12"``) as the Python that runs it, so
markers are read here. Needs pip 22.2 or newer, and ``packaging``, as ``pip`` itself carries it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
from pip._vendor.packaging.version import Version

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST = "3.11.2"
"""Debian 12's. What it may install, later patches of 3.11 may too."""
PYTHONS = (OLDEST, "3.12.0", "3.13.0")
SEEDED = frozenset({"pip", "setuptools"})
"""What environments of Python 3.11 begin with; any version will do."""


@dataclass(frozen=True)
class Distribution:
    """One version of a package, as its wheel describes it."""

    version: Version
    requirements: tuple[Requirement, ...]


def declared() -> list[str]:
    """The requirements in pyproject.toml, with all extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return [line for line in lines if Requirement(line).name != project["name"]]


def applies(requirement: Requirement, python: str, extras: Iterable[str] = ()) -> bool:
    """Whether a requirement counts on a Python, where its package was asked for with these extras."""
    place = {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python}
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**place, "extra": extra}) for extra in ("", *extras))


def resolved(lines: Iterable[str], python: str, *options: str) -> dict[str, Distribution]:
    """What pip would install of wheels on a Python, by name.

    Raises:
        subprocess.CalledProcessError: pip cannot; it has printed why.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, report = Path(folder, "requirements.txt"), Path(folder, "report.json")
        asked.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--dry-run", *options]
        command += ["--ignore-installed", "--only-binary=:all:", "--python-version", python, "--target", folder]
        subprocess.run([*command, "--report", str(report), "-r", str(asked)], check=True)
        items: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        canonicalize_name(item["metadata"]["name"]): Distribution(
            Version(item["metadata"]["version"]),
            tuple(Requirement(line) for line in item["metadata"].get("requires_dist", ())),
        )
        for item in items
    }


def violations(pins: dict[str, Distribution], roots: Iterable[str], python: str) -> Iterator[str]:
    """Each requirement, beginning with ``roots``, that no pin meets on a Python."""
    waiting = [("pyproject.toml", Requirement(line)) for line in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        origin, requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if name in SEEDED or not applies(requirement, python):
            continue
        pin = pins.get(name)
        if pin is None:
            yield f"{origin} asks for {requirement}, which nothing pins"
        elif not requirement.specifier.contains(pin.version, prereleases=True):
            yield f"{origin} asks for {requirement}, which {name}=={pin.version} is not"
        elif (name, extras) not in seen:
            seen.add((name, extras))
            inner = (each for each in pin.requirements if applies(each, python, extras))
            # Its marker held with the extras it was asked for; what it asks for itself is looked at without them.
            waiting += [(f"{name}=={pin.version}", _without_marker(each)) for each in inner]


def _without_marker(requirement: Requirement) -> Requirement:
    bare = Requirement(str(requirement))
    bare.marker = None
    return bare


def check() -> int:
    """Say for each Python what does not hold; the number of Pythons with something to say."""
    lines = [line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line]
    failures = 0
    for python in PYTHONS:
        asked = [str(_without_marker(each)) for each in map(Requirement, lines) if applies(each, python)]
        try:
            mistakes = list(violations(resolved(asked, python, "--no-deps"), declared(), python))
        except subprocess.CalledProcessError:
            mistakes = ["a pin has no wheel for it (pip says above which); run `make constraints`"]
        failures += bool(mistakes)
        print(f"Python {python}: {'; '.join(mistakes) or f'{len(asked)} pins hold'}", flush=True)
    return failures


def write() -> int:
    """Resolve what is declared for the oldest Python, and write it down."""
    oldest = ".".join(OLDEST.split(".")[:2])
    if sys.version_info[:2] != tuple(map(int, oldest.split("."))):
        print(f"Python {sys.version.split()[0]}: pip reads markers as its own Python; run by {oldest}", file=sys.stderr)
        return 2
    pins = resolved(declared(), OLDEST)
    lines = [f"{name}=={pins[name].version}\n" for name in sorted(pins) if name not in SEEDED]
    CONSTRAINTS.write_text("".join(lines), encoding="utf-8")
    return check()


if __name__ == "__main__":
    sys.exit({"check": check, "write": write}[sys.argv[1] if sys.argv[1:] else "check"]())
