"""When the epochs of Keras's `fit` ended."""

from __future__ import annotations

import time

import keras


class Clock(keras.callbacks.Callback):
    """When each epoch ended, and the processor seconds of all threads by then."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []
        self.processor: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.ends.append(time.perf_counter())
        self.processor.append(time.process_time())
