"""This machine's rates at the arms' own shapes, the floor of each arm, and paribus as a fraction of it, on one core.

Everything in one sitting and pinned to the same core, and the best of each: on a shared machine only that is the
machine's. The floor: every matrix product of an epoch (forward, gradients
of weights and inputs) at the speed of the fastest library for its shape, plus the optimizer's passes over memory at the
rate of a triad with the same footprint. Activations, dropout, gathering the batches and the loss are not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.floor.work import Floor, Product, fastest, floor, footprint, products
from paribus.data import summarize
from paribus.study.document import StudyDocument
from paribus.study.load import load_study

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LIBRARIES = {"float32": ("numpy", "torch", "jax"), "bf16": ("torch", "jax")}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def widths_of(document: StudyDocument, inputs: int) -> dict[str, tuple[list[int], str]]:
    """The widths of each arm's layers, inputs first, and its optimizer."""
    networks = {}
    for name, arm in document.arms.items():
        units = [
            int(arguments["units"])
            for layer in arm.layers or ()
            for kind, arguments in layer.items()
            if kind == "Dense"
        ]
        optimizer = arm.optimizer if isinstance(arm.optimizer, str) else next(iter(arm.optimizer or {}))
        networks[name] = ([inputs, *units], optimizer)
    return networks


def rates(python: Path, core: int, library: str, precision: str, request: dict[str, Any]) -> dict[str, Any]:
    """One library's times, in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "XLA_FLAGS")}
    environment |= dict.fromkeys(THREADS, "1") | {"PJRT_NPROC": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    line = ["taskset", "-c", str(core), str(python), str(HERE / "rates.py")]
    line += ["--library", library, "--precision", precision]
    done = subprocess.run(
        line, input=json.dumps(request), env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def paribus(arm: str, epochs: int, precision: str, folder: Path) -> float:
    """Seconds of the fastest epoch of one worker, alone on the machine; the first one compiles and is left out."""
    script = ROOT / "benchmarks" / "peers" / "paribus_study.py"
    line = [sys.executable, str(script), "--arm", arm, "--seeds", "1", "--workers", "1", "--epochs", str(epochs)]
    line += ["--store", str(folder / f"store-{time.monotonic_ns()}"), "--started", str(time.time())]
    line += ["--precision", precision] if precision != "float32" else []
    environment = dict(os.environ, PARIBUS_CACHE=str(folder / "cache"), PYTHONPATH=str(ROOT))
    done = subprocess.run(line, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    (ends,) = json.loads(done.stdout)["epoch_ends"]
    return min(float(end - start) for start, end in pairwise(ends))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-peers", help="the peers' environment (make peers)")
    parser.add_argument("--precision", choices=tuple(LIBRARIES), default="float32")
    parser.add_argument("--arms", nargs="+", help="only these")
    parser.add_argument("--epochs", type=int, default=4, help="of paribus; the first is not timed (4)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    document = load_study("mnist-mlps")
    data, batch = summarize(document.data.spec()), document.protocol.batch_size
    networks = widths_of(document, data.input_shape[0] if len(data.input_shape) == 1 else 784)
    networks = {name: network for name, network in networks.items() if options.arms is None or name in options.arms}
    needed = sorted({product for widths, _ in networks.values() for product in products(widths, batch)})
    footprints = {name: footprint(*network) for name, network in networks.items()}
    core = sorted(os.sched_getaffinity(0))[0]
    request = {"products": [[p.kind, p.batch, p.width, p.units] for p in needed], "footprints": [*footprints.values()]}
    python = options.venv / "bin" / "python"
    times: dict[str, dict[Product, float]] = {library: {} for library in LIBRARIES[options.precision]}
    bytes_a_second: dict[str, float] = {}
    epochs: dict[str, list[float]] = {name: [] for name in networks}
    blas: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for library, fastest_of in times.items():
                answer = rates(python, core, library, options.precision, request)
                blas = answer.get("blas", blas)
                for product, seconds in zip(needed, answer["seconds"], strict=True):
                    fastest_of[product] = min(seconds, fastest_of.get(product, seconds))
            memory = rates(python, core, "torch", "float32", {**request, "products": []})["rates"]
            for name, rate in zip(footprints, memory, strict=True):
                bytes_a_second[name] = max(rate, bytes_a_second.get(name, rate))
            for name, measured in epochs.items():
                measured.append(paribus(name, options.epochs, options.precision, Path(folder)))
    best = fastest(times)
    steps = data.train // batch
    seconds_of = {product: seconds for product, (seconds, _) in best.items()}
    arms = []
    print(f"{'arm':13} {'GFLOP/s':>8} {'GB/s':>6} {'floor s':>8} {'paribus s':>9} {'of floor':>9}")
    for name, (widths, optimizer) in networks.items():
        least: Floor = floor(widths, optimizer, batch, steps, seconds_of, bytes_a_second[name])
        flops = steps * sum(count * p.operations for p, count in products(widths, batch).items())
        ours = min(epochs[name])
        arms.append(
            {
                "arm": name,
                "gflops": flops / least.products / 1e9,
                "gigabytes_a_second": bytes_a_second[name] / 1e9,
                "products_seconds": least.products,
                "optimizer_seconds": least.optimizer,
                "floor_seconds": least.seconds,
                "paribus_seconds": ours,
                "fraction": least.seconds / ours,
            }
        )
        print(
            f"{name:13} {arms[-1]['gflops']:8.0f} {arms[-1]['gigabytes_a_second']:6.1f} {least.seconds:8.3f} "
            f"{ours:9.3f} {100 * least.seconds / ours:8.0f} %"
        )
    shapes = [
        {"product": [p.kind, p.batch, p.width, p.units], "library": library, "gflops": p.operations / seconds / 1e9}
        for p, (seconds, library) in best.items()
    ]
    result = {
        "machine": machine.describe(),
        "precision": options.precision,
        "blas": blas,
        "arms": arms,
        "shapes": shapes,
    }
    if options.output is not None:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
