"""One flipped bit in a store is detected, or harmless to every answer: at random positions, and in every text."""

from __future__ import annotations

import importlib
import sys
from functools import partial

from proof.records import Finding, Proof
from proof.results import ROOT

COUNT = 2000


def show(places: str, *arguments: int) -> Finding:
    """Flip one bit after the other, in a fresh copy of a small store each time."""
    sys.path.insert(0, str(ROOT / "tests"))
    tool = importlib.import_module("bit_flips")
    positions = getattr(tool, places)(*arguments)
    tally = tool.flip_bits(positions)
    figures = {"flips": len(positions), "kinds": dict(sorted(tally.kinds.items())), "faults": tally.faults[:20]}
    return Finding(not tally.faults, figures)


PROOF = Proof(
    "bit-flips",
    "One flipped bit in a store's database is detected, or harmless to every answer; the doctor never calls it sound.",
    ("src/paribus/store", "src/paribus/records", "tests/bit_flips.py", "tests/store_examples.py", "proof/flips.py"),
    {
        "random positions": partial(show, "random_places", COUNT),
        "every position of every text": partial(show, "text_places"),
    },
)
