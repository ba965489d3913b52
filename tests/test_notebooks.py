"""The notebooks of examples/: committed as their scripts make them, with outputs."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

import paribus as pb
from in_process import InProcess
from paribus.data import summarize
from paribus.engine.engine import Engine
from paribus.run import describe_arms
from paribus.store.memory import MemoryStore
from test_docs import ROOT

EXAMPLES = ROOT / "examples"
TOOL = runpy.run_path(str(EXAMPLES / "notebooks.py"))
SCRIPTS: list[Path] = TOOL["scripts"]()
NAMES = [script.stem for script in SCRIPTS]
ORIGINAL_CELLS, ORIGINAL_LINES = 25, 109
"""Cells with code of the notebook that is redone, and their lines without blank ones and comments."""


def committed(name: str) -> NotebookNode:
    return nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    for cell in code(notebook):
        yield from cell.outputs


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_is_that_of_its_script_with_outputs(name: str) -> None:
    found, made = committed(name), TOOL["written"](EXAMPLES / f"{name}.py")
    nbformat.validate(found)
    told = "run `make notebooks`"
    assert [(c.id, c.cell_type, c.source) for c in found.cells] == [
        (c.id, c.cell_type, c.source) for c in made.cells
    ], told
    assert [cell.execution_count for cell in code(found)] == list(range(1, len(code(found)) + 1))
    kinds = {output["output_type"] for output in outputs(found)}
    assert "execute_result" in kinds
    assert kinds <= {"execute_result", "display_data", "stream"}
    assert "/tmp/" not in (EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8")


def test_there_is_a_notebook_for_every_script_and_no_other() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.ipynb")) == NAMES
    assert len(NAMES) >= 3


def test_the_notebook_redone_is_shorter() -> None:
    cells = code(committed("notebook-redone"))
    lines = [line for cell in cells for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
    assert len(cells) < ORIGINAL_CELLS / 2
    assert len(lines) < ORIGINAL_LINES / 2


def test_a_parameter_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not assign SEED;"):
        TOOL["run"](TOOL["written"](SCRIPTS[0]), tmp_path, SEED=1)


def test_the_five_networks_are_those_of_the_study(engine: Engine) -> None:
    """The same canonical forms, and so the same runs: what the notebook shows is what `paribus run mnist-mlps` says."""
    cells = [cell.source for cell in TOOL["written"](EXAMPLES / "notebook-redone.py").cells if cell.cell_type == "code"]
    names: dict[str, Any] = {}
    for source in cells[:2]:
        exec(source, names)  # noqa: S102
    redone = pb.Study(names["networks"], "mnist", optimizer="adam").document
    study = pb.Study.load("mnist-mlps").document
    assert (redone.data, redone.protocol) == (study.data, study.protocol)
    data, backend = summarize(study.data.spec()), InProcess(engine)
    with MemoryStore() as store:
        assert describe_arms(redone, data, store, backend) == describe_arms(study, data, store, backend)
