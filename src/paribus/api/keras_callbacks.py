"""The argument ``callbacks``: Keras's callbacks that a protocol can say, and a refusal of all others.

A callback may change training in any way, at any step, in one process. Arms are trained alike, in worker processes, and
runs are named by what determines them: so a callback is either something that a protocol says too, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paribus.api.rate_table import Schedule
from paribus.errors import UsageError

_INSTEAD = {
    "ModelCheckpoint": "every run is stored where store= names a folder, and early_stopping uses the best epoch",
    "OrbaxCheckpoint": "every run is stored where store= names a folder, and early_stopping uses the best epoch",
    "BackupAndRestore": "every run is stored where store= names a folder, and the same call continues from there",
    "TerminateOnNaN": "a run whose loss is not finite ends by itself, as diverged; leave it out",
    "SwapEMAWeights": "use_ema = True of the optimizer leaves the average of the weights behind",
    "TensorBoard": "write the results out instead: paribus export --to tensorboard",
    "CSVLogger": "write the results out instead: results.report('runs.csv'), or paribus export --to parquet",
    "RemoteMonitor": "write the results out instead: paribus export --to mlflow, or --to parquet",
    "LambdaCallback": (
        "its functions would run in another process, where they see nothing of this one; metrics= measures what a run "
        "learned, and results.arms[...].runs[...].curve has every epoch"
    ),
    "ProgbarLogger": "progress= says whether to show progress",
    "History": "results.arms[...].runs[...].curve has every epoch",
}

_OTHERWISE = (
    "EarlyStopping, LearningRateScheduler and ReduceLROnPlateau of Keras are, and layers and metrics of your own that "
    "are registered"
)

_DIRECTIONS = {"val_loss": "min", "val_accuracy": "max", "loss": "min", "accuracy": "max"}


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """What the callbacks of a call say, as a protocol writes it.

    Attributes:
        early_stopping: when a run ends before its last epoch.
        reduce_lr_on_plateau: how the optimizer's learning rate is reduced.
        schedule: the function of ``LearningRateScheduler``, which is asked for the rate of every epoch.
    """

    early_stopping: int | Mapping[str, Any] | None = None
    reduce_lr_on_plateau: Mapping[str, Any] | None = None
    schedule: Schedule | None = None


def read_callbacks(callbacks: Sequence[Any], early_stopping: int | Mapping[str, Any] | None) -> CallbackSettings:
    """Translate the callbacks of a call, and its argument ``early_stopping``, into keys of a protocol.

    Args:
        callbacks: objects of ``keras.callbacks``.
        early_stopping: the argument: a patience, a mapping, or None.

    Raises:
        UsageError: a protocol has nothing like the callback or one of its arguments; or two set the same key.
    """
    import keras

    by_class: dict[str, Any] = {}
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise UsageError(
                f"callbacks: {type(callback).__name__} is not a callback of Keras; leave it out, or pass an object of "
                "keras.callbacks"
            )
        name = type(callback).__name__
        followed = (
            keras.callbacks.EarlyStopping,
            keras.callbacks.ReduceLROnPlateau,
            keras.callbacks.LearningRateScheduler,
        )
        if type(callback) not in followed:
            raise UsageError(f"callbacks: {name} is not supported: {_INSTEAD.get(name, _OTHERWISE)}")
        if name in by_class:
            raise UsageError(f"callbacks: {name} is set more than once; give one")
        by_class[name] = callback
    stopping, plateau = by_class.get("EarlyStopping"), by_class.get("ReduceLROnPlateau")
    scheduler = by_class.get("LearningRateScheduler")
    if stopping is not None and early_stopping is not None:
        raise UsageError("early stopping is set more than once; give one EarlyStopping, or early_stopping=")
    if scheduler is not None and plateau is not None:
        raise UsageError(
            "callbacks: LearningRateScheduler sets the rate of every epoch, and ReduceLROnPlateau reduces it as well; "
            "keep one of them"
        )
    return CallbackSettings(
        early_stopping if stopping is None else _write_early_stopping(stopping),
        None if plateau is None else _write_plateau(plateau),
        None if scheduler is None else scheduler.schedule,
    )


def _write_early_stopping(callback: Any) -> dict[str, Any]:
    """``keras.callbacks.EarlyStopping`` as a protocol writes it."""
    monitor = callback.monitor
    if monitor not in ("val_loss", "val_accuracy"):
        raise UsageError(f"EarlyStopping: monitor {monitor!r}; write 'val_loss' or 'val_accuracy'")
    _check_mode(callback)
    if not callback.restore_best_weights:
        raise UsageError(
            "EarlyStopping: restore_best_weights=False ends with the weights of an epoch that was not the best; runs "
            "end with those of the best epoch: set restore_best_weights=True"
        )
    if callback.baseline is not None:
        raise UsageError("EarlyStopping: baseline is not supported; leave it out")
    if callback.start_from_epoch:
        raise UsageError("EarlyStopping: start_from_epoch is not supported; leave it out, or set a longer patience")
    # Keras turns its sign where less is better.
    return {"patience": int(callback.patience), "monitor": monitor, "min_delta": abs(float(callback.min_delta))}


def _write_plateau(callback: Any) -> dict[str, Any]:
    """``keras.callbacks.ReduceLROnPlateau`` as a protocol writes it."""
    monitor = callback.monitor
    if monitor not in _DIRECTIONS:
        raise UsageError(
            f"ReduceLROnPlateau: monitor {monitor!r}; {', '.join(map(repr, _DIRECTIONS))} are measured after every "
            "epoch"
        )
    _check_mode(callback)
    return {
        "factor": float(callback.factor),
        "patience": int(callback.patience),
        "monitor": monitor,
        "min_delta": abs(float(callback.min_delta)),
        "cooldown": int(callback.cooldown),
        "min_lr": float(callback.min_lr),
    }


def _check_mode(callback: Any) -> None:
    if callback.mode not in ("auto", _DIRECTIONS[callback.monitor]):
        raise UsageError(
            f"{type(callback).__name__}: mode {callback.mode!r} is the wrong direction of {callback.monitor}; leave "
            "mode out"
        )
