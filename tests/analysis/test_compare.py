"""compare_scores: its contract, its oracles, and the laws that it keeps."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from paribus.analysis import DEFAULT_MARGIN, Comparison, Scope, Verdict, compare_scores
from paribus.analysis.variance import decompose
from paribus.errors import UsageError


def exam(seed: int, seeds: int = 5, examples: int = 400, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Two arms' scores of 0 and 1 with shared examples and seeds of their own."""
    generator = np.random.default_rng(seed)
    ease = 1.3 + generator.standard_normal(examples)
    first, second = (
        ease + shift + 0.1 * generator.standard_normal((seeds, 1)) + 0.6 * generator.standard_normal((seeds, examples))
        > 0
        for shift in (gain, 0.0)
    )
    return first, second


# ---------------------------------------------------------------- oracles


@pytest.mark.parametrize("seed", range(5))
def test_this_test_set_is_the_paired_t_test(seed: int) -> None:
    a, b = exam(seed, seeds=3 + seed)
    found = compare_scores(a, b, scope="this test set")
    oracle = stats.ttest_rel(a.mean(axis=1), b.mean(axis=1))
    low, high = oracle.confidence_interval(0.95)
    assert found.p_value == pytest.approx(oracle.pvalue, abs=1e-10)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-10)
    table = pingouin.ttest(a.mean(axis=1), b.mean(axis=1), paired=True)
    p_column = next(name for name in table.columns if name.lower().replace("-", "_") in ("p_val", "pval"))
    assert found.p_value == pytest.approx(float(table[p_column].iloc[0]), abs=1e-8)


@pytest.mark.parametrize("margin", [0.001, 0.02, 0.1])
def test_equivalence_on_this_test_set_is_the_two_one_sided_tests(margin: float) -> None:
    a, b = exam(3, seeds=8)
    found = compare_scores(a, b, margin=margin, scope="this test set")
    p_value, _, _ = ttost_paired(a.mean(axis=1), b.mean(axis=1), -margin, margin)
    assert found.p_equivalent == pytest.approx(p_value, abs=1e-10)
    table = pingouin.tost(a.mean(axis=1), b.mean(axis=1), bound=margin, paired=True)
    assert found.p_equivalent == pytest.approx(float(table["pval"].iloc[0]), abs=1e-8)


def test_mean_squares_are_those_of_a_two_way_analysis_of_variance() -> None:
    generator = np.random.default_rng(4)
    a, b = generator.normal(size=(4, 12)), generator.normal(size=(4, 12))
    parts = compare_scores(a, b).components
    assert parts is not None
    rows, columns = np.indices(a.shape)
    frame = pd.DataFrame({"d": (a - b).ravel(), "seed": rows.ravel(), "example": columns.ravel()})
    table = sm.stats.anova_lm(smf.ols("d ~ C(seed) + C(example)", frame).fit())
    assert parts.ms_seed == pytest.approx(table.loc["C(seed)", "mean_sq"], rel=1e-10)
    assert parts.ms_example == pytest.approx(table.loc["C(example)", "mean_sq"], rel=1e-10)
    assert parts.ms_rest == pytest.approx(table.loc["Residual", "mean_sq"], rel=1e-10)


def test_mean_squares_survive_a_large_common_offset() -> None:
    generator = np.random.default_rng(5)
    a, b = generator.normal(size=(4, 50)), generator.normal(size=(4, 50))
    plain = decompose(((1.0, a), (-1.0, b)))
    moved = decompose(((1.0, a + 2.0**26), (-1.0, b)))
    assert moved.ms_seed == pytest.approx(plain.ms_seed, rel=1e-5)
    assert moved.ms_rest == pytest.approx(plain.ms_rest, rel=1e-5)


def test_the_components_are_unbiased() -> None:
    generator = np.random.default_rng(6)
    found = []
    for _ in range(400):
        d = 0.3 * generator.normal(size=(4, 1)) + 0.5 * generator.normal(size=(1, 30)) + generator.normal(size=(4, 30))
        parts = compare_scores(d, np.zeros_like(d)).components
        assert parts is not None
        found.append((parts.var_seed, parts.var_example, parts.var_rest))
    assert np.mean(found, axis=0) == pytest.approx((0.09, 0.25, 1.0), abs=0.03)
    assert np.min(found) < 0, "unbiased estimates of small components are negative now and then"


