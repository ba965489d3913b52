"""Networks as people have them: the same runs, bit for bit, with any number of workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from proof.records import Finding, Proof
from proof.results import ROOT

NETWORKS = (
    "convnet",
    "vgg-like",
    "resnet8",
    "separable",
    "lenet",
    "sensors",
    "lstm",
    "bidirectional-gru",
    "embedding",
    "transformer",
    "mlp-batchnorm",
    "augmented",
)
WORKERS = (1, 2, 3)
SEEDS = 3
SECONDS = "seconds"
"""What no two runs have in common."""


def compare(network: str) -> Finding:
    """Train three seeds for an epoch with one, two and three workers, each into a store of its own.

    A worker compiles where nothing is compiled yet, and reads from the cache of the one before; bits depend on neither.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = os.environ | {"PARIBUS_CACHE": str(folder / "cache")}
        subprocess.run([sys.executable, "-m", "benchmarks.zoo.write", name, network], check=True, cwd=ROOT)
        runs = {workers: train(folder / network / "study.toml", workers, folder, environment) for workers in WORKERS}
    first = runs[WORKERS[0]]
    holds = len(first) == SEEDS and all(run["weights_digest"] for run in first.values()) and len(digests(first)) > 1
    same = {workers: others == first for workers, others in runs.items()}
    return Finding(holds and all(same.values()), {"digests": sorted(digests(first)), "same as with one worker": same})


def train(study: Path, workers: int, folder: Path, environment: dict[str, str]) -> dict[int, dict[str, Any]]:
    """What the command says of each run, by seed."""
    line = [sys.executable, "-m", "paribus", "run", str(study), "--seeds", str(SEEDS), "--epochs", "1", "--json"]
    line += ["--workers", str(workers), "--store", str(folder / f"store-{workers}")]
    done = subprocess.run(line, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    (arm,) = json.loads(done.stdout)["arms"]
    return {run["seed"]: {key: run[key] for key in run if key != SECONDS} for run in arm["runs"]}


def digests(runs: dict[int, dict[str, Any]]) -> set[str]:
    """The beginnings of the weights' digests."""
    return {str(run["weights_digest"])[:12] for run in runs.values()}


PARTS: dict[str, Callable[[], Finding]] = {network: partial(compare, network) for network in NETWORKS}

PROOF = Proof(
    "zoo-bits",
    "Each of the zoo's twelve networks has the same weights and scores, bit for bit, with one, two and three workers.",
    (
        "src/paribus/engine",
        "src/paribus/backends",
        "benchmarks/zoo/networks.py",
        "benchmarks/zoo/write.py",
        "constraints.txt",
        "proof/zoo_bits.py",
    ),
    PARTS,
)
