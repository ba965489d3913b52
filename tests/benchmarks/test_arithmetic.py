"""The arithmetic of the benchmarks, on made-up numbers. No test asserts how fast anything is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.arithmetic import Line, Spread, geometric_mean, overhead_per_run, ratios
from benchmarks.growth import Size, summary

POSITIVE = st.floats(0.01, 1000)


def test_the_spread_of_an_odd_and_an_even_number_of_values() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
    assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0, 4)


def test_nothing_measured_is_no_number() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])
    with pytest.raises(ValueError, match="nothing was measured"):
        geometric_mean([])


def test_ratios_are_taken_round_by_round() -> None:
    """A machine that slows down in one round slows both: the ratio stays."""
    assert ratios({0: 4.0, 1: 40.0, 2: 9.0}, {0: 2.0, 1: 20.0, 3: 1.0}) == Spread(2.0, 2.0, 2.0, 2)


@given(st.lists(POSITIVE, min_size=1, max_size=8), POSITIVE)
def test_the_geometric_mean_scales_and_inverts(values: list[float], factor: float) -> None:
    mean = geometric_mean(values)
    assert min(values) * (1 - 1e-9) <= mean <= max(values) * (1 + 1e-9)
    assert geometric_mean([factor * value for value in values]) == pytest.approx(factor * mean)
    assert geometric_mean([1 / value for value in values]) == pytest.approx(1 / mean)


def test_a_line_and_the_largest_distance_from_it() -> None:
    line = Line.through([1, 2, 3], [12.0, 14.0, 16.0])
    assert (line.intercept, line.slope, line.residual) == (pytest.approx(10), pytest.approx(2), pytest.approx(0))
    assert Line.through([1, 2, 3], [12.0, 15.0, 16.0]).residual == pytest.approx(2 / 3 / 15)


def test_the_overhead_of_a_run_is_what_the_workers_do_not_spend_in_the_engine() -> None:
    assert overhead_per_run(0.025, 2, 0.007) == pytest.approx(0.043)
    sizes = [Size(runs, 8 + 0.025 * runs, 0.007 * runs, 200, 400, 0.02 * runs) for runs in (9, 99, 999)]
    found = summary(sizes, workers=2)
    assert found["overhead_ms_per_run"] == pytest.approx(43)
    assert found["wall_ms_per_run"] == pytest.approx(25)
    assert found["start_seconds"] == pytest.approx(8)
    assert math.isclose(found["largest_distance_from_line"], 0, abs_tol=1e-9)
