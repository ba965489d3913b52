"""From nothing to the first epoch: `python -m benchmarks.start`.

``paribus run`` of the zoo's resnet8 and of big-dropout of ``mnist-mlps``, two seeds on one worker a core: seconds of
the clock from process start until training begins (the end of the first epoch, less as long as the second one took),
and processor seconds of all workers by then; cold (nothing compiled before), warm (programs cached by the run before).
Beside it the stages of one worker, in a process of its own. ``--against`` measures another version by turns, with that
version's own `benchmarks/peers/paribus_study.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.arithmetic import Spread, ratios
from benchmarks.machine import Busy

ROOT = Path(__file__).parent.parent
NETWORKS = {"resnet8": "resnet8/study.toml", "big-dropout": "mnist-mlps"}
EVENTS = {
    "jaxpr_trace_duration": "trace",
    "jaxpr_to_mlir_module_duration": "lower",
    "backend_compile_duration": "compile",
}
SEEDS = 2


def until_training(line: dict[str, Any], started: float) -> dict[str, float]:
    """From the ends of the epochs, by the system's monotonic clock, what passed until the first run trained."""
    first = min(range(len(line["epoch_ends"])), key=lambda run: line["epoch_ends"][run])
    ends = line["epoch_ends"][first]
    measured = {"seconds": ends[0] - (ends[1] - ends[0]) - started}
    if "processor_ends" in line:  # versions before it was written do not say
        # Both workers train by then: their processor seconds of an epoch are counted together.
        processor = line["processor_ends"][first]
        measured["processor_seconds"] = processor[0] - (processor[1] - processor[0])
    return measured


def environment(source: Path, cache: Path) -> dict[str, str]:
    """The package and the benchmarks of the version in ``source``."""
    paths = os.pathsep.join((str(source / "src"), str(source)))
    return dict(os.environ, PARIBUS_CACHE=str(cache), PYTHONPATH=paths)


def first_epoch(study: str, arm: str, source: Path, cache: Path, folder: Path) -> dict[str, float]:
    """One command, from process start until training begins, and the share of the machine that others took."""
    script = source / "benchmarks" / "peers" / "paribus_study.py"
    line = [sys.executable, str(script), "--study", study, "--arm", arm, "--seeds", str(SEEDS), "--epochs", "2"]
    line += ["--store", str(folder / f"store-{time.monotonic_ns()}"), "--started", str(time.time())]
    before, started = Busy.now(), time.perf_counter()
    done = subprocess.run(line, env=environment(source, cache), capture_output=True, text=True, check=True)
    foreign = Busy.now().foreign_since(before, time.perf_counter() - started)
    return until_training(json.loads(done.stdout), started) | {"foreign": foreign}


def stages(study: str, arm: str, cache: Path) -> dict[str, float]:
    """Processor seconds of each stage of one worker, from a process that does them one after the other."""
    line = [sys.executable, "-m", "benchmarks.start", "--stages", study, arm]
    done = subprocess.run(line, env=environment(ROOT, cache), capture_output=True, text=True, check=True, cwd=ROOT)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def print_stages(study: str, arm: str) -> None:
    """Do what a worker does, and print the processor seconds of each stage as JSON."""
    clock, marks = time.process_time(), dict[str, float]()

    def mark(stage: str) -> None:
        nonlocal clock
        marks[stage], clock = time.process_time() - clock, time.process_time()

    from paribus.backends.job_runner import JobRunner
    from paribus.data import summarize
    from paribus.engine import environment
    from paribus.records import DescribeJob, Seeds, TrainJob
    from paribus.study.fingerprint import run_fingerprint
    from paribus.study.load import load_study
    from paribus.study.overrides import override

    document = override(load_study(study), epochs=1)
    marks["import paribus"], clock = time.process_time(), time.process_time()
    environment.prepare()
    runner = JobRunner()
    runner.warm_up()
    mark("import Keras and JAX")
    import jax.monitoring

    programs: dict[str, float] = defaultdict(float)

    def add(event: str, duration: float, **_: object) -> None:
        stage = EVENTS.get(event.rpartition("/")[2])
        if stage is not None:
            programs[stage] += duration

    jax.monitoring.register_event_duration_secs_listener(add)
    training, data = document.protocol.training(), document.data.spec()
    summary = summarize(data)
    mark("data")
    recipe = runner.describe(DescribeJob(arm, document.arms[arm].spec(), data, training))
    mark("describe")
    described = dict(programs)
    seeds = Seeds.of(0)
    job = TrainJob(run_fingerprint(recipe, training, data, summary, seeds), arm, seeds, recipe, training, data)
    runner.run([job], lambda *_: mark("programs and an epoch"))
    of_programs = {f"{stage}, by the clock": programs[stage] - described.get(stage, 0.0) for stage in EVENTS.values()}
    print(json.dumps(marks | of_programs))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS], help="only these")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="the checkout of another version, measured by turns with this one")
    parser.add_argument("--stages", nargs=2, metavar=("STUDY", "ARM"), help="only print the stages of one worker")
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    if options.stages:
        print_stages(*options.stages)
        return
    versions = {"this": ROOT} | ({"other": options.against.resolve()} if options.against else {})
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "benchmarks.zoo.write", name, "resnet8"], check=True, cwd=ROOT)
        for arm in options.networks:
            study = str(folder / NETWORKS[arm]) if "/" in NETWORKS[arm] else NETWORKS[arm]
            for number in range(options.rounds):
                for version, source in versions.items():
                    cache = folder / f"{arm}-{version}-{number}"
                    for state in ("cold", "warm"):
                        row = first_epoch(study, arm, source, cache, folder)
                        rows.append({"network": arm, "round": number, "version": version, "state": state} | row)
                        print(json.dumps(rows[-1]), flush=True)
            cache = folder / f"{arm}-stages"
            for state in ("cold", "warm"):
                row = {"network": arm, "version": "this", "state": state}
                rows.append(row | {"stages": stages(study, arm, cache)})
                print(json.dumps(rows[-1]), flush=True)
    if options.output is not None:
        result = {"machine": machine.describe(), "measurements": rows}
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.against:
        print_ratios(rows)


def print_ratios(rows: list[dict[str, Any]]) -> None:
    """How long this version takes as a share of the other one, round by round."""
    by: dict[tuple[str, str, str], dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        for measure in ("seconds", "processor_seconds"):
            if measure in row:
                by[row["network"], row["state"], measure][row["version"]][row["round"]] = row[measure]
    for (network, state, measure), versions in by.items():
        if not versions["other"]:
            continue  # that version does not say
        spread: Spread = ratios(versions["this"], versions["other"])
        print(f"{network:12} {state:5} {measure:18} {spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})")


if __name__ == "__main__":
    main()
