"""No two files of the source import each other, also by way of others, wherever in the file the import stands."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.Module, modules: set[str]) -> set[str]:
    """The modules that a file imports, those for annotations alone (``if TYPE_CHECKING``) apart."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= inside & modules or {node.module}
    return names & modules


def test_no_circles() -> None:
    paths = {module_name(path): path for path in SOURCE.rglob("*.py")}
    # A package stands for what its __init__ takes from its own files: those may be imported by way of it.
    files = {name for name, path in paths.items() if path.name != "__init__.py"}
    trees = {name: ast.parse(paths[name].read_text(encoding="utf-8")) for name in files}
    graph = {name: imported(tree, files) - {name} for name, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(error.args[1])) from None
