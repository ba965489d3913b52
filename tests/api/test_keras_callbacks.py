"""Keras callbacks: early stopping is what the protocol says, and trains as Keras does; others are refused by name."""

from __future__ import annotations

from typing import Any

import keras
import pytest

import paribus as pb
from paribus.api import keras_objects
from paribus.errors import UsageError

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


REFUSED: dict[str, tuple[Any, str]] = {
    "schedule": (lambda: C.LearningRateScheduler(lambda epoch: 0.1), "LearningRateScheduler is not followed: give the"),
    "plateau": (lambda: C.ReduceLROnPlateau(), "ReduceLROnPlateau is not followed: .*CosineDecay"),
    "checkpoint": (lambda: C.ModelCheckpoint("m.keras"), "ModelCheckpoint is not followed: every run is stored"),
    "nan": (lambda: C.TerminateOnNaN(), "ends by itself, as diverged"),
    "log": (lambda: C.CSVLogger("log.csv"), "CSVLogger is not followed: write the results out"),
    "own": (lambda: type("Mine", (C.Callback,), {})(), "Mine is not followed: early stopping, schedules of the"),
    "own stopping": (
        lambda: type("Patient", (C.EarlyStopping,), {})(restore_best_weights=True),
        "Patient is not followed",
    ),
    "none": (lambda: "early", "str is no callback of Keras"),
    "last weights": (lambda: C.EarlyStopping(), "say restore_best_weights=True"),
    "monitor": (lambda: C.EarlyStopping("loss", restore_best_weights=True), "monitor 'loss'; runs are watched by"),
    "mode": (lambda: C.EarlyStopping(mode="max", restore_best_weights=True), "mode 'max' of val_loss"),
    "baseline": (lambda: C.EarlyStopping(baseline=0.1, restore_best_weights=True), "baseline is not followed"),
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
    general = {"Callback", "CallbackList", "EarlyStopping", "LambdaCallback", "RemoteMonitor", "OrbaxCheckpoint"}
    assert known - general == set(_INSTEAD)


def test_early_stopping_is_given_once() -> None:
    with pytest.raises(UsageError, match="set more than once"):
        study(C.EarlyStopping(restore_best_weights=True), early_stopping=3)


class Mine(keras.metrics.AUC):
    pass


def test_metrics_of_ones_own_are_refused_with_what_to_do_instead() -> None:
    with pytest.raises(UsageError, match=r"metric Mine: a class of your own; .*paribus export --to parquet"):
        keras_objects.write_metrics([Mine()])
