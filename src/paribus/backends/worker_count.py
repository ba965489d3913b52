"""How many workers end a few runs soonest. Pure; it decides speed, never results.

One worker a core is best as long as many runs wait: nothing is shared, nothing is compiled twice. Where there are only
a few more runs than cores, the last ones would train while other cores are idle: three equal runs take two cores as
long as four. With a worker for each of the three, the operating system shares the cores out among them, and they end
up to a quarter sooner.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

LOSS = 0.3
"""The cost of sharing: the share of the cores' speed that is lost for each process beyond the number of cores.

Measured: three runs of ``mnist-mlps/big`` on two cores took 32.6 s at once and 37.3 s with two workers (LOSS = 0 would
say 28).
"""

START = 60_000_000_000
"""What one more worker costs, in parameters times epochs times examples: some 3 core seconds to start and compile."""

LEAST_GAIN = 0.05
"""What more workers must save to be worth their memory."""

GPU_LANES = 8
"""How many runs are trained side by side on a GPU by default: see ``docs/decisions/0025-lanes.md``."""

MOST = 16
"""With more runs a core than this, the last ones are a small part of the whole."""


def default_lanes(*, on_gpu: bool) -> int:
    """How many runs of an arm a worker trains side by side, by default."""
    return GPU_LANES if on_gpu else 1


def workers_for(costs: Sequence[int], cores: int) -> int:
    """How many single-threaded workers end runs soonest.

    Args:
        costs: of the runs, parameters times epochs times examples; 0 for those whose cost is unknown.
        cores: how many there are.

    Returns:
        ``cores``, or more of them, at most twice as many, where that ends at least a twentieth sooner.
    """
    if len(costs) > MOST * cores:
        return cores
    alone = makespan(costs, cores, cores)
    best, soonest = cores, alone * (1 - LEAST_GAIN)
    for workers in range(cores + 1, min(2 * cores, len(costs)) + 1):
        ends = makespan(costs, workers, cores) + START * (workers - cores) / cores
        if ends < soonest:
            best, soonest = workers, ends
    return best


def makespan(costs: Sequence[int], workers: int, cores: int) -> float:
    """The time at which the last run ends, the costliest being begun first; busy workers share the cores evenly.

    Args:
        costs: of the runs, in any unit.
        workers: how many compute at a time.
        cores: how many there are.

    Returns:
        The time, in the unit of the costs.
    """
    waiting = deque(sorted(costs, reverse=True))
    busy: list[float] = []
    now = 0.0
    while waiting or busy:
        while waiting and len(busy) < workers:
            busy.append(waiting.popleft())
        least = min(busy)
        now += least / _speed(len(busy), cores)
        busy = [left - least for left in busy if left > least]
    return now


def _speed(busy: int, cores: int) -> float:
    """The share of a core that each busy process has."""
    return 1.0 if busy <= cores else cores / busy / (1 + LOSS * (busy - cores) / cores)
