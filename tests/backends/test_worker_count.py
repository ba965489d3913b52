"""How many workers a few runs get. The law: never later than one a core, and never more than helps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.backends.worker_count import LEAST_GAIN, makespan, workers_for

LARGE = 10_000_000 * 60_000
COSTS = st.lists(st.integers(0, 10 * LARGE), max_size=40)


@pytest.mark.parametrize(
    ("costs", "cores", "workers"),
    [
        ([LARGE] * 3, 2, 3),
        ([LARGE] * 5, 2, 3),
        ([LARGE] * 10, 8, 10),
        ([LARGE] * 2, 2, 2),
        ([LARGE] * 4, 2, 2),
        ([LARGE] * 1, 8, 8),
        ([], 2, 2),
        ([0] * 7, 2, 2),
        ([5_000_000 * 1_437] * 3, 2, 2),
        ([LARGE] * 1001, 2, 2),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else f"{len(value)} of {value[:1]}",
)
def test_a_few_runs_share_the_cores(costs: list[int], cores: int, workers: int) -> None:
    assert workers_for(costs, cores) == workers


@given(COSTS, st.integers(1, 16))
def test_more_workers_than_cores_only_where_they_end_sooner(costs: list[int], cores: int) -> None:
    chosen = workers_for(costs, cores)
    assert cores <= chosen <= max(cores, min(2 * cores, len(costs)))
    if chosen > cores:
        assert makespan(costs, chosen, cores) < makespan(costs, cores, cores) * (1 - LEAST_GAIN)


@given(COSTS, st.integers(1, 16), st.integers(1, 40))
def test_no_work_is_lost_and_none_done_faster_than_the_cores_can(costs: list[int], cores: int, workers: int) -> None:
    ends = makespan(costs, workers, cores)
    at_once = min(workers, cores)
    assert ends >= max(max(costs, default=0), sum(costs) / at_once) * (1 - 1e-9)
    assert workers > cores or ends <= sum(costs) / at_once + max(costs, default=0) * (1 + 1e-9)
