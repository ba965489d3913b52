"""The whole of what the suite holds by a fixed sample: the tests that are marked ``proof`` (decision 0093)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from proof.bare import outcomes
from proof.records import Finding, Proof
from proof.results import ROOT

FILES = {
    "cli/test_streams.py": "every command with every kind of stream",
    "engine/test_keras_parity.py": "every layer, optimizer, loss and model against Keras's fit",
    "engine/test_metrics.py": "every metric of Keras",
    "store/test_crash.py": "300 kills at any moment",
    "store/test_state_machine.py": "100 histories of 50 steps",
    "study/test_fuzz.py": "4,000 mutated study files",
}
"""Test files that have a part that takes minutes."""


def run(file: str) -> Finding:
    """Run the marked tests of a file; none may fail or be skipped."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "proof", f"--junitxml={report}", f"tests/{file}"]
        done = subprocess.run(command, cwd=ROOT, check=False)
        figures = outcomes(report) if report.exists() else {}
    return Finding(done.returncode == 0 and not figures["skipped"], {"exit_code": done.returncode, **figures})


PROOF = Proof(
    "whole-tests",
    "What the suite tries on a fixed sample holds for the whole of it.",
    ("src", "tests", "constraints.txt"),
    {what: partial(run, file) for file, what in FILES.items()},
)
