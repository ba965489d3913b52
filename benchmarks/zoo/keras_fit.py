"""Keras 3 `fit` on one network of the zoo. Runs in the peers' environment; see ``benchmarks/peers/keras_fit.py``."""

from __future__ import annotations

import time
import tomllib

import keras
import numpy as np
from contender import Trained, arguments, say
from keras_fit_clock import Clock
from networks import NETWORKS


def main() -> None:
    options = arguments()
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(options.threads)
        torch.set_flush_denormal(True)
    network = NETWORKS[options.data.name]
    with np.load(options.data / "data.npz") as held:
        arrays = {name: held[name] for name in held.files}
    batch = tomllib.loads((options.data / "study.toml").read_text(encoding="utf-8"))["protocol"]["batch_size"]
    scale = 255 if network.kind == "pixels" else 1
    x, x_test = (arrays[name].astype(np.float32) / scale for name in ("x_train", "x_test"))
    y, y_test = (np.eye(network.classes, dtype=np.float32)[arrays[name]] for name in ("y_train", "y_test"))
    ready = time.time() - options.started
    started = time.perf_counter()
    jit = {"jit": True, "nojit": False}.get(options.variant, "auto")
    model = network.build()
    model.compile(keras.optimizers.Adam(), "categorical_crossentropy", metrics=["accuracy"], jit_compile=jit)
    clock, begun = Clock(), time.perf_counter()
    fit = model.fit(x, y, epochs=options.epochs, batch_size=batch, verbose=0, callbacks=[clock])
    trained = time.perf_counter()
    _, test = model.evaluate(x_test, y_test, batch_size=batch, verbose=0)
    _, in_training = model.evaluate(x, y, batch_size=batch, verbose=0)
    done = time.perf_counter()
    epochs = [end - start for start, end in zip([begun, *clock.ends], clock.ends, strict=False)]
    beside = (begun - started) + (done - trained)
    accuracies = (float(fit.history["accuracy"][-1]), in_training, test)
    say(ready, done - started, Trained(epochs, beside, *accuracies, clock.processor))


if __name__ == "__main__":
    main()
