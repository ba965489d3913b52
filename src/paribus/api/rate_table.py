"""The function of Keras's ``LearningRateScheduler``, asked for every epoch before anything trains (decision 0086)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from paribus.errors import UsageError
from paribus.study.document import Arm

Schedule = Callable[..., Any]
"""Takes the epoch, counted from 0, and the rate of the epoch before, or the epoch alone; returns a rate."""

RateTable = tuple[float, ...]


def add_rate_tables(
    arms: Mapping[str, Arm], schedule: Schedule | None, epochs: int
) -> tuple[dict[str, Arm], RateTable | None]:
    """Ask a schedule for the rates of every arm.

    Args:
        arms: the arms by name.
        schedule: a function of the epoch, from 0, and the rate of the epoch before; None for no schedule.
        epochs: the number of epochs.

    Returns:
        The arms, each with its own rates where they differ between arms; else the rates that all have.

    Raises:
        UsageError: the schedule returns no rate for an epoch, or other rates when it is called again.
    """
    networks = {name: arm for name, arm in arms.items() if arm.estimator is None}
    if schedule is None or not networks:
        return dict(arms), None
    tables = {name: _list_rates(schedule, _first_rate(name, arm), epochs) for name, arm in networks.items()}
    if len(set(tables.values())) == 1:
        return dict(arms), next(iter(tables.values()))
    with_own = {name: arm.model_copy(update={"learning_rates": tables[name]}) for name, arm in networks.items()}
    return {**arms, **with_own}, None


def _first_rate(name: str, arm: Arm) -> float:
    """The learning rate of an arm's optimizer."""
    import keras

    ((cls, arguments),) = arm.optimizer.items()
    optimizer = getattr(keras.optimizers, cls, None)
    default = signature(optimizer).parameters["learning_rate"].default if isinstance(optimizer, type) else None
    rate = arguments.get("learning_rate", default)
    if not isinstance(rate, int | float):
        raise UsageError(
            f"LearningRateScheduler: the optimizer of arm '{name}' has no number as its learning_rate, which could be "
            "set; give it one, or leave the callback out"
        )
    return float(rate)


def _list_rates(schedule: Schedule, first: float, epochs: int) -> RateTable:
    rates, again = (tuple(_ask(schedule, first, epochs)) for _ in range(2))
    if rates != again:
        raise UsageError(
            "LearningRateScheduler: its function returns other rates when it is called again, so that a run could not "
            "be repeated; let it depend on its arguments alone"
        )
    return rates


def _ask(schedule: Schedule, rate: float, epochs: int) -> Any:
    """Each rate as the shortest number that is the same in float32, in which Keras keeps it."""
    for epoch in range(epochs):
        before = float(np.float32(rate))
        try:
            rate = schedule(epoch, before)
        except TypeError:  # as Keras does: a function of the epoch alone
            rate = schedule(epoch)
        if not isinstance(rate, float | np.float32) or not math.isfinite(rate) or rate < 0:
            raise UsageError(
                f"LearningRateScheduler: its function returns {rate!r} for epoch {epoch}; return a finite float, 0 or "
                "more"
            )
        yield float(str(np.float32(rate)))
