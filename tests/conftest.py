"""JAX must see our flags before it is imported, in this process as in a worker."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from paribus.engine import environment

if TYPE_CHECKING:
    from pathlib import Path

    from paribus.engine.engine import Engine

environment.prepare()

# What is started in a script's background or by nohup ignores these, and tests of them would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No test may fail because the machine is busy, nor on one machine alone: everybody's examples are the same ones, as
# Hypothesis has it by itself where CI is set. `pytest --hypothesis-profile explore` draws new ones.
settings.register_profile("explore", settings.get_profile("default"), derandomize=False, deadline=None, print_blob=True)
settings.register_profile("paribus", settings.get_profile("default"), derandomize=True, database=None, deadline=None)
settings.load_profile("paribus")


# What these hold is the same with one worker as with several, and each one more imports Keras and traces its programs
# once more. Those that are about several carry `all_cores`.
ONE_CORE = {
    "ablation",
    "api",
    "cli",
    "dashboard",
    "data",
    "display",
    "docs",
    "estimators",
    "export",
    "predict",
    "report",
}
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The cores of a test, which its workers inherit: one, another for each process of pytest, or all."""
    if CORES:
        here = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % len(CORES)
        one = item.path.parent.name in ONE_CORE and not item.get_closest_marker("all_cores")
        os.sched_setaffinity(0, {CORES[here]} if one else CORES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only ``-m proof`` runs what is marked so. Files with slow tests come first, so that no process ends with one."""
    if "proof" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("proof")])
        items[:] = [item for item in items if not item.get_closest_marker("proof")]
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """One engine in this process, so that equal networks are compiled once for all tests."""
    from paribus.engine.engine import Engine

    return Engine()


@pytest.fixture(scope="session")
def trained_studies(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the studies of ``export_examples``, trained once for all tests that read it."""
    from export_examples import train_all

    folder = tmp_path_factory.mktemp("trained") / "runs"
    train_all(engine, folder)
    return folder
