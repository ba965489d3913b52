"""Learning rates by epoch train as Keras's ``fit`` does with its callbacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from paribus.data import from_arrays, spool
from paribus.engine.engine import Engine
from paribus.keras_config.learning_rates import list_learning_rates, monitored_of
from paribus.records import RunResult, Seeds, Training, TrainJob
from paribus.seeds import epoch_order
from paribus.study.document import Protocol
from paribus.study.fingerprint import run_fingerprint
from parity import BATCH, Case, drawn, examples, keras_twin, written

pytestmark = pytest.mark.no_cover
"""Keras and JAX trace for a while here, longer where coverage looks on; other tests pass the same lines."""

LAYERS = [{"Dense": {"units": 16, "activation": "relu"}}, {"Dense": {"units": 4, "activation": "softmax"}}]
CASES = {
    "adam": Case(LAYERS, {"Adam": {"learning_rate": 0.03}}, batches=12),
    "momentum": Case(LAYERS, {"SGD": {"learning_rate": 0.2, "momentum": 0.9, "weight_decay": 0.01}}, batches=12),
}
EPOCHS = 8
ONE = Seeds.of(7)


def halved(epoch: int, rate: float) -> float:
    return rate if epoch < 2 else rate * 0.5


def run(case: Case, folder: Path, lanes: int = 1, **protocol: Any) -> tuple[RunResult, Any, Any]:
    """A run of a case, its data, and the model as Keras builds it with the same weights."""
    x, labels = examples(case, rest=80)
    dataset = from_arrays(x[:160], labels[:160], x[160:], labels[160:], name="patterns")
    data = spool(dataset, folder / "data")
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "validation_split": 0.25, **protocol}
    training: Training = Protocol.model_validate(settings).training()
    recipe, network = written(case)
    name = run_fingerprint(recipe, training, data, dataset.summary(), ONE)
    result = Engine(lanes).run(TrainJob(name, "a", ONE, recipe, training, data))
    return result, dataset, keras_twin(recipe, network, drawn(network))


def fit(twin: Any, dataset: Any, callback: Any) -> list[float]:
    """Fit a model epoch by epoch in the order of the engine, driving the callback; the rate of every epoch."""
    x, y = dataset.x_train, keras.utils.to_categorical(dataset.y_train, 4)
    callback.set_model(twin)
    callback.on_train_begin()
    rates = []
    for epoch in range(EPOCHS):
        callback.on_epoch_begin(epoch)
        rates.append(float(twin.optimizer.learning_rate))
        order = epoch_order(ONE, epoch, 120)
        history = twin.fit(x[order], y[order], batch_size=BATCH, shuffle=False, verbose=0).history
        val_loss, val_accuracy = twin.evaluate(x[120:], y[120:], verbose=0)
        logs = {"loss": history["loss"][0], "accuracy": history["accuracy"][0]}
        callback.on_epoch_end(epoch, {**logs, "val_loss": val_loss, "val_accuracy": val_accuracy})
    return rates


def assert_equal_weights(result: RunResult, twin: Any) -> None:
    assert result.weights is not None
    for variable in twin.trainable_variables:
        np.testing.assert_allclose(result.weights[variable.path], np.asarray(variable), rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("name", CASES)
def test_a_table_of_rates_trains_as_a_scheduler(name: str, tmp_path: Path) -> None:
    first = next(iter(CASES[name].optimizer.values()))["learning_rate"]
    table = [first * 0.5 ** max(0, epoch - 1) for epoch in range(EPOCHS)]
    result, dataset, twin = run(CASES[name], tmp_path, learning_rates=table)
    assert fit(twin, dataset, keras.callbacks.LearningRateScheduler(halved)) == [float(np.float32(r)) for r in table]
    assert_equal_weights(result, twin)
    constant, _, _ = run(CASES[name], tmp_path)
    assert constant.weights_digest != result.weights_digest


@pytest.mark.parametrize("monitor", ["val_loss", "accuracy"])
def test_plateaus_train_as_kerass_callback(monitor: str, tmp_path: Path) -> None:
    """A gain of 0.3 is wanted, so that there are plateaus soon."""
    settings = {"factor": 0.3, "patience": 1, "min_delta": 0.3, "cooldown": 1, "min_lr": 0.002, "monitor": monitor}
    result, dataset, twin = run(CASES["adam"], tmp_path, reduce_lr_on_plateau=settings)
    mode = "min" if monitor.endswith("loss") else "max"
    rates = fit(twin, dataset, keras.callbacks.ReduceLROnPlateau(**settings, mode=mode))
    training = Protocol.model_validate({"validation_split": 0.25, "reduce_lr_on_plateau": settings}).training()
    assert training.reduce_lr_on_plateau is not None
    own = list_learning_rates(training.reduce_lr_on_plateau, monitored_of(result.curve, monitor), 0.03)
    assert own[:-1] == rates
    assert len(set(rates)) > 2
    assert rates[-1] == float(np.float32(0.002))
    assert_equal_weights(result, twin)


def test_a_table_of_the_optimizers_own_rate_changes_no_bit(tmp_path: Path) -> None:
    plain, _, _ = run(CASES["adam"], tmp_path)
    table, _, _ = run(CASES["adam"], tmp_path, learning_rates=[0.03] * EPOCHS)
    assert plain.weights_digest == table.weights_digest
    assert plain.curve == table.curve


def test_each_lane_has_its_own_rate(tmp_path: Path) -> None:
    """Runs side by side reach their plateaus in different epochs, and each is the run alone."""
    settings = {"factor": 0.3, "patience": 1, "min_delta": 0.02, "monitor": "loss"}
    _, dataset, _ = run(CASES["adam"], tmp_path, epochs=1)
    data = spool(dataset, tmp_path / "lanes")
    training = Protocol.model_validate(
        {"epochs": EPOCHS, "batch_size": BATCH, "reduce_lr_on_plateau": settings}
    ).training()
    recipe, _ = written(CASES["adam"])
    jobs = [TrainJob("ab" * 32, "a", Seeds.of(seed), recipe, training, data) for seed in range(3)]
    together = Engine(3).run_group(jobs)
    assert training.reduce_lr_on_plateau is not None
    rates = {tuple(list_learning_rates(training.reduce_lr_on_plateau, r.curve.fit_loss, 0.03)) for r in together}
    assert len(rates) > 1
    engine = Engine()
    for job, result in zip(jobs, together, strict=True):
        alone = engine.run(job)
        assert alone.weights_digest == result.weights_digest
