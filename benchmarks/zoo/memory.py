"""The memory that a network takes to train: `python -m benchmarks.zoo.memory` (see `benchmarks/README.md`).

The largest peak of resident memory, as the kernel counts it (``VmHWM``), of a worker of paribus that trains one seed
on one core, and of a process of each peer that trains it on all cores; data, package and compiler included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import machine
from benchmarks.peers.__main__ import ROOT, command, environment
from benchmarks.peers.contenders import Contender
from benchmarks.zoo.__main__ import MEASURED

ONE_PROCESS = {contender.name: contender for contender in MEASURED if contender.processes == 1}
INTERVAL = 0.02


def peak(contender: Contender, network: str, epochs: int, folder: Path, peers: Path) -> float:
    """Mebibytes of the largest process that trains: a worker of paribus, or a peer's own process.

    Raises:
        RuntimeError: it failed; with its last line.
    """
    line = [*command(contender, network, epochs, folder, peers), "--started", str(time.time())]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(line, env=environment(contender, folder), stdout=errors, stderr=errors)
        seen: dict[int, float] = {}
        while process.poll() is None:
            seen |= machine.peaks(process.pid)
            time.sleep(INTERVAL)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{contender.name}: {(errors.read().strip().splitlines() or ['no message'])[-1]}")
    driver = seen.pop(process.pid)
    return max(seen.values()) if contender.name == "paribus" else driver


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.memory", description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-peers", help="the peers' environment (make peers)")
    parser.add_argument("--networks", nargs="+", default=["vgg-like"])
    parser.add_argument("--peers", nargs="+", choices=ONE_PROCESS, default=[*ONE_PROCESS], help="only these contenders")
    parser.add_argument("--batch", type=int, default=128, help="examples of a batch (128)")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    mebibytes: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        line = [sys.executable, "-m", "benchmarks.zoo.write", name, *options.networks, "--batch", str(options.batch)]
        subprocess.run(line, check=True, cwd=ROOT)
        for network in options.networks:
            of_network = mebibytes[network] = {}
            for peer in options.peers:
                taken = of_network[peer] = peak(ONE_PROCESS[peer], network, options.epochs, folder, options.venv)
                print(f"{network:17} {peer:17} {taken:6.0f} MiB", flush=True)
    if options.output is not None:
        result = {"machine": machine.describe(), "batch": options.batch, "mebibytes": mebibytes}
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
