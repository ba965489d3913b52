"""Learning rates on plateaus are those of Keras's callback, epoch for epoch and to the last bit."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.keras_config.learning_rates import list_learning_rates, monitored_in, monitored_of
from paribus.records import Curve, EpochReport, ReduceLROnPlateau

rules = st.builds(
    ReduceLROnPlateau,
    factor=st.sampled_from([0.0, 0.1, 0.3, 0.5]),
    patience=st.integers(0, 3),
    monitor=st.sampled_from(["val_loss", "val_accuracy", "loss", "accuracy"]),
    min_delta=st.sampled_from([0.0, 1e-4, 0.01, 0.1]),
    cooldown=st.integers(0, 3),
    min_lr=st.sampled_from([0.0, 0.001, 0.05]),
)
measures = st.integers(0, 100).map(lambda hundredths: hundredths / 100) | st.just(float("nan"))
first_rates = st.sampled_from([0.001, 0.01, 0.1, 1.0])


class Trained:
    """What a callback sees of a model."""

    def __init__(self, rate: float) -> None:
        self.optimizer = keras.optimizers.SGD(rate)


def keras_rates(rule: ReduceLROnPlateau, monitored: list[float], first: float) -> list[float]:
    """The rate of each epoch and of the next, as the callback leaves them in the optimizer."""
    callback = keras.callbacks.ReduceLROnPlateau(
        rule.monitor,
        factor=rule.factor,
        patience=rule.patience,
        mode="min" if rule.monitor.endswith("loss") else "max",
        min_delta=rule.min_delta,
        cooldown=rule.cooldown,
        min_lr=rule.min_lr,
    )
    model: Any = Trained(first)
    callback.set_model(model)
    callback.on_train_begin()
    rates = [float(model.optimizer.learning_rate)]
    for epoch, value in enumerate(monitored):
        callback.on_epoch_end(epoch, {rule.monitor: value})
        rates.append(float(model.optimizer.learning_rate))
    return rates


@given(rules, st.lists(measures, min_size=1, max_size=12), first_rates)
def test_rates_are_those_of_kerass_callback(rule: ReduceLROnPlateau, monitored: list[float], first: float) -> None:
    assert list_learning_rates(rule, monitored, first) == keras_rates(rule, monitored, first)


def test_a_gain_of_exactly_min_delta_counts_as_keras_rounds_it() -> None:
    """In float64 0.7 + 0.1 lies below 0.8; in float32, in which Keras compares, they are equal."""
    rule = ReduceLROnPlateau(patience=1, min_delta=0.1)
    monitored = [0.8, 0.7]
    assert (
        list_learning_rates(rule, monitored, 0.5)
        == keras_rates(rule, monitored, 0.5)
        == [0.5, 0.5, pytest.approx(0.05)]
    )


def test_what_is_monitored_is_named_as_in_keras() -> None:
    curve = Curve((3.0, 2.0), (0.1, 0.2), (1.0, 0.5), (0.3, 0.4))
    reports = [EpochReport(1, 2, 3.0, 0.1, 1.0, 0.3), EpochReport(2, 2, 2.0, 0.2, 0.5, 0.4)]
    expected = {"loss": (3.0, 2.0), "accuracy": (0.1, 0.2), "val_loss": (1.0, 0.5), "val_accuracy": (0.3, 0.4)}
    for monitor, values in expected.items():
        assert monitored_of(curve, monitor) == tuple(monitored_in(reports, monitor)) == values
