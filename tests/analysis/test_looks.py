"""Planned looks: published boundaries, duality, and the growth of a family over looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from paribus.analysis import ContrastScores, Schedule, SeedScores, Verdict, compare_family, metric_named, plan_looks
from paribus.errors import UsageError


def test_with_many_seeds_the_boundaries_are_those_of_lan_and_demets() -> None:
    """Five equal looks, two-sided 5 %, O'Brien-Fleming-like spending: the published critical values."""
    found = Schedule((200_000, 400_000, 600_000, 800_000, 1_000_000)).nominal(0.05)
    assert stats.norm.isf(np.array(found) / 2) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=5e-4)


def test_one_look_spends_everything() -> None:
    assert Schedule((7,)).nominal(0.03) == pytest.approx((0.03,), rel=1e-9)


@given(
    steps=st.lists(st.integers(1, 10), min_size=1, max_size=5),
    first=st.integers(2, 10),
    alpha=st.floats(0.001, 0.3),
    share=st.floats(0.001, 0.999),
)
@settings(max_examples=40, deadline=None)
def test_the_repeated_p_is_judged_as_the_look_is(steps: list[int], first: int, alpha: float, share: float) -> None:
    seeds = tuple(np.cumsum([first, *steps]).tolist())
    schedule = Schedule(seeds)
    levels = schedule.nominal(alpha)
    assert max(levels) <= alpha * (1 + 1e-9)
    for number, level in enumerate(levels, start=1):
        below, above = share * level, level + share * (1 - level)
        if below > 1e-90:
            assert schedule.repeated_p(below, number) < alpha
        if above > level * 1.001:
            assert schedule.repeated_p(above, number) > alpha


def test_few_seeds_spend_less_than_normal_theory_would() -> None:
    few, many = Schedule((3, 6, 9, 12)).nominal(0.05), Schedule((3000, 6000, 9000, 12000)).nominal(0.05)
    assert few[0] == pytest.approx(many[0])
    assert all(small < large for small, large in zip(few[1:], many[1:], strict=True))


def test_verdicts_at_a_look_agree_with_adjusted_p_values() -> None:
    metric = metric_named("test_accuracy")
    schedule = plan_looks(12, looks=3)
    generator = np.random.default_rng(0)
    seen = set()
    for gain in (0.0, 0.004, 0.01, 0.02, 0.04):
        for number, count in enumerate(schedule.seeds, start=1):
            rows = tuple(range(count))
            a = SeedScores("a", rows, generator.random((count, 2000)) < 0.9 + gain)
            b = SeedScores("b", rows, generator.random((count, 2000)) < 0.9)
            (contrast,) = compare_family(
                [ContrastScores(a, b, metric, 0.02)], family=3, schedule=schedule, number=number
            )
            found = contrast.comparison
            assert found is not None
            assert found.low is not None
            assert found.high is not None
            assert found.p_adjusted is not None
            assert found.p_equivalent_adjusted is not None
            assert found.look == schedule.look(number, 0.95, 3)
            decided = found.verdict in (Verdict.BETTER, Verdict.WORSE)
            assert (found.p_adjusted <= 0.05) == decided == (found.low > 0 or found.high < 0)
            if not decided:
                assert (found.p_equivalent_adjusted <= 0.05) == (found.verdict is Verdict.EQUIVALENT)
            seen.add(found.verdict)
    assert seen >= {Verdict.BETTER, Verdict.UNDECIDED, Verdict.EQUIVALENT}


def test_plans_are_even_and_fit() -> None:
    assert plan_looks(30).seeds == (8, 15, 23, 30)
    assert plan_looks(10).seeds == (3, 5, 8, 10)
    assert plan_looks(4).seeds == (3, 4)
    assert plan_looks(2).seeds == (2,)
    assert plan_looks(20, looks=1).seeds == (20,)


@given(most=st.integers(2, 300), looks=st.integers(1, 10))
@settings(deadline=None)
def test_a_plan_ends_with_the_last_seed_and_never_has_more_looks_than_asked(most: int, looks: int) -> None:
    seeds = plan_looks(most, looks).seeds
    assert seeds[-1] == most
    assert len(seeds) <= looks
    assert seeds[0] >= min(3, most)


@pytest.mark.parametrize("seeds", [(), (1, 5), (5, 5), (5, 4)])
def test_a_schedule_must_grow_from_two(seeds: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="look"):
        Schedule(seeds)


def test_looks_outside_the_plan_are_refused() -> None:
    with pytest.raises(UsageError, match="look 3: this study plans looks 1 to 2"):
        Schedule((3, 6)).look(3)
    with pytest.raises(UsageError, match="max_seeds 1"):
        plan_looks(1)
    with pytest.raises(UsageError, match="looks 0"):
        plan_looks(10, looks=0)
