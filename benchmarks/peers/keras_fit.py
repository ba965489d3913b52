"""Keras 3 `fit` on the backend that KERAS_BACKEND names. Variants: `jit`, `nojit`; otherwise Keras decides."""

from __future__ import annotations

import time

import keras
from contender import EVALUATION_BATCH, Task, Trained, TrainingOptions, contend
from keras_fit_clock import Clock


def optimizer(written: dict[str, dict[str, object]]) -> keras.optimizers.Optimizer:
    ((name, arguments),) = written.items()
    rate = arguments.get("learning_rate")
    if isinstance(rate, dict):
        ((schedule, parts),) = rate.items()
        arguments = {**arguments, "learning_rate": getattr(keras.optimizers.schedules, schedule)(**parts)}
    return getattr(keras.optimizers, name)(**arguments)


def network(task: Task) -> keras.Model:
    layers = [getattr(keras.layers, name)(**arguments) for layer in task.layers for name, arguments in layer.items()]
    return keras.Sequential([keras.Input((task.x_train.shape[1],)), *layers])


def train(task: Task, options: TrainingOptions) -> Trained:
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(options.threads)
        torch.set_flush_denormal(True)
    started = time.perf_counter()
    y_train, y_test = task.one_hot()
    jit = {"jit": True, "nojit": False}.get(options.variant, "auto")
    model = network(task)
    model.compile(optimizer(task.optimizer), "categorical_crossentropy", metrics=["accuracy"], jit_compile=jit)
    clock = Clock()
    begun = time.perf_counter()
    fit = model.fit(
        task.x_train, y_train, epochs=options.epochs, batch_size=task.batch_size, verbose=0, callbacks=[clock]
    )
    trained = time.perf_counter()
    _, test = model.evaluate(task.x_test, y_test, batch_size=EVALUATION_BATCH, verbose=0)
    _, in_training = model.evaluate(task.x_train, y_train, batch_size=EVALUATION_BATCH, verbose=0)
    done = time.perf_counter()
    epochs = [end - start for start, end in zip([begun, *clock.ends], clock.ends, strict=False)]
    beside = (begun - started) + (done - trained)
    return Trained(epochs, beside, float(fit.history["accuracy"][-1]), float(in_training), float(test))


if __name__ == "__main__":
    contend(train)
