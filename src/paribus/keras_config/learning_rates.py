"""The learning rate of every epoch, as Keras's callbacks set it. Pure (decision 0086)."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from paribus.records import Curve, EpochReport, ReduceLROnPlateau

_MEASURES = {"val_loss": "val_loss", "val_accuracy": "val_accuracy", "loss": "fit_loss", "accuracy": "fit_accuracy"}


def list_learning_rates(rule: ReduceLROnPlateau, monitored: Sequence[float], first: float) -> list[float]:
    """List the rate of each epoch so far and of the one after it, as ``keras.callbacks.ReduceLROnPlateau`` sets it.

    Keras compares measures in float32, and keeps rates in float32 (keras 3.15).

    Args:
        rule: when a rate is reduced, and how.
        monitored: the monitored value of every epoch so far.
        first: the rate of the first epoch, the optimizer's own.

    Returns:
        One rate more than there are epochs so far.
    """
    better, sign = (operator.lt, 1.0) if rule.monitor.endswith("loss") else (operator.gt, -1.0)
    rates, best, wait, cooldown = [_rounded(first)], None, 0, 0
    for value in map(_rounded, monitored):
        rate = rates[-1]
        if cooldown > 0:
            cooldown, wait = cooldown - 1, 0
        if best is None or better(_rounded(value + sign * rule.min_delta), best):
            best, wait = value, 0
        elif cooldown == 0:
            wait += 1
            if wait >= rule.patience and rate > _rounded(rule.min_lr):
                rate, cooldown, wait = _rounded(max(rate * rule.factor, rule.min_lr)), rule.cooldown, 0
        rates.append(rate)
    return rates


def monitored_of(measures: Curve, monitor: str) -> tuple[float, ...]:
    """The values of a run's epochs that a callback of Keras monitors under a name.

    Args:
        measures: the run's measures by epoch.
        monitor: ``val_loss``, ``val_accuracy``, ``loss`` or ``accuracy``; the latter two are the fit measures.
    """
    values: tuple[float, ...] = getattr(measures, _MEASURES[monitor])
    return values


def monitored_in(reports: Sequence[EpochReport], monitor: str) -> list[float]:
    """The monitored value of every epoch so far."""
    values = (getattr(report, _MEASURES[monitor]) for report in reports)
    return [value for value in values if value is not None]


def _rounded(value: float) -> float:
    return float(np.float32(value))
