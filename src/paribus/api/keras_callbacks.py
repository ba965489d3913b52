"""The argument ``callbacks``: early stopping is a part of the protocol, other callbacks are refused.

A callback may change training in any way, at any step, in one process. Arms are trained alike, in worker processes, and
runs are named by what determines them: so a callback is either something that a protocol says too, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paribus.errors import UsageError

_INSTEAD = {
    "LearningRateScheduler": (
        "give the optimizer a schedule as its learning_rate, such as keras.optimizers.schedules.ExponentialDecay"
    ),
    "ReduceLROnPlateau": (
        "give the optimizer a schedule as its learning_rate, such as keras.optimizers.schedules.CosineDecay, and "
        "early_stopping for the patience"
    ),
    "ModelCheckpoint": "every run is stored where store= names a folder, and early_stopping uses the best epoch",
    "BackupAndRestore": "every run is stored where store= names a folder, and the same call continues from there",
    "TerminateOnNaN": "a run whose loss is not finite ends by itself, as diverged; leave it out",
    "SwapEMAWeights": "use_ema = True of the optimizer leaves the average of the weights behind",
    "TensorBoard": "write the results out instead: paribus export --to tensorboard",
    "CSVLogger": "write the results out instead: results.report('runs.csv'), or paribus export --to parquet",
    "ProgbarLogger": "progress= says whether to show how it goes",
    "History": "results.arms[...].runs[...].curve has every epoch",
}

_DIRECTIONS = {"val_loss": "min", "val_accuracy": "max"}


def read_callbacks(callbacks: Sequence[Any], early_stopping: int | Mapping[str, Any] | None) -> Any:
    """Read early stopping, from callbacks or from the argument ``early_stopping``, for the protocol.

    Raises:
        UsageError: a callback that is not followed; or two settings of early stopping.
    """
    import keras

    rules = []
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise UsageError(
                f"callbacks: {type(callback).__name__} is no callback of Keras; early_stopping=3 stops a run by itself"
            )
        name = type(callback).__name__
        if type(callback) is not keras.callbacks.EarlyStopping:
            remedy = _INSTEAD.get(name, "early stopping, schedules of the learning rate and layers of your own are")
            raise UsageError(f"callbacks: {name} is not followed: {remedy}")
        rules.append(_rule(callback))
    if len(rules) + (early_stopping is not None) > 1:
        raise UsageError("early stopping is set more than once; give one EarlyStopping, or early_stopping=")
    return rules[0] if rules else early_stopping


def _rule(callback: Any) -> dict[str, Any]:
    """``keras.callbacks.EarlyStopping`` as a protocol writes it."""
    monitor = callback.monitor
    if monitor not in _DIRECTIONS:
        raise UsageError(f"EarlyStopping: monitor {monitor!r}; runs are watched by 'val_loss' or 'val_accuracy'")
    if callback.mode not in ("auto", _DIRECTIONS[monitor]):
        raise UsageError(
            f"EarlyStopping: mode {callback.mode!r} of {monitor}; leave it out, or say the usual direction"
        )
    if not callback.restore_best_weights:
        raise UsageError(
            "EarlyStopping: restore_best_weights=False keeps the weights of an epoch that was not the best; runs keep "
            "the best epoch's: say restore_best_weights=True"
        )
    if callback.baseline is not None:
        raise UsageError("EarlyStopping: baseline is not followed; leave it out")
    if callback.start_from_epoch:
        raise UsageError("EarlyStopping: start_from_epoch is not followed; leave it out, or give a longer patience")
    # Keras turns its sign where less is better.
    return {"patience": int(callback.patience), "monitor": monitor, "min_delta": abs(float(callback.min_delta))}
