"""A merge that is killed at random loses nothing and goes on, however often."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from random import Random

from proof.records import Finding, Proof
from proof.results import ROOT

KILLS = 100
PARTS = 3


def kill() -> Finding:
    """Merge three stores of 25 runs each, killed at random moments; what does not hold raises."""
    sys.path.insert(0, str(ROOT / "tests"))
    tool = importlib.import_module("merge_crashes")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tally = tool.kill_merges(place, KILLS, Random(17), tool.make_parts(place, PARTS))
    return Finding(tally.total() >= KILLS, {"kills": tally.total(), "killed": dict(sorted(tally.items()))})


PROOF = Proof(
    "merge-kills",
    "A merge that is killed at random, again and again, loses no run, leaves its sources as they were, and goes on to "
    "the same end.",
    (
        "src/paribus/store",
        "src/paribus/runner/merge.py",
        "src/paribus/runner/uniting.py",
        "tests/merge_crashes.py",
        "tests/store_examples.py",
        "proof/merge_kills.py",
    ),
    {"killed at random": kill},
)
