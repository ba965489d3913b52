"""Keras callbacks: what a protocol can say is taken over as Keras means it; others are refused by name."""

from __future__ import annotations

import math
import random
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

import paribus as pb
from paribus.errors import StudyError, UsageError
from paribus.records import ReduceLROnPlateau
from paribus.report.methods import describe_methods

C = keras.callbacks


def model() -> keras.Model:
    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])


def study(*callbacks: Any, **options: Any) -> pb.Study:
    return pb.Study({"a": model()}, "digits", callbacks=callbacks, validation_split=0.2, **options)


def test_early_stopping_is_the_protocols() -> None:
    found = study(C.EarlyStopping("val_accuracy", min_delta=0.01, patience=4, restore_best_weights=True))
    rule = found.document.protocol.early_stopping
    assert rule is not None
    assert rule.model_dump() == {"patience": 4, "monitor": "val_accuracy", "min_delta": 0.01}
    plain = study(C.EarlyStopping(patience=2, restore_best_weights=True, min_delta=0.1))
    assert plain.document.protocol == study(early_stopping={"patience": 2, "min_delta": 0.1}).document.protocol


GENERATOR = random.Random(0)

REFUSED: dict[str, tuple[Any, str]] = {
    "whole rates": (lambda: C.LearningRateScheduler(lambda _epoch: 1), "returns 1 for epoch 0; return a finite float"),
    "negative rates": (lambda: C.LearningRateScheduler(lambda epoch: 0.1 - epoch), "returns -0.9 for epoch 1"),
    "rates at random": (
        lambda: C.LearningRateScheduler(lambda _epoch, _rate: GENERATOR.random()),
        "returns other rates when it is called again",
    ),
    "watched": (lambda: C.ReduceLROnPlateau("val_auc"), "ReduceLROnPlateau: monitor 'val_auc'; 'val_loss', .* are"),
    "direction": (
        lambda: C.ReduceLROnPlateau(mode="max"),
        "ReduceLROnPlateau: mode 'max' is the wrong direction of val_loss",
    ),
    "lambda": (
        lambda: C.LambdaCallback(),
        "LambdaCallback is not supported: its functions would run",
    ),
    "board": (lambda: C.TensorBoard(), "TensorBoard is not supported: .*--to tensorboard"),
    "checkpoint": (lambda: C.ModelCheckpoint("m.keras"), "ModelCheckpoint is not supported: every run is stored"),
    "nan": (lambda: C.TerminateOnNaN(), "ends by itself, as diverged"),
    "log": (lambda: C.CSVLogger("log.csv"), "CSVLogger is not supported: write the results out"),
    "own": (lambda: type("Mine", (C.Callback,), {})(), "Mine is not supported: EarlyStopping, LearningRateSch"),
    "own stopping": (
        lambda: type("Patient", (C.EarlyStopping,), {})(restore_best_weights=True),
        "Patient is not supported",
    ),
    "none": (lambda: "early", "str is not a callback of Keras"),
    "last weights": (lambda: C.EarlyStopping(), "set restore_best_weights=True"),
    "monitor": (lambda: C.EarlyStopping("loss", restore_best_weights=True), "monitor 'loss'; write 'val_loss'"),
    "mode": (
        lambda: C.EarlyStopping(mode="max", restore_best_weights=True),
        "mode 'max' is the wrong direction of val_loss",
    ),
    "baseline": (lambda: C.EarlyStopping(baseline=0.1, restore_best_weights=True), "baseline is not supported"),
    "start": (lambda: C.EarlyStopping(start_from_epoch=2, restore_best_weights=True), "start_from_epoch is not"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_followed_is_refused_with_what_to_do_instead(name: str) -> None:
    build, said = REFUSED[name]
    with pytest.raises(UsageError, match=said):
        study(build())


def test_every_callback_of_keras_is_named() -> None:
    """A new one gets an answer of its own."""
    from paribus.api.keras_callbacks import _INSTEAD

    known = {name for name, cls in vars(C).items() if isinstance(cls, type) and issubclass(cls, C.Callback)}
    followed = {"EarlyStopping", "LearningRateScheduler", "ReduceLROnPlateau"}
    assert known - followed - {"Callback", "CallbackList"} == set(_INSTEAD)


class Trained:
    """What a callback sees of a model."""

    def __init__(self, rate: float) -> None:
        self.optimizer = keras.optimizers.SGD(rate)


def keras_rates(schedule: Any, rate: float, epochs: int) -> list[float]:
    callback, trained, rates = C.LearningRateScheduler(schedule), Trained(rate), []
    model: Any = trained
    callback.set_model(model)
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        rates.append(float(trained.optimizer.learning_rate))
    return rates


SCHEDULES: dict[str, Any] = {
    "epoch": lambda epoch: 0.1 / (1 + epoch),
    "rate": lambda epoch, rate: rate if epoch < 3 else rate * math.exp(-0.1),
    "float32": lambda epoch, rate: np.float32(rate) * np.float32(0.7),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("rate", [0.1, 0.003])
def test_the_rates_of_a_schedule_are_kerass(name: str, rate: float) -> None:
    """To the last bit of float32, in which Keras keeps them."""
    callback = C.LearningRateScheduler(SCHEDULES[name])
    rates = study(callback, epochs=9, optimizer=keras.optimizers.SGD(rate)).document.protocol.learning_rates
    assert rates is not None
    assert [float(np.float32(value)) for value in rates] == keras_rates(SCHEDULES[name], rate, 9)


def test_arms_with_other_optimizers_get_rates_of_their_own() -> None:
    models = {"a": model(), "b": model(), "tree": DecisionTreeClassifier()}
    for name, rate in (("a", 0.1), ("b", 0.2)):
        models[name].compile(keras.optimizers.SGD(rate), "categorical_crossentropy")
    callback = C.LearningRateScheduler(lambda _epoch, rate: rate * 0.5)
    document = pb.Study(models, "digits", callbacks=[callback], epochs=2).document
    assert document.protocol.learning_rates is None
    assert [arm.learning_rates for arm in document.arms.values()] == [(0.05, 0.025), (0.1, 0.05), None]


def test_a_schedule_in_the_optimizer_and_a_scheduler_contradict_each_other() -> None:
    decay = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9))
    with pytest.raises(UsageError, match="the optimizer of arm 'a' has no number as its learning_rate"):
        study(C.LearningRateScheduler(lambda _epoch: 0.1), optimizer=decay)
    with pytest.raises(StudyError, match="its learning_rate is a schedule, which reduce_lr_on_plateau cannot set"):
        study(C.ReduceLROnPlateau(), optimizer=decay)


def test_plateaus_are_the_protocols() -> None:
    rule = study(C.ReduceLROnPlateau("val_accuracy", 0.5, 4, mode="max", min_delta=0.01, cooldown=2, min_lr=1e-5))
    assert rule.document.protocol.training().reduce_lr_on_plateau == ReduceLROnPlateau(
        0.5, 4, "val_accuracy", 0.01, 2, 1e-5
    )
    assert study(C.ReduceLROnPlateau()).document.protocol.training().reduce_lr_on_plateau == ReduceLROnPlateau()


def test_two_callbacks_that_set_rates_are_refused() -> None:
    with pytest.raises(UsageError, match="keep one of them"):
        study(C.LearningRateScheduler(lambda _epoch: 0.1), C.ReduceLROnPlateau())
    with pytest.raises(UsageError, match="ReduceLROnPlateau is set more than once"):
        study(C.ReduceLROnPlateau(), C.ReduceLROnPlateau())


def test_an_answer_says_how_rates_were_set() -> None:
    """In notes and methods, from the stored runs."""
    callbacks = [C.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)]
    options: dict[str, Any] = {"epochs": 4, "seeds": 2, "progress": False, "workers": 1}
    results = pb.compare({"a": model()}, "digits", callbacks=callbacks, **options)
    assert "The learning rate was reduced on plateaus of the loss; times a run: a 2." in results.outcome.notes
    text = describe_methods(results.outcome).paragraphs[0]
    assert (
        "The learning rate was multiplied by 0.5 whenever the loss had not improved by more than 10 for 1 epoch."
        in text
    )


def test_early_stopping_is_given_once() -> None:
    with pytest.raises(UsageError, match="set more than once"):
        study(C.EarlyStopping(restore_best_weights=True), early_stopping=3)
