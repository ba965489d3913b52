"""scikit-learn's MLPClassifier, for arms it can express: no dropout, one activation for all hidden layers."""

from __future__ import annotations

import time

import numpy as np
from contender import Task, Trained, TrainingOptions, contend
from sklearn.neural_network import MLPClassifier


def classifier(task: Task) -> MLPClassifier:
    dense = [layer["Dense"] for layer in task.layers]
    (activation,) = {layer["activation"] for layer in dense[:-1]}
    ((name, arguments),) = task.optimizer.items()
    solver = {"solver": "adam", "epsilon": 1e-7}
    if name == "SGD":
        rate = arguments["learning_rate"]["InverseTimeDecay"]["initial_learning_rate"]
        momentum = arguments["momentum"]
        solver = {"solver": "sgd", "learning_rate_init": rate, "momentum": momentum, "nesterovs_momentum": False}
    hidden = tuple(layer["units"] for layer in dense[:-1])
    return MLPClassifier(hidden, activation=activation, alpha=0.0, batch_size=task.batch_size, **solver)


def train(task: Task, options: TrainingOptions) -> Trained:
    model, epochs = classifier(task), []
    for _ in range(options.epochs):
        begun = time.perf_counter()
        model.partial_fit(task.x_train, task.y_train, classes=np.arange(10))
        epochs.append(time.perf_counter() - begun)
    trained = time.perf_counter()
    test = model.score(task.x_test, task.y_test)
    in_training = model.score(task.x_train, task.y_train)
    return Trained(epochs, time.perf_counter() - trained, None, in_training, test)


if __name__ == "__main__":
    contend(train)
