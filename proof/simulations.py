"""The simulations of docs/statistics.md in full: coverage, errors and power of what is printed as an interval or p."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from paribus.analysis.simulate.__main__ import SIMULATIONS
from proof.records import Finding, Proof
from proof.results import ROOT

DRAWS = 100_000


def simulate(name: str) -> Finding:
    """Run one simulation with the draws and the seed that docs/statistics.md names, and keep its tables."""
    command = [sys.executable, "-m", "paribus.analysis.simulate", name, "--draws", str(DRAWS), "--seed", "0"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    tables, _, verdict = ended.stdout.strip().rpartition("\n\n")
    figures = {"draws": DRAWS, "exit_code": ended.returncode, "bounds": verdict, "tables": tables.splitlines()}
    if ended.stderr:
        figures["stderr"] = ended.stderr.splitlines()[-5:]
    return Finding(ended.returncode == 0, figures)


PROOF = Proof(
    "simulations",
    "Intervals cover and errors stay as docs/statistics.md says; exceptions are named with their figures.",
    ("src/paribus/analysis", "proof/simulations.py"),
    {name: partial(simulate, name) for name in SIMULATIONS},
)
