"""The notebooks of examples/: committed as their scripts make them, and run again with little of everything."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

import paribus as pb
from data_files import write_idx
from in_process import InProcess
from paribus.data import summarize
from paribus.engine.engine import Engine
from paribus.records import DataSpec
from paribus.runner.run import describe_arms
from paribus.store.memory import MemoryStore
from processes import unmeasured
from project_files import ROOT

EXAMPLES = ROOT / "examples"
TOOL = runpy.run_path(str(EXAMPLES / "notebooks.py"))
SCRIPTS: list[Path] = TOOL["scripts"]()
NAMES = [script.stem for script in SCRIPTS]
SAMPLE = {"churn", "pytorch-judged"}
"""The notebooks that the suite runs; ``make proof`` runs all of them."""
STUDIES = {
    "churn": 1,
    "convnet": 1,
    "normalization-and-rows": 3,
    "notebook-redone": 1,
    "pytorch-judged": 0,
    "your-own-data": 4,
}
"""How many studies each of them trains."""
PROMISES = {
    "churn": [r"boosting +\d\.\d+"],
    "convnet": ["34826"],
    "normalization-and-rows": ["without 3 BatchNormalization layers", r"lstm .*\n(.*\n)*gru "],
    "notebook-redone": ["79,510", "319,810", "898,510", "1,111,460"],
    "pytorch-judged": ["dropout is not worse than none"],
    "your-own-data": ["no column 'colour'"],
}
"""What is in their outputs, patterns of text."""
ORIGINAL_CELLS, ORIGINAL_LINES = 25, 109
"""Cells with code of the notebook that is redone, and their lines without blank ones and comments."""


def committed(name: str) -> NotebookNode:
    return nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    for cell in code(notebook):
        yield from cell.outputs


def shown(output: dict[str, Any], kind: str) -> str:
    return str(output.get("data", {}).get(kind, ""))


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
    assert set(NAMES) == set(STUDIES) == set(PROMISES)


def test_the_notebook_redone_is_shorter() -> None:
    cells = code(committed("notebook-redone"))
    lines = [line for cell in cells for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
    assert len(cells) < ORIGINAL_CELLS / 2
    assert len(lines) < ORIGINAL_LINES / 2


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A folder, and values for the parameters of all notebooks: few seeds, epochs and examples."""
    folder = tmp_path_factory.mktemp("notebooks")
    mnist = pb.data.load(DataSpec("mnist"))
    few = {"x_train": mnist.x_train[:200] / 255, "y_train": mnist.y_train[:200]}
    few |= {"x_test": mnist.x_test[:100] / 255, "y_test": mnist.y_test[:100]}
    np.savez(
        folder / "few.npz", **{name: array.astype(np.float32 if array.ndim > 1 else int) for name, array in few.items()}
    )
    (folder / "fashion").mkdir()
    write_idx(folder / "fashion", mnist.x_train[:200], mnist.y_train[:200], mnist.x_test[:100], mnist.y_test[:100])
    data = {"DATA": str(folder / "few.npz"), "TRAIN": 200, "TEST": 100, "FASHION": str(folder / "fashion")}
    return folder, {"SEEDS": 2, "EPOCHS": 1, **data}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow if name in SAMPLE else pytest.mark.proof) for name in NAMES],
)
def executed(request: pytest.FixtureRequest, little: tuple[Path, dict[str, object]]) -> tuple[str, NotebookNode]:
    """The name of a notebook, and the notebook, run with little of everything in a kernel on one core."""
    name, (folder, values) = request.param, little
    (folder / name).mkdir()
    notebook = TOOL["written"](EXAMPLES / f"{name}.py")
    parameters = {key: value for key, value in values.items() if re.search(rf"\b{key}\b", code(notebook)[0].source)}
    core = max(os.sched_getaffinity(0))
    # Affinity belongs to a thread and is inherited by the kernel that it starts: one worker is enough for each study.
    bind = ThreadPoolExecutor(1, initializer=lambda: os.sched_setaffinity(0, {core}))
    with pytest.MonkeyPatch.context() as patch, bind as thread:
        # Jupyter writes into its user's home, which there need not be.
        patch.setenv("HOME", str(folder))
        for variable in os.environ.keys() - unmeasured().keys():
            patch.delenv(variable)
        return name, thread.submit(TOOL["run"], notebook, folder / name, **parameters).result()


def test_results_are_shown_once_and_their_progress_beside_them(executed: tuple[str, NotebookNode]) -> None:
    name, notebook = executed
    studies = 0
    for cell in code(notebook):
        if not any("runs in" in shown(output, "text/html") for output in cell.outputs):
            continue
        studies += 1
        progress, *results = [output for output in cell.outputs if output["output_type"] != "stream"]
        assert progress["output_type"] == "display_data"
        assert re.search(
            r"\d+ runs, \d+ stored, \d+ to do; data .*; \d+ runs in (\d+ min )?\d+ s", shown(progress, "text/html")
        )
        assert [output["output_type"] for output in results] == ["execute_result"]
        assert shown(results[0], "text/html").startswith('<div class="paribus">')
        assert len(shown(results[0], "text/plain").splitlines()) > 5
    assert studies == STUDIES[name]


def test_they_show_what_they_promise(executed: tuple[str, NotebookNode]) -> None:
    name, notebook = executed
    text = "\n".join(shown(o, "text/plain") or o.get("text", "") for o in outputs(notebook))
    for promise in PROMISES[name]:
        assert re.search(promise, text), promise
    if name in ("churn", "pytorch-judged"):
        assert any("image/png" in output.get("data", {}) for output in outputs(notebook))


@pytest.mark.parametrize("name", ["churn", "notebook-redone", "pytorch-judged"])
def test_from_the_data_to_the_figure_in_under_40_lines(name: str) -> None:
    lines = [line for cell in code(committed(name)) for line in cell.source.splitlines()]
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) < 40


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
