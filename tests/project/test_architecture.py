"""The picture of the packages in docs/architecture.md is that of the imports, and what the page names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from project_files import ROOT

SOURCE = ROOT / "src" / "paribus"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GROUND = {"errors", "files", "machine", "records", "version"}
LOOSE = {"early_stopping", "seeds"}

Arrow = tuple[str, str]


def packages() -> set[str]:
    return ({path.parent.name for path in SOURCE.glob("*/__init__.py")} | LOOSE) - GROUND


def imports() -> Iterator[Arrow]:
    """Which package imports which."""
    for path in SOURCE.rglob("*.py"):
        importer = path.relative_to(SOURCE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "paribus":
                _, *inside = node.module.split(".")
                for name in inside[:1] or [alias.name for alias in node.names]:
                    yield importer, name


def arrows() -> set[Arrow]:
    return {(a, b) for a, b in imports() if a != b and a in packages() and b in packages()}


def reachable(start: str, without: Arrow, known: set[Arrow]) -> set[str]:
    seen: set[str] = set()
    waiting = [b for a, b in known if a == start and (a, b) != without]
    while waiting:
        package = waiting.pop()
        if package not in seen:
            seen.add(package)
            waiting += [b for a, b in known if a == package]
    return seen


def test_the_picture_has_every_package_and_no_other() -> None:
    assert set(re.findall(r'^  (\w+)\["', PAGE, re.MULTILINE)) == packages()


def test_its_arrows_are_the_imports_that_no_others_imply() -> None:
    known = arrows()
    needed = {(a, b) for a, b in known if b not in reachable(a, (a, b), known)}
    assert set(re.findall(r"^  (\w+) --> (\w+)$", PAGE, re.MULTILINE)) == needed


def test_few_modules_are_outside_a_package() -> None:
    loose = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    assert loose <= GROUND | LOOSE
    assert len(loose) <= 6


def defined(module: list[str]) -> set[str]:
    """The names that a module defines, or the modules of a package."""
    folder = SOURCE.joinpath(*module)
    if folder.is_dir():
        return {path.stem for path in folder.iterdir()}
    tree = ast.parse(folder.with_suffix(".py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_module_function_and_class_that_it_names_is_there() -> None:
    names = [name.split(".") for name in re.findall(r"`([a-z_]+(?:\.\w+)+)`", PAGE)]
    names = [name for name in names if name[0] in packages() | GROUND and name[-1] not in ("py", "md")]
    assert len(names) > 20
    assert [name for name in names if name[-1] not in defined(name[:-1])] == []
