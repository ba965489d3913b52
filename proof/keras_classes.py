"""Every loss, metric, optimizer and layer class of Keras: equal to Keras's, or refused by name."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from proof.records import Finding, Proof
from proof.results import ROOT

KINDS = ("losses", "metrics", "optimizers", "layers")


def show(kind: str) -> Finding:
    """Try all classes of a kind, in a process of its own that sees the engine's flags."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verdicts.json"
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)])}
        command = [sys.executable, "-m", "keras_classes", kind, str(path)]
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        verdicts: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    counts = {
        verdict: sum(result["verdict"] == verdict for result in verdicts.values())
        for verdict in ("equal", "refused", "different")
    }
    figures = {"keras": importlib.metadata.version("keras"), **counts, "classes": verdicts}
    return Finding(counts["different"] == 0, figures)


PARTS: dict[str, Callable[[], Finding]] = {kind: partial(show, kind) for kind in KINDS}

PROOF = Proof(
    "keras-classes",
    "Every loss, metric, optimizer and layer class of Keras trains as Keras trains it, or is refused by name.",
    ("src/paribus/engine", "src/paribus/keras_config", "tests/keras_classes", "tests/parity.py", "constraints.txt"),
    PARTS,
)
