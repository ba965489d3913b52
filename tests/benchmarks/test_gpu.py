"""What `benchmarks.gpu` makes of its measurements, and what it says where there is no GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu.__main__ import measure
from benchmarks.gpu.report import KERAS, Measured, lanes, rate_of_keras, rate_of_paribus, table

ROOT = Path(__file__).parents[2]


def test_lanes_go_on_together() -> None:
    """Two runs, three epochs, of which two are timed in 4 s: an epoch of both takes 2 s."""
    assert rate_of_paribus({"epoch_ends": [[10.0, 12.0, 14.0], [10.1, 12.1, 14.1]]}) == pytest.approx(1.0)


def test_keras_trains_one_after_the_other() -> None:
    assert rate_of_keras({"epochs": [9.0, 2.0, 3.0]}) == 0.4


def test_the_table_has_ratios_round_by_round() -> None:
    measured = [
        Measured(0, "simple", lanes(1), 2.0, 0.9),
        Measured(0, "simple", KERAS, 1.0, 0.9),
        Measured(1, "simple", lanes(1), 9.0, 0.9),
        Measured(1, "simple", KERAS, 3.0, 0.8999),
        Measured(0, "wide", lanes(8), 5.0, 0.5),
    ]
    assert table(measured).splitlines() == [
        "| `simple` | epochs of runs a second | times Keras `fit` | test accuracy, first seed |",
        "| --- | --- | --- | --- |",
        "| paribus, 1 lane | 5.50 (2.00–9.00) | 2.50 (2.00–3.00) | 0.9000 |",
        "| Keras fit | 2.00 (1.00–3.00) | 1.00 (1.00–1.00) | 0.9000, 0.8999 |",
        "",
        "| `wide` | epochs of runs a second | times Keras `fit` | test accuracy, first seed |",
        "| --- | --- | --- | --- |",
        "| paribus, 8 lanes | 5.00 | – | 0.5000 |",
    ]


def test_a_contender_that_fails_has_its_reason() -> None:
    script = "import sys; print('RESOURCE_EXHAUSTED: too many lanes', file=sys.stderr); sys.exit(1)"
    failing = [sys.executable, "-c", script]
    assert measure(lanes(64), failing, dict(os.environ), 60.0) == {"failed": "RESOURCE_EXHAUSTED: too many lanes"}
    telling = [sys.executable, "-c", "print('noise'); print('{\"epochs\": [1.0, 2.0]}')"]
    assert measure(KERAS, telling, dict(os.environ), 60.0) == {"epochs": [1.0, 2.0]}


def test_without_a_gpu_one_line_says_so() -> None:
    environ = os.environ | {"JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "benchmarks.gpu"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "no NVIDIA GPU" in done.stderr
