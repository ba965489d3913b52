"""Seeds side by side in one program: every run is what it is alone, to the last bit on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits_jobs import DIGITS, DROPOUT, SOFTMAX, TWO_EPOCHS, arm, describe_job, train_job
from paribus.data import load, spool
from paribus.engine import splits
from paribus.engine.engine import Engine
from paribus.engine.lanes import Lanes
from paribus.records import DataSpec, EarlyStopping, EpochReport, RunResult, Status, Training, TrainJob
from paribus.study.document import Protocol

LANES = 4
"""One more than there are seeds below, so that every group is padded."""

NORMALIZED: tuple[Any, ...] = (
    {"Dense": {"units": 12}},
    {"BatchNormalization": {}},
    {"Activation": {"activation": "relu"}},
    {"Dropout": {"rate": 0.2}},
    SOFTMAX,
)
CONVOLUTION: tuple[Any, ...] = (
    {"Reshape": {"target_shape": [8, 8, 1]}},
    {"Conv2D": {"filters": 3, "kernel_size": 3, "activation": "relu"}},
    {"MaxPooling2D": {}},
    {"Flatten": {}},
    {"Dropout": {"rate": 0.2}},
    SOFTMAX,
)
LINEAR = ({"Dense": {"units": 12}}, {"Dense": {"units": 12}}, {"Dense": {"units": 10}})
PLAIN_TRAINING = replace(TWO_EPOCHS, batch_size=50)
RICH = replace(
    Protocol(epochs=6, batch_size=50, validation_split=0.2, metrics=[{"AUC": {}}]).training(),
    class_weight="balanced",
    early_stopping=EarlyStopping(0, "val_loss", 0.15),
)
SQUARED = Protocol(epochs=3, batch_size=100, loss="mean_squared_error").training()
BF16 = replace(PLAIN_TRAINING, precision="bf16")


@pytest.fixture(scope="module")
def laned() -> Engine:
    """An engine with four lanes."""
    return Engine(LANES)


def said(result: RunResult) -> dict[str, Any]:
    """Everything that a run says, apart from how long it took and how many lanes it had."""
    told = result.predictions
    assert told is not None
    return {
        "digest": result.weights_digest,
        "scores": result.scores if result.status is Status.FINISHED else str(result.scores),
        "curve": result.curve if result.status is Status.FINISHED else str(result.curve),
        "end": (result.fingerprint, result.seeds, result.status, result.reason),
        "metrics": result.metrics,
        "predictions": [each.tobytes() for each in (told.predicted, told.confidence, told.true_probability)],
    }


def jobs_of(
    engine: Engine, layers: Any, training: Training, optimizer: Any = "Adam", data: DataSpec = DIGITS
) -> list[TrainJob]:
    """Three seeds of an arm."""
    recipe = engine.describe(describe_job(arm(layers, optimizer), training=training, data=data))
    return [train_job(recipe, seed, training, data=data) for seed in range(3)]


@pytest.mark.no_cover  # trains much, and other tests pass the same lines
@pytest.mark.parametrize(
    ("layers", "training", "optimizer", "data"),
    [
        (NORMALIZED, RICH, {"Adam": {"learning_rate": 0.01}}, DIGITS),
        (CONVOLUTION, BF16, {"SGD": {"learning_rate": 0.1, "use_ema": True}}, DataSpec("digits", 16)),
        (LINEAR, SQUARED, {"SGD": {"learning_rate": 0.3}}, DIGITS),
    ],
    ids=["normalized-validated-weighted-stopped", "convolution-bf16-averaged", "diverging"],
)
def test_a_run_in_a_lane_is_the_run_alone(
    engine: Engine, laned: Engine, layers: Any, training: Training, optimizer: Any, data: DataSpec
) -> None:
    jobs = jobs_of(engine, layers, training, optimizer, data)
    heard: dict[TrainJob, list[EpochReport]] = {job: [] for job in jobs}
    together = laned.run_group(jobs, lambda job, report: heard[job].append(report))
    ends = set()
    for job, run in zip(jobs, together, strict=True):
        reports: list[EpochReport] = []
        alone = engine.run(job, reports.append)
        assert said(run) == said(alone)
        assert str(heard[job]) == str(reports)
        ends.add((run.status, len(reports)))
    if training is RICH:
        assert len({epochs for _, epochs in ends}) > 1, "nothing is shown: all runs stop after the same epoch"
    if training is SQUARED:
        assert {status for status, _ in ends} == {Status.FINISHED, Status.DIVERGED}, "nothing is shown: all end alike"
    assert len({run.weights_digest for run in together}) == 3


def test_who_is_beside_a_run_changes_nothing(engine: Engine, laned: Engine) -> None:
    jobs = jobs_of(engine, DROPOUT, PLAIN_TRAINING)
    first = laned.run_group(jobs)
    alone = laned.run(jobs[1])
    assert said(alone) == said(first[1])
    assert [said(run) for run in laned.run_group(jobs[::-1])] == [said(run) for run in first[::-1]]


def test_what_the_lanes_shared_is_recorded(engine: Engine, laned: Engine) -> None:
    """The number of lanes as a part of the environment, even if only one is used; the time, in equal parts."""
    jobs = jobs_of(engine, DROPOUT, PLAIN_TRAINING)
    alone, *together = laned.run(jobs[0]), *laned.run_group(jobs)
    assert {run.environment.device for run in (alone, *together) if run.environment} == {f"cpu:cpu, {LANES} lanes"}
    single = engine.run(jobs[0]).environment
    assert single is not None
    assert single.device == "cpu:cpu"
    assert len({run.seconds for run in together}) == 1


def test_streamed_lanes_read_their_own_chunks(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool(load(DataSpec("digits")), tmp_path / "digits")
    data = replace(DIGITS, source=str(tmp_path / "digits"))
    monkeypatch.setenv("PARIBUS_RESIDENT", "0")
    monkeypatch.setattr(splits, "CHUNK_BYTES", 200 * 64)
    jobs = jobs_of(engine, DROPOUT, PLAIN_TRAINING, data=data)
    resident = [engine.run(replace(job, data=DIGITS)) for job in jobs]
    assert [said(run) for run in Engine(LANES).run_group(jobs)] == [said(run) for run in resident]


rows = st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3).map(np.array), min_size=1, max_size=5)


@given(rows, st.integers(0, 3), st.data())
def test_lanes_are_put_together_and_taken_apart(each: list[Any], more: int, data: st.DataObject) -> None:
    lanes = Lanes(len(each) + more)
    together = lanes.together(each)
    assert together.shape == lanes.shape(3)
    apart = lanes.apart(together)
    assert [list(row) for row in apart[: len(each)]] == [list(row) for row in each]
    assert all(list(row) == list(each[-1]) for row in apart[len(each) :])
    which = data.draw(st.lists(st.booleans(), min_size=len(each), max_size=len(each)))
    chosen = lanes.apart(lanes.select(which, together, -1 - together))
    for mark, row, own in zip(which, chosen, each, strict=False):
        assert list(row) == list(own if mark else -1 - own)


def test_a_single_lane_is_the_program_of_a_run() -> None:
    def function(x: int) -> int:
        return x

    own: Callable[..., Any] = Lanes(1).over(function, 0)
    assert own is function


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_kept_epoch_with_a_weight_that_is_not_finite_is_shown_as_it_was(engine: Engine) -> None:
    """A bias of minus infinity (beyond float32) before a ReLU leaves the loss finite."""
    dead = {"Dense": {"units": 4, "activation": "relu", "bias_initializer": {"Constant": {"value": -1e39}}}}
    stopping = EarlyStopping(2, "val_accuracy", 0.5)
    training = replace(Protocol(epochs=5, batch_size=50, validation_split=0.2).training(), early_stopping=stopping)
    result = engine.run(train_job(engine.describe(describe_job(arm((dead, SOFTMAX)))), 0, training))
    assert result.status is Status.DIVERGED
    assert len(set(result.curve.fit_loss)) > 1
    assert result.scores is not None
    assert result.scores.fit_loss == result.curve.fit_loss[0]
