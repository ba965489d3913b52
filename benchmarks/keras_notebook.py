"""The notebook's five networks through Keras ``fit`` on the JAX backend: what a careful user would write by hand.

Started by ``notebook.py`` in a process of its own, with JAX's own defaults and all cores; each run is what
``peers/keras_fit.py`` makes of it. Prints one JSON line a run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # or tensorflow, torch: what the notebook of today would run on
sys.path.insert(0, str(Path(__file__).parent / "peers"))

import keras
import numpy as np
from contender import Task, TrainingOptions
from keras_fit import train

from paribus import data
from paribus.study.load import load_study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--arm", action="append")
    options = parser.parse_args()
    study = load_study("mnist-mlps")
    mnist = data.load(study.data.spec())
    x = {name: getattr(mnist, name).astype(np.float32) / np.float32(255) for name in ("x_train", "x_test")}
    for name, arm in study.arms.items():
        if options.arm and name not in options.arm:
            continue
        task = Task(list(arm.layers or ()), arm.optimizer, 100, y_train=mnist.y_train, y_test=mnist.y_test, **x)
        for seed in range(options.seeds):
            keras.utils.set_random_seed(seed)
            trained = train(task, TrainingOptions(options.epochs, os.cpu_count() or 1, ""))
            run = {
                "arm": name,
                "seed": seed,
                "fit_accuracy": trained.fit_accuracy,
                "train_accuracy": trained.train_accuracy,
                "test_accuracy": trained.test_accuracy,
                "seconds": trained.beside + sum(trained.epochs),
            }
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
