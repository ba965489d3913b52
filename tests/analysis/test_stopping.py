"""When growing studies stop, what plans promise, and the smallest margin that a test set can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from paribus.analysis import (
    Comparison,
    Components,
    Schedule,
    Scope,
    TrueNoise,
    Verdict,
    compare_scores,
    metric_named,
    plan_seeds,
    simulate_stops,
    smallest_margin,
)
from paribus.analysis.simulate.sparse import Part, Pattern, drawn_differences

ACCURACY = metric_named("test_accuracy")


def answers(pattern: Pattern, expected: float, seeds: int, examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One study's 0/1 scores of both arms."""
    (differences,) = drawn_differences(pattern, expected, seeds, 1, np.random.default_rng(seed))
    a, b = np.ones((seeds, examples), dtype=bool), np.ones((seeds, examples), dtype=bool)
    b[:, : len(differences)] = differences.T != 1
    a[:, : len(differences)] = differences.T != -1
    return a, b


# ---------------------------------------------------------------- growing studies


def test_one_look_has_the_power_that_is_integrated() -> None:
    noise = TrueNoise(per_seed=1e-6, example=4e-7, examples=10_000, alpha=0.05)
    stops = simulate_stops(noise, 0.002, Schedule((5,)), np.random.default_rng(0))
    assert stops.power == pytest.approx(noise.power(0.002, 5), abs=0.012)
    assert stops.mean_seeds == 5
    assert stops.equivalent == (0.0,)


def test_looks_stop_early_and_keep_their_error() -> None:
    noise = TrueNoise(per_seed=1e-6, example=4e-7, examples=10_000, alpha=0.05)
    schedule = Schedule((3, 5, 8))
    none = simulate_stops(noise, 0.0, schedule, np.random.default_rng(1), share=0.8)
    assert none.power <= 0.04 + 0.004
    some = simulate_stops(noise, 0.0031, schedule, np.random.default_rng(1), share=0.8)
    assert some.power > 0.9
    assert 3 < some.mean_seeds < 8
    assert some.quantile(0.5) in schedule.seeds
    assert some.quantile(1.0) == 8
    alike = simulate_stops(noise, 0.0, schedule, np.random.default_rng(1), margin=0.01)
    assert alike.decided > 0.9


def test_a_last_look_planned_at_the_seeds_has_the_planned_power() -> None:
    """The plan's claim, simulated: with the stored components as the true ones the power is at least what was asked."""
    stored = compare_scores(*answers(Pattern("p", (Part(1.2, 0.4), Part(1, 0.4, -1))), 100, 4, 5000, 3))
    for schedule in (None, Schedule((3, 6, 9))):
        plan = plan_seeds(stored, 0.008, ACCURACY, contrasts=10, weight=0.8, schedule=schedule)
        assert plan.seeds is not None
        parts = stored.components
        assert parts is not None
        noise = TrueNoise(
            max(parts.ms_seed, parts.ms_rest) / parts.examples,
            max(parts.var_example, 0) / parts.examples,
            parts.examples,
            0.05,
            stored.disagreements,
        )
        looks = Schedule((plan.seeds,)) if schedule is None else Schedule((3, max(plan.seeds, 4)))
        stops = simulate_stops(noise, 0.008, looks, np.random.default_rng(2), share=0.8)
        assert stops.power >= 0.8 - 0.01


# ---------------------------------------------------------------- plans


def pilot(ms_seed: float, ms_example: float, ms_rest: float, seeds: int = 3, examples: int = 10_000) -> Comparison:
    some = compare_scores(*answers(Pattern("p", (Part(1, 0.5), Part(1, 0.5, -1))), 40, seeds, examples, 1))
    return replace(some, components=Components(seeds, examples, ms_seed, ms_example, ms_rest))


def test_seeds_that_agree_by_chance_do_not_plan_two_seeds() -> None:
    """Three pilots within a hair of each other: the residual mean square says how far seeds differ at least."""
    lucky = plan_seeds(pilot(1e-6, 0.02, 0.008), 0.002, ACCURACY)
    usual = plan_seeds(pilot(0.008, 0.02, 0.008), 0.002, ACCURACY)
    assert lucky.seeds == usual.seeds
    assert lucky.seeds is not None
    assert lucky.seeds > 2


def test_a_plan_counts_the_share_and_the_looks() -> None:
    stored = pilot(0.01, 0.02, 0.008)
    ten = plan_seeds(stored, 0.003, ACCURACY, contrasts=10)
    primary = plan_seeds(stored, 0.003, ACCURACY, contrasts=10, weight=0.8)
    assert ten.seeds is not None
    assert primary.seeds is not None
    assert primary.seeds < ten.seeds
    looks = plan_seeds(stored, 0.003, ACCURACY, contrasts=10, weight=0.8, schedule=Schedule((3, 4, 5, 6)))
    assert looks.seeds is not None
    assert looks.seeds >= primary.seeds
    assert plan_seeds(stored, 0.003, ACCURACY, contrasts=1, weight=1.0) == plan_seeds(stored, 0.003, ACCURACY)


def test_the_floor_of_a_plan_names_its_power() -> None:
    plan = plan_seeds(pilot(0.02, 0.05, 0.008), 0.005, ACCURACY)
    assert "with 80 % power." in plan.statement


# ---------------------------------------------------------------- margins


@pytest.mark.parametrize(("differing", "within"), [(4, True), (20, True), (60, False)])
def test_arms_that_differ_on_more_than_one_in_250_are_never_equivalent_within_a_tenth_of_a_point(
    differing: int, within: bool
) -> None:
    """On 10,000 examples, whatever the number of seeds."""
    half = differing // 2
    a, b = np.ones((50, 10_000), dtype=bool), np.ones((50, 10_000), dtype=bool)
    b[:, :half] = False
    a[:, half:differing] = False
    found = compare_scores(a, b, margin=0.001)
    smallest = smallest_margin(found)
    assert smallest is not None
    assert (smallest < 0.001) == within
    assert (found.verdict is Verdict.EQUIVALENT) == within


def test_one_test_set_has_no_smallest_margin_and_one_seed_none_known() -> None:
    a, b = answers(Pattern("p", (Part(1, 0.5),)), 20, 4, 500, 0)
    assert smallest_margin(compare_scores(a, b, scope=Scope.THIS_TEST_SET)) == 0
    assert smallest_margin(compare_scores(a[:1], b[:1])) is None
    shared = compare_scores(a, b)
    assert smallest_margin(replace(shared, share=0.01)) > smallest_margin(shared)  # type: ignore[operator]
