"""Shares of the error: they sum to 1, the union bound holds, and equal shares change no bit of today's numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paribus.analysis import (
    ContrastScores,
    Factor,
    JudgedContrast,
    Schedule,
    SeedScores,
    Verdict,
    compare_family,
    error_shares,
    factorial_effects,
    holm,
    metric_named,
    weighted_holm,
)
from paribus.errors import UsageError

ACCURACY = metric_named("test_accuracy")


def contrasts(seed: int, count: int, seeds: int = 4) -> list[ContrastScores]:
    generator = np.random.default_rng(seed)
    arms = [
        SeedScores(f"arm {i}", tuple(range(seeds)), generator.random((seeds, 300)) < generator.uniform(0.85, 0.95))
        for i in range(count + 1)
    ]
    return [ContrastScores(arms[i], arms[i + 1], ACCURACY, 0.02) for i in range(count)]


@given(primary=st.lists(st.booleans(), min_size=1, max_size=40), share=st.floats(0.01, 0.99))
@settings(deadline=None)
def test_shares_sum_to_one_and_primary_statements_divide_theirs(primary: list[bool], share: float) -> None:
    shares = error_shares(primary, share)
    assert math.fsum(shares) == pytest.approx(1, abs=1e-12)
    assert all(value > 0 for value in shares)
    first = [value for value, item in zip(shares, primary, strict=True) if item]
    if first and len(first) < len(primary):
        assert math.fsum(first) == pytest.approx(share)
        assert len(set(first)) == 1
    else:
        assert set(shares) == {1 / len(primary)}


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, math.nan])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="primary share"):
        error_shares([True, False], share)
    with pytest.raises(UsageError, match="no statements"):
        error_shares([])


@given(
    primary=st.lists(st.booleans(), min_size=1, max_size=6),
    share=st.sampled_from([0.5, 0.8, 0.9]),
    level=st.sampled_from([0.9, 0.95, 0.99]),
    planned=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_the_union_bound_holds_and_interval_p_and_verdict_agree(
    primary: list[bool], share: float, level: float, planned: bool, seed: int
) -> None:
    shares = error_shares(primary, share)
    schedule = Schedule((4, 8)) if planned else None
    judged = compare_family(
        contrasts(seed, len(primary)), level=level, weights=shares, primary=primary, schedule=schedule
    )
    spent = 0.0
    for item, weight, flag in zip(judged, shares, primary, strict=True):
        comparison = item.comparison
        assert comparison is not None
        assert comparison.p_adjusted is not None
        assert comparison.low is not None
        assert comparison.high is not None
        assert (comparison.share, comparison.primary) == (weight, flag)
        assert comparison.interval_level == pytest.approx(1 - (1 - level) * weight)
        if planned:
            assert comparison.look is not None
            assert schedule is not None
            assert comparison.look.alpha == pytest.approx(schedule.nominal((1 - level) * weight)[0], rel=1e-9)
        elif comparison.p_value is not None:
            assert comparison.p_adjusted == pytest.approx(min(1, comparison.p_value / weight))
        if abs(comparison.p_adjusted - (1 - level)) > 1e-9:
            decided = comparison.verdict in (Verdict.BETTER, Verdict.WORSE)
            assert (comparison.p_adjusted <= 1 - level) == decided == (comparison.low > 0 or comparison.high < 0)
        spent += 1 - comparison.interval_level
    assert spent <= 1 - level + 1e-12


def without_share(judged: tuple[JudgedContrast, ...]) -> list[JudgedContrast]:
    assert all(item.comparison is not None for item in judged)
    return [replace(item, comparison=replace(item.comparison, share=1.0)) for item in judged if item.comparison]


@given(seed=st.integers(0, 1000), count=st.integers(1, 10), planned=st.booleans())
@settings(max_examples=30, deadline=None)
def test_equal_shares_change_no_bit(seed: int, count: int, planned: bool) -> None:
    schedule = Schedule((4, 8)) if planned else None
    declared = contrasts(seed, count)
    today = compare_family(declared, schedule=schedule)
    for primary in ([False] * count, [True] * count):
        shared = compare_family(declared, schedule=schedule, weights=error_shares(primary))
        assert without_share(shared) == without_share(today)


def test_shares_of_effects_are_those_of_contrasts() -> None:
    generator = np.random.default_rng(3)
    factors = (Factor("a", ("0", "1")), Factor("b", ("0", "1")))
    cells: dict[tuple[str, ...], SeedScores] = {
        key: SeedScores("-".join(key), (0, 1, 2), generator.random((3, 200)) < 0.8) for key in product("01", "01")
    }
    primary = [False, True, False]
    effects = factorial_effects(factors, cells, ACCURACY, weights=error_shares(primary), primary=primary)
    for effect, flag, weight in zip(effects, primary, (0.1, 0.8, 0.1), strict=True):
        assert effect.comparison is not None
        assert effect.comparison.share == pytest.approx(weight)
        assert effect.comparison.primary == flag
        assert effect.comparison.p_value is not None
        assert effect.comparison.p_adjusted == pytest.approx(min(1.0, effect.comparison.p_value / weight))
    with pytest.raises(UsageError, match="2 weights for 3 statements"):
        factorial_effects(factors, cells, ACCURACY, weights=(0.5, 0.5))


def test_a_part_of_the_error_may_belong_to_statements_judged_elsewhere() -> None:
    (one, _) = compare_family(contrasts(1, 2), weights=(0.8, 0.1), family=5)
    assert one.comparison is not None
    assert one.comparison.contrasts == 5
    assert one.comparison.share == 0.8
    with pytest.raises(UsageError, match=r"weights sum to 1\.1"):
        compare_family(contrasts(1, 2), weights=(0.8, 0.3))
    with pytest.raises(UsageError, match="weight 0: a share"):
        compare_family(contrasts(1, 2), weights=(1, 0))
    with pytest.raises(UsageError, match="primary has 1 entries for 2 statements"):
        compare_family(contrasts(1, 2), primary=[True])


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None)
def test_weighted_holm_with_equal_weights_is_holm(p_values: list[float]) -> None:
    assert weighted_holm(p_values, [1 / len(p_values)] * len(p_values)) == pytest.approx(holm(p_values), abs=1e-12)


@given(
    drawn=st.lists(st.tuples(st.floats(1e-6, 1), st.floats(0.05, 1)), min_size=1, max_size=6),
    alpha=st.sampled_from([0.01, 0.05, 0.1]),
)
@settings(deadline=None)
def test_weighted_holm_rejects_what_the_closed_test_rejects(drawn: list[tuple[float, float]], alpha: float) -> None:
    """Weighted Holm is the closed procedure whose tests of intersections are weighted Bonferroni tests."""
    total = sum(weight for _, weight in drawn)
    p_values, weights = [p for p, _ in drawn], [weight / total for _, weight in drawn]
    count = len(drawn)
    subsets = [[i for i in range(count) if mask >> i & 1] for mask in range(1, 2**count)]
    closed = [1.0] * count
    for index in range(count):
        tests = [
            min(p_values[i] * sum(weights[j] for j in subset) / weights[i] for i in subset)
            for subset in subsets
            if index in subset
        ]
        closed[index] = min(1.0, max(tests))
    adjusted = weighted_holm(p_values, weights)
    assert adjusted == pytest.approx(closed, rel=1e-9)
    for p_value, weight, stepped in zip(p_values, weights, adjusted, strict=True):
        assert stepped <= min(1.0, p_value / weight) + 1e-12
        assert (stepped <= alpha) or p_value > alpha * weight * (1 - 1e-9)


def test_a_primary_contrast_needs_no_more_than_its_share() -> None:
    """Ten statements of which one is primary: its p is multiplied by 1.25 and not by 10."""
    declared = contrasts(2, 10)
    primary = [True] + [False] * 9
    first, *_ = compare_family(declared, weights=error_shares(primary), primary=primary)
    assert first.p_value is not None
    assert first.p_adjusted == pytest.approx(min(1.0, 1.25 * first.p_value))
