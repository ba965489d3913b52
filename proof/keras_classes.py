"""Every loss, metric, optimizer and layer class of Keras: equal to Keras's, or refused by name."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from proof.records import Finding, Proof
from proof.results import ROOT

KINDS = {"losses": ("A-Z",), "metrics": ("A-Z",), "optimizers": ("A-Z",), "layers": ("A-C", "D-G", "H-P", "Q-S", "T-Z")}
"""Kinds of classes, and the first letters of those that are tried together: there are many layers."""


def show(kind: str, letters: str) -> Finding:
    """Try classes of a kind, in a process of its own that sees the engine's flags."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verdicts.json"
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)])}
        command = [sys.executable, "-m", "keras_classes", kind, letters, str(path)]
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        verdicts: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    counts = {
        verdict: sum(result["verdict"] == verdict for result in verdicts.values())
        for verdict in ("equal", "refused", "different")
    }
    figures = {"keras": importlib.metadata.version("keras"), **counts, "classes": verdicts}
    return Finding(counts["different"] == 0, figures)


def recorded(parts: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """The verdicts on record by kind and class."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name, part in parts.items():
        found.setdefault(name.split()[0], {}).update(part["figures"]["classes"])
    return found


PARTS: dict[str, Callable[[], Finding]] = {
    f"{kind} {letters}" if len(ranges) > 1 else kind: partial(show, kind, letters)
    for kind, ranges in KINDS.items()
    for letters in ranges
}

PROOF = Proof(
    "keras-classes",
    "Every loss, metric, optimizer and layer class of Keras trains as Keras trains it, or is refused by name.",
    ("src/paribus/engine", "src/paribus/keras_config", "tests/keras_classes", "tests/parity.py", "constraints.txt"),
    PARTS,
)
