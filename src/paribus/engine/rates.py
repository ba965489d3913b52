"""The learning rate of a state: read from it, and set between epochs where a protocol says so (decision 0086)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from paribus.engine.lanes import Lanes
from paribus.engine.network import State
from paribus.records import Training


def sets_rates(training: Training) -> bool:
    """Whether a protocol sets learning rates between epochs: ``learning_rates`` or ``reduce_lr_on_plateau``."""
    return training.learning_rates is not None or training.reduce_lr_on_plateau is not None


def read_rates(optimizer: Any, state: State, lanes: Lanes) -> list[float]:
    """The learning rate of each lane.

    Args:
        optimizer: an optimizer whose rate is a number and no schedule.
        state: the state of all lanes.
        lanes: how many there are.
    """
    return [float(rate) for rate in lanes.apart(state.optimizer[_position(optimizer)])]


def with_rates(optimizer: Any, state: State, lanes: Lanes, rates: Sequence[float]) -> State:
    """The state with another learning rate in each lane, in float32 as Keras stores it.

    Args:
        optimizer: an optimizer whose rate is a number and no schedule.
        state: the state of all lanes; it is not changed.
        lanes: how many there are.
        rates: one for each run; the last one fills the lanes that are left.
    """
    changed: list[Any] = list(state.optimizer)
    changed[_position(optimizer)] = lanes.together([np.asarray(rate, np.float32) for rate in rates])
    return state._replace(optimizer=changed)


def _position(optimizer: Any) -> int:
    """Where the learning rate is among an optimizer's variables."""
    # A study whose optimizers have a schedule has no such protocol: their rate is no variable.
    return next(index for index, variable in enumerate(optimizer.variables) if variable is optimizer._learning_rate)
