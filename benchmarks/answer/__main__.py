"""From nothing to a verdict: `python -m benchmarks.answer` (see `benchmarks/README.md`).

``paribus run --until-decided`` into an empty store, with nothing compiled before, for the notebook's question and for
the convnet with and without dropout. Then as many runs of each arm by hand over seeds, and by KerasTuner with
``executions_per_trial``, on TensorFlow: wall seconds from process start to the end. What is in the results is not
measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.machine import Busy
from paribus import data
from paribus.study.load import load_study

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
QUESTIONS = {"notebook": "mnist-mlps", "convnet": str(HERE / "convnet.toml"), "digits": "digits"}
WAYS = ("loop", "tuner")


def timed(line: Sequence[str], environment: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a command took, with the share of the machine that others took, and the JSON that it printed last.

    Raises:
        RuntimeError: it failed; with its last line.
    """
    before, started = Busy.now(), time.perf_counter()
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(line[:4])} ...: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    taken = {"seconds": seconds, "foreign": Busy.now().foreign_since(before, seconds)}
    return taken, json.loads(done.stdout[done.stdout.index("{") :])


def ask_paribus(study: str, limits: Sequence[str]) -> dict[str, Any]:
    """Seconds to the verdict, the verdicts, and the number of runs of each arm."""
    with tempfile.TemporaryDirectory() as name:
        environment = dict(os.environ, PARIBUS_CACHE=str(Path(name) / "cache"))
        line = [sys.executable, "-m", "paribus", "run", study, "--until-decided", *limits]
        taken, answer = timed([*line, "--store", str(Path(name) / "store"), "--json"], environment)
    return taken | outcome_of(answer)


def outcome_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What `paribus run --json` says: verdicts in the order of the statements, and the runs of each arm."""
    return {
        "verdicts": [contrast["verdict"] for contrast in answer["contrasts"]],
        "runs": {arm["name"]: len(arm["runs"]) for arm in answer["arms"]},
    }


def write_task(study: str, runs: dict[str, int], epochs: int | None, folder: Path) -> None:
    """The arms with their number of runs, and the data as networks read it."""
    document = load_study(study)
    spec = document.data.spec()
    loaded = data.load(spec)
    x = {name: getattr(loaded, name).astype(np.float32) / (spec.scale or 1) for name in ("x_train", "x_test")}
    np.savez(folder / "data.npz", y_train=loaded.y_train, y_test=loaded.y_test, **x)
    arms = {
        name: {"layers": arm.layers, "optimizer": arm.optimizer, "runs": runs[name]}
        for name, arm in document.arms.items()
    }
    task = {"arms": arms, "epochs": epochs or document.protocol.epochs, "batch_size": document.protocol.batch_size}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")


def ask_elsewhere(way: str, study: str, asked: dict[str, Any], epochs: int | None, peers: Path) -> dict[str, Any]:
    """Seconds for as many runs as paribus took."""
    with tempfile.TemporaryDirectory() as name:
        write_task(study, asked["runs"], epochs, Path(name))
        paths = os.pathsep.join((str(ROOT / "benchmarks" / "peers"), os.environ.get("PYTHONPATH", "")))
        environment = dict(os.environ, KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", PYTHONPATH=paths)
        taken, means = timed([str(peers / "bin" / "python"), str(HERE / "elsewhere.py"), way, name], environment)
    return taken | means


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answer", description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-peers", help="the peers' environment (make peers)")
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=["notebook", "convnet"])
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS, help="what to compare with")
    parser.add_argument("--epochs", type=int, help="instead of the study's")
    parser.add_argument("--max-seeds", type=int, help="at most so many seeds")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks" / "results" / "answer.json")
    options = parser.parse_args()
    results = json.loads(options.output.read_text(encoding="utf-8")) if options.output.exists() else {}
    limits = [f"--epochs={options.epochs}"] if options.epochs else []
    limits += [f"--max-seeds={options.max_seeds}"] if options.max_seeds else []
    for question in options.questions:
        of_question = results.setdefault(" ".join((question, *limits)), {"machine": machine.describe()})
        for contender in ("paribus", *options.ways):
            if contender not in of_question:
                if contender == "paribus":
                    of_question[contender] = ask_paribus(QUESTIONS[question], limits)
                else:
                    asked = of_question["paribus"]
                    of_question[contender] = ask_elsewhere(
                        contender, QUESTIONS[question], asked, options.epochs, options.venv
                    )
                options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            entry = of_question[contender]
            times = entry["seconds"] / of_question["paribus"]["seconds"]
            print(f"{question:10} {contender:8} {entry['seconds']:8.1f} s {times:6.2f}; others {entry['foreign']:.0%}")


if __name__ == "__main__":
    main()
