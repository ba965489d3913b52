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
    "api/test_live_models.py": "a fresh layer of any class of Keras",
    "api/test_network_cases.py": "small networks as people have them, against Keras's fit",
    "cli/test_streams.py": "every command with every kind of stream",
    "docs/test_notebooks.py": "every notebook of examples/, with few seeds, epochs and examples",
    "engine/test_augmentation.py": "30 transforms of images and their gradients against Keras's",
    "engine/test_keras_classes.py": "names of layers of every class of Keras",
    "engine/test_keras_parity.py": "every layer, optimizer, loss and model against Keras's fit",
    "engine/test_metrics.py": "every metric of Keras",
    "engine/test_parity.py": "an epoch of dense and convolutional networks against Keras's fit",
    "engine/test_precision.py": "recurrent layers in bf16",
    "engine/test_streamed_data.py": "streamed training, chunk by chunk",
    "results/test_losses.py": "test losses of every form against Keras's evaluate",
    "runner/test_command_sequences.py": "50 sequences of commands",
    "runner/test_forget_killed.py": "`paribus forget` killed at every point of its writing",
    "store/test_crash.py": "300 kills at any moment, and one at every point",
    "store/test_doctor.py": "a kill at every point of a repair",
    "store/test_doctor_and_runs.py": "100 damaged stores, run again",
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
    ("src", "tests", "examples", "constraints.txt"),
    {what: partial(run, file) for file, what in FILES.items()},
)