def test_the_variance_agrees_with_the_pigeonhole_bootstrap() -> None:
    """Owen (2007): drawing seeds and examples with replacement gives the new-data variance where both are many."""
    generator = np.random.default_rng(7)
    seeds, examples = 40, 300
    d = (
        0.05 * generator.normal(size=(seeds, 1))
        + 0.4 * generator.normal(size=(1, examples))
        + 0.5 * generator.normal(size=(seeds, examples))
    )
    found = compare_scores(d, np.zeros_like(d))
    rows = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=4000)
    columns = generator.multinomial(examples, np.full(examples, 1 / examples), size=4000)
    means = np.einsum("ri,ri->r", rows @ d, columns) / (seeds * examples)
    assert found.components is not None
    # The bootstrap counts the rest three times, nearly; here that is a small part and taken off.
    rest = 2 * found.components.var_rest / (seeds * examples)
    assert found.standard_error == pytest.approx(math.sqrt(means.var() - rest), rel=0.06)


# ---------------------------------------------------------------- laws


@given(
    seed=st.integers(0, 10_000),
    seeds=st.integers(2, 6),
    scope=st.sampled_from([Scope.NEW_DATA, Scope.THIS_TEST_SET]),
    gain=st.floats(-1, 1),
)
@settings(max_examples=60, deadline=None)
def test_swapping_the_arms_flips_the_sign_and_nothing_else(seed: int, seeds: int, scope: Scope, gain: float) -> None:
    a, b = exam(seed, seeds=seeds, examples=60, gain=gain)
    one, other = compare_scores(a, b, scope=scope), compare_scores(b, a, scope=scope)
    opposite = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    assert one.low is not None
    assert one.high is not None
    assert one.superiority is not None
    assert other.superiority is not None
    assert other.difference == -one.difference
    assert (other.low, other.high) == (-one.high, -one.low)
    assert other.verdict == opposite.get(one.verdict, one.verdict)
    assert other.seed_differences == tuple(-value for value in one.seed_differences)
    assert other.superiority.probability == pytest.approx(1 - one.superiority.probability)
    assert (other.superiority.wins, other.superiority.losses) == (one.superiority.losses, one.superiority.wins)
    for name in ("p_value", "p_adjusted", "p_equivalent", "standard_error", "components", "sign_flip", "margin"):
        assert getattr(other, name) == getattr(one, name)


@given(seed=st.integers(0, 10_000), scope=st.sampled_from([Scope.NEW_DATA, Scope.THIS_TEST_SET]))
@settings(max_examples=40, deadline=None)
def test_permuting_rows_and_columns_together_changes_nothing(seed: int, scope: Scope) -> None:
    a, b = exam(seed, seeds=5, examples=60, gain=0.2)
    generator = np.random.default_rng(seed)
    rows, columns = generator.permutation(5), generator.permutation(60)
    one = compare_scores(a, b, scope=scope)
    other = compare_scores(a[rows][:, columns], b[rows][:, columns], scope=scope)
    assert other.verdict == one.verdict
    for name in ("difference", "low", "high", "p_value", "p_equivalent"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-12)
    assert other.seed_differences == pytest.approx(np.array(one.seed_differences)[rows], abs=1e-15)


def test_pairing_matters() -> None:
    a, b = exam(1, seeds=6, examples=300)
    shared = np.arange(6)[:, None] * 0.1
    paired = compare_scores(a + shared, b + shared, scope="this test set")
    crossed = compare_scores(a + shared, (b + shared)[::-1], scope="this test set")
    assert paired.standard_error is not None
    assert crossed.standard_error is not None
    assert crossed.standard_error > 3 * paired.standard_error


@given(
    seed=st.integers(0, 10_000),
    seeds=st.integers(1, 6),
    gain=st.floats(-1, 1),
    level=st.floats(0.5, 0.999),
    margin=st.floats(1e-4, 0.5),
    scope=st.sampled_from([Scope.NEW_DATA, Scope.THIS_TEST_SET]),
)
@settings(max_examples=150, deadline=None)
def test_interval_p_value_and_verdict_are_one_statement(
    seed: int, seeds: int, gain: float, level: float, margin: float, scope: Scope
) -> None:
    a, b = exam(seed, seeds=seeds, examples=80, gain=gain)
    check_consistency(compare_scores(a, b, margin=margin, level=level, scope=scope))


