"""Writes the notebooks from the scripts beside them: every ``examples/*.py`` in percent cells, run, with its outputs.

``python examples/notebooks.py [NAME]...`` is what ``make notebooks`` calls. Each is run in an empty folder.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode, v4

HERE = Path(__file__).parent
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
}
_CELL = re.compile(r"^# %%(?P<markdown> \[markdown\])?\n", re.MULTILINE)


def scripts() -> list[Path]:
    """The scripts that are notebooks."""
    return sorted(
        path
        for path in HERE.glob("*.py")
        if path.read_text(encoding="utf-8").startswith("# %%")
    )


def written(script: Path) -> NotebookNode:
    """The notebook of a script, without outputs. Its cells are named by their number, so that nothing is random."""
    _, *parts = _CELL.split(script.read_text(encoding="utf-8"))
    cells = []
    for markdown, text in zip(parts[::2], parts[1::2], strict=True):
        content = re.sub(r"^# ?", "", text, flags=re.MULTILINE) if markdown else text
        make = v4.new_markdown_cell if markdown else v4.new_code_cell
        cells.append(make(content.strip("\n"), id=f"cell-{len(cells)}"))
    return v4.new_notebook(cells=cells, metadata=KERNEL)


def run(notebook: NotebookNode, folder: Path, **parameters: object) -> NotebookNode:
    """Run a notebook in a folder; parameters replace what its first cell with code assigns to those names.

    Tables that lie beside the notebook and are named in its first cell are copied to the folder.

    Raises:
        ValueError: the first cell does not assign such a name.
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assigned = {
        name
        for line in re.findall(r"^([A-Z_, ]+) = ", first.source, re.MULTILINE)
        for name in line.split(", ")
    }
    if unknown := set(parameters) - assigned:
        raise ValueError(
            f"the first cell does not assign {', '.join(sorted(unknown))}; it assigns {assigned}"
        )
    assignments = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    for table in HERE.glob("*.csv"):
        if table.name in first.source:
            shutil.copy(table, folder)
    plain = first.source
    first.source = f"{plain}\n{assignments}"
    try:
        client = NotebookClient(
            notebook, timeout=None, resources={"metadata": {"path": str(folder)}}
        )
        asyncio.run(client.async_execute())
    finally:
        first.source = plain
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def main(names: list[str]) -> None:
    """Run the notebooks of these names, or all, with their full protocol and write them with their outputs."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    for script in scripts():
        if names and script.stem not in names:
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(written(script), Path(folder))
        nbformat.write(notebook, script.with_suffix(".ipynb"))
        print(f"{script.stem}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
