"""Critical values: limits, guarantees and the duality of intervals and p values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from paribus.analysis.critical import SMALLEST_P, TwoPartVariance, above_p, below_p, half_width, two_sided_p

ALPHAS = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001, 1e-5)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_with_one_part_alone_it_is_that_parts_t_interval(alpha: float) -> None:
    assert half_width(TwoPartVariance(4.0, 3, 0.0, 99), alpha) == pytest.approx(2 * stats.t.isf(alpha / 2, 3))
    assert half_width(TwoPartVariance(0.0, 3, 4.0, 99), alpha) == pytest.approx(2 * stats.t.isf(alpha / 2, 99))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_it_lies_between_cochran_and_cox_and_banerjee(alpha: float) -> None:
    t_seed, t_example = stats.t.isf(alpha / 2, 2), stats.t.isf(alpha / 2, 199)
    for share in (0.1, 0.5, 0.9):
        found = half_width(TwoPartVariance(share, 2, 1 - share, 199), alpha)
        cochran = share * t_seed + (1 - share) * t_example
        banerjee = np.sqrt(share * t_seed**2 + (1 - share) * t_example**2)
        assert cochran <= found <= banerjee * (1 + 1e-12)


@pytest.mark.parametrize("seeds", [3, 4, 5, 10, 30, 50])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_error_stays_at_or_below_nominal_whatever_the_mix(seeds: int, alpha: float) -> None:
    """Integrated over the chi-square law of the seeds' part, with the examples' part known: many examples."""
    freedom = seeds - 1
    estimated = stats.chi2.ppf((np.arange(20_000) + 0.5) / 20_000, freedom) / freedom
    errors = []
    for share in (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98):
        variance = TwoPartVariance(share * estimated, freedom, 1 - share, 1_000_000)
        errors.append(float(np.mean(2 * stats.norm.sf(half_width(variance, alpha)))))
    assert max(errors) <= alpha * 1.005
    if alpha == 0.05:
        assert 1 - min(errors) <= 0.975, "not above 97.5 % either"


@given(
    seed_part=st.floats(1e-12, 1e3),
    example_part=st.one_of(st.just(0.0), st.floats(1e-12, 1e3)),
    freedom=st.integers(1, 60),
    alpha=st.floats(1e-8, 0.999),
)
@settings(max_examples=200, deadline=None)
def test_the_p_value_inverts_the_interval(seed_part: float, example_part: float, freedom: int, alpha: float) -> None:
    variance = TwoPartVariance(seed_part, freedom, example_part, 500)
    half = half_width(variance, alpha)
    assert two_sided_p(float(half), variance) == pytest.approx(alpha, rel=1e-6)
    assert two_sided_p(-float(half), variance) == two_sided_p(float(half), variance)


def test_p_values_reach_far_out_and_stop_at_one() -> None:
    variance = TwoPartVariance(1.0, 2000, 1.0, 9999)
    assert two_sided_p(1e9, variance) == two_sided_p(1e9, TwoPartVariance(1.0, 2000)) == SMALLEST_P
    assert two_sided_p(0.0, variance) == 1
    assert two_sided_p(1e-300, variance) == 1
    for one_sided_p in (above_p, below_p):
        assert one_sided_p(0.0, variance) == 0.5
        assert one_sided_p(2.0, variance) + one_sided_p(-2.0, variance) == pytest.approx(1)


def test_arrays_are_handled_element_by_element() -> None:
    seed, example = np.array([0.0, 1.0, 2.0, 1.0]), np.array([1.0, 0.0, 3.0, 0.5])
    together = half_width(TwoPartVariance(seed, 4, example, 99), 0.05)
    alone = [half_width(TwoPartVariance(float(x), 4, float(y), 99), 0.05) for x, y in zip(seed, example, strict=True)]
    assert together == pytest.approx(alone)