def check_consistency(found: Comparison) -> None:
    alpha = 1 - found.level
    if found.seeds == 1:
        assert found.verdict is Verdict.UNDECIDED
        assert found.low is found.high is found.p_value is found.p_adjusted is found.p_equivalent is None
        assert found.standard_error is found.components is found.sign_flip is None
        return
    assert found.low is not None
    assert found.high is not None
    assert found.p_adjusted is not None
    assert (found.p_equivalent_adjusted is None) == (found.margin is None)
    assert found.low < found.difference < found.high
    assert 0 < found.p_adjusted <= 1
    if abs(found.p_adjusted - alpha) > 1e-9:
        assert (found.p_adjusted < alpha) == (found.low > 0 or found.high < 0)
        assert (found.p_adjusted < alpha) == (found.verdict in (Verdict.BETTER, Verdict.WORSE))
    if found.verdict is Verdict.BETTER:
        assert found.low > 0
    if found.verdict is Verdict.WORSE:
        assert found.high < 0
    if found.verdict is Verdict.EQUIVALENT:
        assert found.margin is not None
        assert found.p_equivalent_adjusted is not None
        assert abs(found.difference) < found.margin
        assert found.p_equivalent_adjusted <= alpha
    if found.verdict is Verdict.UNDECIDED:
        assert found.low <= 0 <= found.high
        assert found.p_equivalent_adjusted is None or found.p_equivalent_adjusted > alpha


def test_a_wider_level_gives_a_wider_interval_that_holds_the_narrower_one() -> None:
    a, b = exam(2)
    widths = []
    for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.99999):
        found = compare_scores(a, b, level=level)
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)


# ---------------------------------------------------------------- edges


def test_one_seed_decides_nothing() -> None:
    a, b = exam(1, seeds=1, gain=2.0)
    for scope in (Scope.NEW_DATA, Scope.THIS_TEST_SET):
        found = compare_scores(a, b, scope=scope)
        assert found.difference == pytest.approx(a.mean() - b.mean())
        check_consistency(found)


@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
@pytest.mark.parametrize("scores", [np.ones((4, 300)), np.zeros((4, 300)), np.full((4, 300), 0.3), exam(1, 4, 300)[0]])
def test_an_arm_against_itself_is_equivalent_with_an_interval_of_some_width(scope: Scope, scores: np.ndarray) -> None:
    found = compare_scores(scores, scores.copy(), margin=0.02, scope=scope)
    assert found.difference == 0
    assert found.p_value == 1
    assert found.verdict is Verdict.EQUIVALENT
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert found.components is not None
    assert found.components.floored


def test_scores_that_never_differ_give_about_the_rule_of_three() -> None:
    """At an error of 2.5 % a side the rule says log(40) = 3.7 of N, and a seed may be off by one answer as well."""
    right = np.ones((3, 10_000), dtype=bool)
    found = compare_scores(right, right)
    assert found.high == pytest.approx(np.log(40) / 10_000, rel=0.08)
    few = np.ones((3, 100), dtype=bool)
    assert compare_scores(few, few).verdict is Verdict.UNDECIDED, (
        "100 examples cannot show equivalence within 0.1 points"
    )


@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
def test_a_constant_shift_is_better_without_an_interval_of_zero_width(scope: Scope) -> None:
    base = np.random.default_rng(0).normal(size=(3, 50))
    found = compare_scores(base + 0.25, base, scope=scope)
    assert found.verdict is Verdict.BETTER
    check_consistency(found)


@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
def test_arms_that_differ_everywhere(scope: Scope) -> None:
    found = compare_scores(np.ones((3, 200)), np.zeros((3, 200)), scope=scope)
    assert found.verdict is Verdict.BETTER
    check_consistency(found)


def test_seeds_that_agree_on_a_coarse_grid_do_not_decide() -> None:
    """Three seeds that are all one example apart look certain; the grid of 0 and 1 hides how far apart they may be."""
    a = np.zeros((3, 50), dtype=bool)
    a[0, 0] = a[1, 1] = a[2, 2] = True
    found = compare_scores(a, np.zeros_like(a), scope="this test set")
    assert found.verdict is Verdict.UNDECIDED
    check_consistency(found)


def test_negative_components_are_named_and_read_zero() -> None:
    checker = np.indices((4, 40)).sum(axis=0) % 2 * 1.0
    parts = compare_scores(checker, np.zeros_like(checker)).components
    assert parts is not None
    assert parts.negative == ("seed", "example")
    assert parts.parts[:2] == (0, 0)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.float32, np.float64])
