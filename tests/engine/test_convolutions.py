"""Convolutions on a CPU: one call a batch, with the results of one call a chunk and of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits_jobs import SOFTMAX, TWO_EPOCHS, arm, describe_job, train_job
from paribus.engine import compile, steps
from paribus.engine.engine import Engine
from paribus.records import DataSpec, RunResult

IMAGES = DataSpec("digits", 16)
CONVOLUTION = (
    {"Reshape": {"target_shape": [8, 8, 1]}},
    {"Conv2D": {"filters": 3, "kernel_size": 3, "activation": "relu"}},
    {"Flatten": {}},
    {"Dropout": {"rate": 0.2}},
    SOFTMAX,
)
DENSE = ({"Flatten": {}}, SOFTMAX)


def trained(layers: Any) -> tuple[RunResult, bool]:
    engine = Engine()
    job = train_job(engine.describe(describe_job(arm(layers), data=IMAGES)), data=IMAGES)
    run = engine.run(job)
    (kept,) = engine._programs.values()
    assert job.training is TWO_EPOCHS
    return run, kept.stepwise


def test_one_call_a_batch_is_the_same_training(monkeypatch: pytest.MonkeyPatch) -> None:
    by_batch, stepwise = trained(CONVOLUTION)
    assert stepwise
    monkeypatch.setattr(steps, "convolves", lambda _: False)
    by_chunk, stepwise = trained(CONVOLUTION)
    assert not stepwise
    assert by_batch.weights is not None
    assert by_chunk.weights is not None
    for path, weights in by_batch.weights.items():
        np.testing.assert_allclose(weights, by_chunk.weights[path], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(by_batch.curve.fit_loss, by_chunk.curve.fit_loss, rtol=1e-4)


def test_without_convolutions_a_chunk_is_one_call() -> None:
    assert not trained(DENSE)[1]


def test_an_order_is_cut_into_batches() -> None:
    parts = compile.batches(np.arange(7, dtype=np.int32), 3)
    assert [list(part) for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [len(part) for part in compile.batches(np.arange(6, dtype=np.int32), 3)] == [3, 3]
