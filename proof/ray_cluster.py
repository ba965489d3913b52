"""``--backend ray`` on a real cluster of two nodes: the same bits, whatever dies. ``make ray-test`` sets Ray up."""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from pathlib import Path

from proof.bare import outcomes
from proof.records import Finding, ImpossibleError, Proof
from proof.results import ROOT

PYTHON = ROOT / ".venv-ray" / "bin" / "python"
FILES = {
    "the contract of backends": "backends/test_contract.py",
    "bits and faults": "backends/test_ray_cluster.py",
}


def run(file: str) -> Finding:
    """Run a file's tests on the cluster; none may fail or be skipped."""
    if not PYTHON.exists():
        raise ImpossibleError("Ray is not installed in .venv-ray: `make ray-test` sets it up")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        command = [str(PYTHON), "-m", "pytest", "-q", "-m", "proof", "-W", "default", f"--junitxml={report}"]
        done = subprocess.run([*command, f"tests/{file}"], cwd=ROOT, check=False)
        figures = outcomes(report) if report.exists() else {}
    return Finding(done.returncode == 0 and not figures["skipped"], {"exit_code": done.returncode, **figures})


PROOF = Proof(
    "ray-cluster",
    "On a Ray cluster of two nodes a study has the bits that it has on one machine: also when an actor, a node or the "
    "driver is killed.",
    (
        "src/paribus/backends",
        "tests/backends/test_contract.py",
        "tests/backends/test_ray_cluster.py",
        "constraints.txt",
    ),
    {what: partial(run, file) for what, file in FILES.items()},
)
