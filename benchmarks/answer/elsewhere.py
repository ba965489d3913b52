"""The same number of runs by Keras `fit` on TensorFlow: `loop` by hand over seeds, `tuner` with KerasTuner.

Runs in the peers' environment. ``TASK`` is a folder with ``data.npz`` and ``task.json``; one line of JSON is printed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras_fit import optimizer
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def build(arm: dict[str, Any], shape: tuple[int, ...]) -> keras.Model:
    """A compiled model of an arm as the study writes it."""
    layers = [getattr(keras.layers, name)(**arguments) for layer in arm["layers"] for name, arguments in layer.items()]
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer(arm["optimizer"]), "categorical_crossentropy", metrics=["accuracy"])
    return model


def loop(arm: dict[str, Any], task: dict[str, Any], data: Arrays) -> list[float]:
    """Test accuracies: every seed trains a new model, the best that one writes by hand."""
    accuracies = []
    for seed in range(arm["runs"]):
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        model = build(arm, data["x_train"].shape[1:])
        model.fit(data["x_train"], data["y_train"], epochs=task["epochs"], batch_size=task["batch_size"], verbose=0)
        accuracies.append(float(model.evaluate(data["x_test"], data["y_test"], batch_size=1000, verbose=0)[1]))
    return accuracies


def tuner(arm: dict[str, Any], task: dict[str, Any], data: Arrays) -> list[float]:
    """Mean test accuracy of one trial with ``executions_per_trial``; KerasTuner reports no more of them.

    It evaluates on the test split after every epoch, as it does with whatever it is to choose by.
    """
    import keras_tuner

    with tempfile.TemporaryDirectory() as folder:
        search = keras_tuner.RandomSearch(
            lambda hp: build(arm, data["x_train"].shape[1:]),
            objective="val_accuracy",
            max_trials=1,
            executions_per_trial=arm["runs"],
            directory=folder,
        )
        search.search(
            data["x_train"],
            data["y_train"],
            validation_data=(data["x_test"], data["y_test"]),
            epochs=task["epochs"],
            batch_size=task["batch_size"],
            verbose=0,
        )
        (trial,) = search.oracle.trials.values()
        if trial.score is None:
            raise SystemExit(f"KerasTuner's trial failed: {(trial.message or 'no reason').strip().splitlines()[-1]}")
        return [float(trial.score)]


WAYS: dict[str, Callable[[dict[str, Any], dict[str, Any], Arrays], list[float]]] = {"loop": loop, "tuner": tuner}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("task", type=Path)
    options = parser.parse_args()
    task = json.loads((options.task / "task.json").read_text(encoding="utf-8"))
    with np.load(options.task / "data.npz") as held:
        data = {name: held[name] for name in held.files}
    classes = int(data["y_train"].max()) + 1
    data |= {name: np.eye(classes, dtype=np.float32)[data[name]] for name in ("y_train", "y_test")}
    means = {}
    for name, arm in task["arms"].items():
        accuracies = WAYS[options.way](arm, task, data)
        means[name] = sum(accuracies) / len(accuracies)
    print(json.dumps({"test_accuracy": means}))


if __name__ == "__main__":
    main()
