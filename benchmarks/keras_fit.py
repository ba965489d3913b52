"""The notebook's five networks through Keras ``fit`` on the JAX backend: what a careful user would write by hand.

Started by ``notebook.py`` in a process of its own, with JAX's own defaults and all cores. Prints one JSON line a run.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

from paribus import data, study_files


def network(written: tuple[dict[str, dict[str, object]], ...]) -> keras.Model:
    layers = [getattr(keras.layers, name)(**arguments) for layer in written for name, arguments in layer.items()]
    return keras.Sequential([keras.Input((784,)), *layers])


def optimizer(written: dict[str, dict[str, object]]) -> keras.optimizers.Optimizer:
    ((name, arguments),) = written.items()
    rate = arguments.get("learning_rate")
    if isinstance(rate, dict):
        ((schedule, parts),) = rate.items()
        arguments = {**arguments, "learning_rate": getattr(keras.optimizers.schedules, schedule)(**parts)}
    return getattr(keras.optimizers, name)(**arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--arm", action="append")
    asked = parser.parse_args()
    study = study_files.load("mnist-mlps")
    mnist = data.load(study.data.spec())
    x_train, x_test = (x.astype(np.float32) / np.float32(255) for x in (mnist.x_train, mnist.x_test))
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (mnist.y_train, mnist.y_test))
    for name, arm in study.arms.items():
        if asked.arm and name not in asked.arm:
            continue
        for seed in range(asked.seeds):
            started = time.perf_counter()
            keras.utils.set_random_seed(seed)
            model = network(arm.layers or ())
            model.compile(optimizer(arm.optimizer), "categorical_crossentropy", metrics=["accuracy"])
            history = model.fit(x_train, y_train, epochs=asked.epochs, batch_size=100, verbose=0).history
            trained = time.perf_counter()
            _, test = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)
            _, train = model.evaluate(x_train, y_train, batch_size=1000, verbose=0)
            run = {
                "arm": name,
                "seed": seed,
                "fit_accuracy": history["accuracy"][-1],
                "train_accuracy": train,
                "test_accuracy": test,
                "fit_seconds": trained - started,
                "seconds": time.perf_counter() - started,
            }
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
