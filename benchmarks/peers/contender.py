"""What every peer's script shares: its command line, its data, and the one JSON line that it prints.

Runs in the peers' own environment, where paribus is not installed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVALUATION_BATCH = 1000
PLAUSIBLE = 0.5
"""A network that has learnt less after its epochs was not trained."""


@dataclass(frozen=True, slots=True)
class Task:
    """One arm to be trained once; ``layers`` and ``optimizer`` as in the study's file."""

    layers: list[dict[str, dict[str, Any]]]
    optimizer: dict[str, dict[str, Any]]
    batch_size: int
    x_train: NDArray[np.float32]
    y_train: NDArray[np.int32]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int32]

    def one_hot(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The labels of both splits as categorical cross-entropy wants them."""
        return np.eye(10, dtype=np.float32)[self.y_train], np.eye(10, dtype=np.float32)[self.y_test]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How to train: for how many epochs, on how many threads, in which variant."""

    epochs: int
    threads: int
    variant: str


@dataclass(frozen=True, slots=True)
class Trained:
    """One run: seconds of each epoch, and of all that is done once a run beside them; accuracies of the last epoch.

    ``processor`` are the processor seconds of all threads at the end of each epoch, where they were read.
    """

    epochs: Sequence[float]
    beside: float
    fit_accuracy: float | None
    train_accuracy: float
    test_accuracy: float
    processor: Sequence[float] = ()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variant", default="")
    parser.add_argument("--started", type=float, required=True, help="time.time() of the process's start")
    return parser.parse_args()


def task(folder: Path) -> Task:
    """The arm and MNIST, as the harness wrote them: pixels scaled, in float32."""
    arm = json.loads((folder / "arm.json").read_text(encoding="utf-8"))
    with np.load(folder / "data.npz") as held:
        x = {name: held[name].reshape(len(held[name]), -1).astype(np.float32) / 255 for name in ("x_train", "x_test")}
        y = {name: held[name].astype(np.int32) for name in ("y_train", "y_test")}
    return Task(arm["layers"], arm["optimizer"], arm["batch_size"], **x, **y)


def contend(train: Callable[[Task, TrainingOptions], Trained]) -> None:
    """Train once and say what it took: ``ready`` is what a process needs before its first run, ``run`` the rest."""
    options = arguments()
    prepared = task(options.data)
    ready = time.time() - options.started
    before = time.perf_counter()
    trained = train(prepared, TrainingOptions(options.epochs, options.threads, options.variant))
    run = time.perf_counter() - before
    if not PLAUSIBLE < trained.test_accuracy <= 1:
        raise SystemExit(f"test accuracy {trained.test_accuracy}: this network was not trained as it should be")
    say(ready, run, trained)


def say(ready: float, run: float, trained: Trained) -> None:
    """Print what the harness reads: one line of JSON."""
    line = {
        "ready": ready,
        "run": run,
        "epochs": list(trained.epochs),
        "beside": trained.beside,
        "fit_accuracy": trained.fit_accuracy,
        "train_accuracy": trained.train_accuracy,
        "test_accuracy": trained.test_accuracy,
        "processor_ends": [list(trained.processor)],
    }
    print(json.dumps(line))
