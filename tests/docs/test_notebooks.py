"""The notebooks of examples/: committed as their scripts make them, and run again with little of everything."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
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
    assert len(NAMES) >= 6


def test_the_notebook_redone_is_shorter() -> None:
    cells = code(committed("notebook-redone"))
    lines = [line for cell in cells for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
    assert len(cells) < ORIGINAL_CELLS / 2
    assert len(lines) < ORIGINAL_LINES / 2


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NotebookNode]:
    """Every notebook, run with little of everything, each in a kernel on one core of its own."""
    folder = tmp_path_factory.mktemp("notebooks")
    mnist = pb.data.load(DataSpec("mnist"))
    few = {"x_train": mnist.x_train[:200] / 255, "y_train": mnist.y_train[:200]}
    few |= {"x_test": mnist.x_test[:100] / 255, "y_test": mnist.y_test[:100]}
    np.savez(
        folder / "few.npz", **{name: array.astype(np.float32 if array.ndim > 1 else int) for name, array in few.items()}
    )
    (folder / "fashion").mkdir()
    write_idx(folder / "fashion", mnist.x_train[:200], mnist.y_train[:200], mnist.x_test[:100], mnist.y_test[:100])
    cores, turn = sorted(os.sched_getaffinity(0)), count()
    little: dict[str, object] = {"SEEDS": 2, "EPOCHS": 1}

    def run(name: str) -> NotebookNode:
        (folder / name).mkdir()
        notebook = TOOL["written"](EXAMPLES / f"{name}.py")
        few_of_it: dict[str, object] = {"DATA": str(folder / "few.npz"), "TRAIN": 200, "TEST": 100}
        few_of_it["FASHION"] = str(folder / "fashion")
        few_of_it |= little
        parameters = {key: value for key, value in few_of_it.items() if key in code(notebook)[0].source}
        return TOOL["run"](notebook, folder / name, **parameters)

    # Affinity belongs to a thread and is inherited by the kernel that it starts.
    bind = ThreadPoolExecutor(len(cores), initializer=lambda: os.sched_setaffinity(0, {cores[next(turn)]}))
    with pytest.MonkeyPatch.context() as patch, bind as pool:
        # Jupyter writes into its user's home, which there need not be.
        patch.setenv("HOME", str(folder))
        for name in os.environ.keys() - unmeasured().keys():
            patch.delenv(name)
        return dict(zip(NAMES, pool.map(run, NAMES), strict=True))


@pytest.mark.slow
def test_results_are_shown_once_and_their_progress_beside_them(executed: dict[str, NotebookNode]) -> None:
    studies = 0
    for notebook in executed.values():
        for cell in code(notebook):
            if not any("runs in" in shown(output, "text/html") for output in cell.outputs):
                continue
            studies += 1
            progress, *results = [output for output in cell.outputs if output["output_type"] != "stream"]
            assert progress["output_type"] == "display_data"
            assert re.search(
                r"\d+ runs, \d+ stored, \d+ to do; data .*; \d+ runs in \d+ s", shown(progress, "text/html")
            )
            assert [output["output_type"] for output in results] == ["execute_result"]
            assert shown(results[0], "text/html").startswith('<div class="paribus">')
            assert len(shown(results[0], "text/plain").splitlines()) > 5
    assert studies >= 10


@pytest.mark.slow
def test_they_show_what_they_promise(executed: dict[str, NotebookNode]) -> None:
    text = {
        name: "\n".join(shown(o, "text/plain") or o.get("text", "") for o in outputs(n)) for name, n in executed.items()
    }
    for parameters in ("79,510", "319,810", "898,510", "1,111,460"):
        assert parameters in text["notebook-redone"]
    assert "34826" in text["convnet"]
    assert "without 3 BatchNormalization layers" in text["normalization-and-rows"]
    assert re.search(r"lstm .*\n(.*\n)*gru ", text["normalization-and-rows"])
    assert "no column 'colour'" in text["your-own-data"]
    assert re.search(r"boosting +\d\.\d+", text["churn"])
    assert "dropout is not worse than none" in text["pytorch-judged"]
    for name in ("churn", "pytorch-judged"):
        assert any("image/png" in output.get("data", {}) for output in outputs(executed[name])), name


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
