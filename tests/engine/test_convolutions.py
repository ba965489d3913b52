"""Convolutions on a CPU: in forms of our own and a whole epoch in one call, or the library's and one call a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits_jobs import SOFTMAX, TWO_EPOCHS, arm, describe_job, train_job
from paribus.engine import compile, network, steps
from paribus.engine.engine import Engine
from paribus.records import DataSpec, RunResult

IMAGES = DataSpec("digits", 16)
CONVOLUTION = (
    {"Reshape": {"target_shape": [8, 8, 1]}},
    {"Conv2D": {"filters": 3, "kernel_size": 3, "activation": "relu"}},
    {"MaxPooling2D": {"pool_size": 2}},
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


def assert_close(one: RunResult, other: RunResult) -> None:
    assert one.weights is not None
    assert other.weights is not None
    for path, weights in one.weights.items():
        np.testing.assert_allclose(weights, other.weights[path], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(one.curve.fit_loss, other.curve.fit_loss, rtol=1e-4)


def test_an_epoch_with_our_kernels_is_one_call_and_the_training_that_the_librarys_kernels_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, stepwise = trained(CONVOLUTION)
    assert not stepwise
    monkeypatch.setattr(network, "has_windows", lambda _: False)
    by_batch, stepwise = trained(CONVOLUTION)
    assert stepwise
    assert_close(ours, by_batch)
    monkeypatch.setattr(steps, "convolves", lambda _: False)
    by_chunk, stepwise = trained(CONVOLUTION)
    assert not stepwise
    assert_close(by_batch, by_chunk)


def test_without_convolutions_a_chunk_is_one_call() -> None:
    assert not trained(DENSE)[1]


def test_an_order_is_cut_into_batches() -> None:
    parts = compile.batches(np.arange(7, dtype=np.int32), 3)
    assert [list(part) for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [len(part) for part in compile.batches(np.arange(6, dtype=np.int32), 3)] == [3, 3]
