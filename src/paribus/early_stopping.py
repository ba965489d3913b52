"""Early stopping: which epoch is the best one by validation, and when training ends. Pure."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

from paribus.records import Curve, EarlyStopping, EpochReport


@dataclass(frozen=True, slots=True)
class StoppingState:
    """The state of early stopping after some epochs.

    Attributes:
        best_epoch: the best epoch so far, whose weights are used, numbered from 1.
        stop: whether training ends here.
    """

    best_epoch: int
    stop: bool


def judge_epochs(rule: EarlyStopping, monitored: Sequence[float]) -> StoppingState:
    """Judge the epochs so far, as ``keras.callbacks.EarlyStopping(restore_best_weights=True)`` does.

    Args:
        rule: when to stop.
        monitored: the monitored value of every epoch so far; at least one.
    """
    better, sign = (operator.lt, 1.0) if rule.monitor == "val_loss" else (operator.gt, -1.0)
    best_index, best_value = 0, monitored[0]
    for index, value in enumerate(monitored):
        if better(value + sign * rule.min_delta, best_value):
            best_index, best_value = index, value
    last = len(monitored) - 1
    return StoppingState(best_index + 1, stop=last > 0 and last > best_index and last - best_index >= rule.patience)


def find_best_epoch(rule: EarlyStopping | None, curve: Curve) -> int:
    """The epoch whose weights a run that has ended uses, numbered from 1; 0 for a run without any epoch."""
    values = curve.val_accuracy if rule is not None and rule.monitor == "val_accuracy" else curve.val_loss
    return len(curve.fit_loss) if rule is None or not values else judge_epochs(rule, values).best_epoch


def list_monitored(rule: EarlyStopping, reports: Sequence[EpochReport]) -> list[float]:
    """The monitored value of every epoch so far."""
    values = (report.val_loss if rule.monitor == "val_loss" else report.val_accuracy for report in reports)
    return [value for value in values if value is not None]
