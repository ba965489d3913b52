"""Groups of examples: the clustered variance against statsmodels and brute force, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from paribus.analysis.compare import compare_terms
from paribus.analysis.comparison import Comparison, Scope, Verdict
from paribus.analysis.groups import Groups, make_groups
from paribus.analysis.simulate.groups import SIZES, coverage_of_groups, draw_sizes, grouped_studies
from paribus.analysis.strictness import Strictness
from paribus.analysis.variance import decompose
from paribus.errors import UsageError


def judged(differences: np.ndarray, codes: np.ndarray | None, scope: Scope) -> Comparison:
    groups = None if codes is None else make_groups(codes, differences.shape[1])
    terms = ((1.0, differences), (-1.0, np.zeros_like(differences)))
    return compare_terms(terms, None, Strictness(0.95), scope, groups=groups)


def test_the_variance_of_equal_groups_is_the_clustered_one_of_statsmodels() -> None:
    generator = np.random.default_rng(0)
    codes = np.repeat(np.arange(25), 8)
    values = (generator.standard_normal(25)[codes] + generator.standard_normal(200))[None]
    ours = judged(values, codes, Scope.THESE_NETWORKS)
    fit = sm.OLS(values[0], np.ones(200)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": True, "df_correction": True}, use_t=True
    )
    # statsmodels' small-sample factor has (N - 1) / (N - 1) beside G / (G - 1) for a mean alone.
    assert ours.standard_error == pytest.approx(fit.bse[0], rel=1e-12)
    assert (ours.low, ours.high) == pytest.approx(fit.conf_int()[0], rel=1e-12)
    assert ours.verdict is Verdict.UNDECIDED


@given(seed=st.integers(0, 10_000), count=st.integers(10, 20))
def test_the_variance_is_that_of_leaving_out_one_group_after_the_other(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 9, count)
    codes = generator.permutation(np.repeat(np.arange(count), sizes))
    values = generator.standard_normal((1, len(codes)))
    means = [values[0, codes != group].mean() for group in range(count)]
    expected = (count - 1) / count * np.sum((np.array(means) - values.mean()) ** 2)
    parts = decompose(((1.0, values),), groups=make_groups(codes, len(codes)), one_seed=True)
    assert parts.ms_example / parts.examples == pytest.approx(expected, rel=1e-9)


def test_seeds_and_groups_together_are_those_that_are_drawn_directly() -> None:
    generator = np.random.default_rng(1)
    sizes = np.array([3.0, 5, 1, 8, 2, 2, 9, 4, 4, 6, 7])
    groups = Groups(np.repeat(np.arange(11), sizes.astype(int)), sizes)
    values = generator.standard_normal((4, 51)) + generator.standard_normal(11)[groups.codes]
    parts = decompose(((1.0, values),), groups=groups)

    class Fixed:
        """Gives these values instead of random ones: all of them come last, everything before is nothing."""

        def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls == 4:
                return groups.sums(values)[None] / np.sqrt(sizes)
            return np.zeros(shape)

    studies = grouped_studies(groups, 4, 0.3, 1, Fixed())  # type: ignore[arg-type]
    cells = 4 * 51
    assert studies.mean[0] == pytest.approx(parts.mean)
    assert studies.seed[0] == pytest.approx(parts.ms_seed / cells)
    assert studies.example[0] == pytest.approx(max(parts.ms_example - parts.ms_rest, 0) / cells)


def test_groups_whose_examples_are_alike_widen_the_interval() -> None:
    generator = np.random.default_rng(2)
    codes = np.repeat(np.arange(30), 10)
    values = np.repeat(generator.standard_normal((1, 30)), 10, axis=1) + 0.01 * generator.standard_normal((5, 300))
    plain, grouped = (judged(values, of, Scope.NEW_DATA) for of in (None, codes))
    assert plain.standard_error is not None
    assert grouped.standard_error is not None
    assert grouped.standard_error == pytest.approx(np.sqrt(10) * plain.standard_error, rel=0.05)
    assert (plain.groups, grouped.groups) == (None, 30)


def test_degrees_of_freedom_are_those_of_the_effective_number_of_groups() -> None:
    assert make_groups(np.repeat(np.arange(12), 7), 84).freedom == pytest.approx(11)
    uneven = make_groups(np.repeat(np.arange(11), [50, *[5] * 10]), 100)
    assert uneven.freedom == pytest.approx(100**2 / (50**2 + 10 * 25) - 1)


def test_groups_must_be_ten_and_one_for_each_example() -> None:
    with pytest.raises(UsageError, match="9 groups: claims about new data need at least 10"):
        make_groups(np.arange(100) % 9, 100)
    with pytest.raises(UsageError, match=r"groups have shape \(3,\); one group for each of 4 examples"):
        make_groups([1, 2, 3], 4)


def test_arms_that_agree_on_every_group_still_leave_room_for_one_that_would_not() -> None:
    scores = np.ones((3, 200), bool)
    terms = ((1.0, scores), (-1.0, scores))
    groups = make_groups(np.repeat(np.arange(20), 10), 200)
    plain, grouped = (compare_terms(terms, None, Strictness(0.95), "new data", groups=of) for of in (None, groups))
    assert plain.high is not None
    assert grouped.high is not None
    assert grouped.high == pytest.approx(10 * plain.high, rel=0.1)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("seeds", [1, 3])
def test_intervals_cover_with_ten_groups_of_any_sizes(kind: str, seeds: int) -> None:
    ours, _ = coverage_of_groups(kind, 10, seeds, 0.3, 20_000, np.random.default_rng(3))
    assert ours > 0.935


def test_one_degree_less_than_groups_covers_too_little_where_sizes_differ() -> None:
    """Why the effective number of groups counts: docs/decisions/0097."""
    ours, plain = coverage_of_groups("widely lognormal", 10, 1, 0.3, 20_000, np.random.default_rng(4))
    assert plain < 0.92 < 0.94 < ours
    assert len(set(draw_sizes("lognormal", 50, np.random.default_rng(0)))) > 5
