"""Few disagreeing examples: limits of rare events, and answers behind scores that a run's own number moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from paribus.analysis import (
    CheckAnswer,
    ContrastScores,
    SeedScores,
    Verdict,
    check_not_worse,
    compare_family,
    compare_scores,
    gap_scores,
    metric_named,
)
from paribus.analysis.critical import TwoPartVariance, half_width, two_sided_p
from paribus.analysis.disagreements import Disagreements, RareSum, Side, sum_disagreements

ACCURACY, GAP = metric_named("test_accuracy"), metric_named("generalization_gap")


def persistent(gained: int, lost: int, examples: int = 1000, seeds: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Arms that differ on some examples in all seeds alike and nowhere else."""
    a, b = np.ones((seeds, examples), dtype=bool), np.ones((seeds, examples), dtype=bool)
    b[:, :gained] = False
    a[:, gained : gained + lost] = False
    return a, b


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01, 0.002])
@pytest.mark.parametrize("count", [0, 1, 4, 12])
def test_persistent_differences_have_garwoods_exact_limits(count: int, alpha: float) -> None:
    some = RareSum(float(count), float(count), float(count))
    exact_low = stats.chi2.ppf(alpha / 2, 2 * count) / 2 if count else 0.0
    exact_high = stats.chi2.isf(alpha / 2, 2 * count + 2) / 2
    assert count - some.below(alpha) == pytest.approx(exact_low)
    assert count + some.above(alpha, 1.0) == pytest.approx(exact_high)


@given(
    drawn=st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 5)), min_size=20, max_size=40),
    low=st.floats(1e-9, 0.9),
    high=st.floats(1e-9, 0.9),
    seed_part=st.sampled_from([1e-8, 1e-4, 1e-2]),
)
@settings(max_examples=100, deadline=None)
def test_stricter_intervals_hold_the_wider_ones_and_p_inverts_them(
    drawn: list[tuple[int, int]], low: float, high: float, seed_part: float
) -> None:
    sums = np.array([total for total, _ in drawn], dtype=float)
    squares = np.array([abs(total) + min(extra, 5 - abs(total)) for total, extra in drawn], dtype=float)
    variance = TwoPartVariance(seed_part, 4, 0.0, len(drawn) - 1, sum_disagreements(sums, squares, 5, (1.0, -1.0)))
    strict, loose = sorted((low, high))
    for side, sign in ((Side.LOWER, 1), (Side.UPPER, -1)):
        half = float(half_width(variance, loose, side))
        assert half <= float(half_width(variance, strict, side)) * (1 + 1e-9)
        assert two_sided_p(sign * half, variance) == pytest.approx(loose, rel=1e-5)


def test_one_sided_disagreements_need_about_six_as_mcnemars_exact_test_does() -> None:
    """2 / 2^6 = 0.03: four examples that all speak for one arm are too few, whatever the seeds."""
    four, seven = (compare_scores(*persistent(count, 0, seeds=20)) for count in (4, 7))
    assert four.verdict is Verdict.UNDECIDED
    assert seven.verdict is Verdict.BETTER


def test_three_one_sided_examples_do_not_make_a_check_hold() -> None:
    """The old arm's three extra right answers of 300 may be six or nine of the next 300: a margin of 3 is not kept."""
    new, old = (
        SeedScores(name, tuple(range(10)), values) for name, values in zip("no", persistent(0, 1, 300, 10), strict=True)
    )
    check = check_not_worse(new, old, ACCURACY, 0.01)
    assert check.answer is CheckAnswer.UNDECIDED
    assert check.worst is not None
    assert check.worst < -0.01


def test_the_two_ends_lie_at_their_own_distances() -> None:
    found = compare_scores(*persistent(4, 0, seeds=10))
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.difference > 1.2 * (found.difference - found.low)
    other = compare_scores(*reversed(persistent(4, 0, seeds=10)))
    assert (other.low, other.high) == (-found.high, -found.low)


@given(seed=st.integers(0, 2000), rate=st.sampled_from([0.0, 0.01, 0.1, 0.5, 0.95, 1.0]))
@settings(max_examples=60, deadline=None)
def test_intervals_of_zero_one_scores_are_at_least_as_wide_as_those_of_their_variance_alone(
    seed: int, rate: float
) -> None:
    generator = np.random.default_rng(seed)
    a = generator.random((4, 200)) < 0.97
    b = np.where(generator.random((1, 200)) < rate, ~a, a)
    plain = compare_scores(a.astype(float) + 1e-9 * generator.random(), b.astype(float))
    found = compare_scores(a, b)
    assert found.low is not None
    assert found.high is not None
    assert plain.low is not None
    assert plain.high is not None
    assert found.low <= plain.low + 1e-6
    assert found.high >= plain.high - 1e-6


def test_an_arm_that_is_wrong_everywhere_is_no_rare_event_but_its_opposite_is() -> None:
    a, b = persistent(990, 0, 1000, 5)
    found = compare_scores(a, b)
    assert found.low is not None
    assert found.high is not None
    exact = stats.binomtest(990, 1000).proportion_ci(0.95, "exact")
    assert found.low == pytest.approx(exact.low, abs=0.003)
    assert found.high == pytest.approx(exact.high, abs=0.003)


# ---------------------------------------------------------------- the generalization gap


def test_gaps_of_arms_with_identical_answers_are_not_better_by_their_train_accuracy() -> None:
    generator = np.random.default_rng(0)
    answers = generator.random((5, 200)) < 0.95
    train = np.full(5, 0.99)
    rows = tuple(range(5))
    a = SeedScores("a", rows, gap_scores(train, answers))
    b = SeedScores("b", rows, gap_scores(train - 0.001, answers))
    (contrast,) = compare_family([ContrastScores(a, b, GAP)])
    found = contrast.comparison
    assert found is not None
    assert found.verdict is Verdict.UNDECIDED
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.015, "what was not seen on 200 examples may be 1.8 points"
    assert found.high > 0.015


@pytest.mark.parametrize("rate", [0.9, 1.0, 0.0])
def test_a_gap_has_the_disagreements_of_its_answers(rate: float) -> None:
    generator = np.random.default_rng(3)
    right_a, right_b = generator.random((4, 100)) < rate, generator.random((4, 100)) < rate
    right_b[:, :3] = right_a[:, :3] = rate != 0
    rows = (0, 1, 2, 3)
    answers = compare_family([ContrastScores(SeedScores("a", rows, right_a), SeedScores("b", rows, right_b), ACCURACY)])
    same = np.full(4, 0.98)
    gaps = compare_family(
        [
            ContrastScores(
                SeedScores("a", rows, gap_scores(same, right_a)), SeedScores("b", rows, gap_scores(same, right_b)), GAP
            )
        ]
    )
    one, other = answers[0].comparison, gaps[0].comparison
    assert one is not None
    assert other is not None
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-9)  # type: ignore[operator]


def test_arrays_of_disagreements_are_handled_element_by_element() -> None:
    sums = [RareSum(2.0, 1.5, 1.2), RareSum(0.0, 0.0, 0.0), RareSum(5.0, 5.0, 5.0)]
    together = RareSum(*(np.array([getattr(item, name) for item in sums]) for name in ("total", "squares", "cubes")))
    many = Disagreements(together, together, 1.0, 100)
    alone = [float(Disagreements(item, item, 1.0, 100).reach(Side.UPPER, 0.05)) for item in sums]
    assert np.asarray(many.reach(Side.UPPER, 0.05)) == pytest.approx(alone)