def test_all_kinds_of_numbers_give_the_same(dtype: type) -> None:
    a, b = exam(9)
    plain, other = compare_scores(a, b), compare_scores(a.astype(dtype), b.astype(dtype))
    assert other == plain


def test_constant_columns_and_rows_are_no_trouble() -> None:
    a, b = exam(9, seeds=4, examples=100)
    a[:, :50] = b[:, :50] = True
    check_consistency(compare_scores(a, b))
    a[2] = b[2]
    check_consistency(compare_scores(a, b))


def test_the_sign_flip_test_is_scipys() -> None:
    for seed in range(6):
        a, b = exam(seed, seeds=seed + 2, gain=0.3)
        found = compare_scores(a, b)
        oracle = stats.permutation_test(
            (np.array(found.seed_differences),), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert found.sign_flip is not None
        assert found.sign_flip.p_value == pytest.approx(oracle.pvalue, abs=1e-8)
        assert found.sign_flip.smallest == 2 / 2 ** (seed + 2)
        assert found.sign_flip.p_value >= found.sign_flip.smallest


def test_superiority_counts_seeds_and_gives_ties_to_nobody() -> None:
    a = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]])
    b = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    found = compare_scores(a, b).superiority
    assert found is not None
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.probability == 2.5 / 4
    exact_low = stats.binomtest(2, 4).proportion_ci(0.95, "exact").low
    exact_high = stats.binomtest(3, 4).proportion_ci(0.95, "exact").high
    assert (found.low, found.high) == pytest.approx((exact_low, exact_high), abs=1e-12)


def test_the_default_margin_is_a_tenth_of_a_point_of_accuracy_and_none_for_other_scores() -> None:
    a, b = exam(1)
    assert compare_scores(a, b).margin == DEFAULT_MARGIN == 0.001
    loss = np.random.default_rng(0).random((4, 500))
    alike = compare_scores(loss, loss + 1e-9)
    assert alike.margin is None
    assert alike.p_equivalent is alike.p_equivalent_adjusted is None
    assert not alike.within_margin
    assert compare_scores(loss, loss.copy()).verdict is Verdict.UNDECIDED, "half a milli-nat means nothing by itself"
    assert compare_scores(loss, loss.copy(), margin=0.001).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": np.zeros((3, 4, 5))}, r"a has shape \(3, 4, 5\): scores have shape \(seeds, examples\)"),
        ({"a": np.zeros(4)}, r"for one seed pass a\[None, :\]"),
        ({"b": np.zeros((3, 5))}, r"a has shape \(3, 4\) and b has shape \(3, 5\)"),
        ({"a": np.array([["x"] * 4] * 3)}, "a has dtype"),
        ({"a": np.zeros((0, 4)), "b": np.zeros((0, 4))}, "at least one seed"),
        ({"a": np.zeros((3, 1)), "b": np.zeros((3, 1))}, "at least 2"),
        (
            {"b": np.where(np.arange(12).reshape(3, 4) == 6, np.nan, 0.0)},
            r"b\[1, 2\] is nan: every score must be finite",
        ),
        ({"a": np.where(np.arange(12).reshape(3, 4) == 3, -np.inf, 0.0)}, r"a\[0, 3\] is -inf"),
        ({"level": 1.0}, "level 1.0: a level lies between 0 and 1"),
        ({"level": 0.0}, "level 0.0"),
        ({"level": math.nan}, "level nan"),
        ({"margin": 0.0}, "margin 0.0: a margin is a positive number"),
        ({"margin": -1.0}, "margin -1.0"),
        ({"margin": math.inf}, "margin inf"),
        ({"margin": math.nan}, "margin nan"),
        ({"scope": "everywhere"}, 'scope \'everywhere\': choose "new data" or "this test set"'),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"a": np.zeros((3, 4)), "b": np.ones((3, 4)), **change}
    with pytest.raises(UsageError, match=message):
        compare_scores(**arguments)  # type: ignore[arg-type]


def test_a_scope_may_be_written_with_its_preposition() -> None:
    a, b = exam(1)
    assert compare_scores(a, b, scope="on new data") == compare_scores(a, b)


def test_a_thousand_runs_need_little_memory() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.random((500, 10_000), dtype=np.float32) < 0.98 for _ in range(2))
    tracemalloc.start()
    try:
        compare_scores(a, b)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6, "one float64 copy of the scores alone would be 40 MB"
