"""Planning and noise shares: against closed forms and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from paribus.analysis import Comparison, compare_scores, metric_named, noise_shares, plan_seeds
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.power import TrueNoise, _half_quantiles
from paribus.errors import UsageError

ACCURACY = metric_named("test_accuracy")


def stored(seed_sd: float, example_sd: float, rest_sd: float, seeds: int = 6, examples: int = 4000) -> Comparison:
    generator = np.random.default_rng(0)
    d = (
        seed_sd * generator.standard_normal((seeds, 1))
        + example_sd * generator.standard_normal((1, examples))
        + rest_sd * generator.standard_normal((seeds, examples))
    )
    return compare_scores(d, np.zeros_like(d))


@pytest.mark.parametrize("seeds", [3, 5, 10, 40])
def test_power_on_this_test_set_is_that_of_the_paired_t_test(seeds: int) -> None:
    noise = TrueNoise(per_seed=4.0, example=0.0, examples=100, alpha=0.05)
    oracle = TTestPower().power(effect_size=1.5 / 2, nobs=seeds, alpha=0.05)
    assert noise.power(1.5, seeds) == pytest.approx(oracle, abs=2e-3)
    assert noise.power(0.0, seeds) == pytest.approx(0.05, abs=1e-3)


def test_power_on_new_data_is_what_simulated_studies_find() -> None:
    generator = np.random.default_rng(1)
    noise = TrueNoise(per_seed=3.0, example=0.5, examples=5000, alpha=0.05)
    seeds, draws = 5, 40_000
    part = 3.0 / seeds * generator.chisquare(seeds - 1, draws) / (seeds - 1)
    estimate = 2.5 + np.sqrt(3.0 / seeds + 0.5) * generator.standard_normal(draws)
    found = np.mean(estimate > half_width(TwoPartVariance(part, seeds - 1, 0.5, 4999), 0.05))
    assert noise.power(2.5, seeds) == pytest.approx(found, abs=0.01)


def test_what_is_detectable_has_the_power_and_shrinks_with_seeds() -> None:
    noise = TrueNoise(per_seed=3.0, example=0.5, examples=5000, alpha=0.05)
    sizes = [noise.detectable(seeds, 0.8) for seeds in (3, 5, 10, 30, 1000, 100_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert noise.power(sizes[1], 5) == pytest.approx(0.8, abs=1e-6)
    assert sizes[-1] == pytest.approx(noise.floor(0.8), rel=1e-3)
    assert noise.floor(0.8) == pytest.approx(np.sqrt(0.5) * (stats.t.isf(0.025, 4999) + stats.norm.isf(0.2)), rel=1e-3)


def test_the_plans_of_many_contrasts_ask_for_each_quantile_once() -> None:
    """They take longer than all else in a plan."""
    _half_quantiles.cache_clear()
    for per_seed in (3.0, 3.5, 4.0):
        for seeds in (3, 5, 10):
            TrueNoise(per_seed, 0.5, 5000, 0.05).detectable(seeds, 0.8)
    asked = _half_quantiles.cache_info()
    assert (asked.misses, asked.hits) == (3, 6)
    slices = (np.arange(2000) + 0.5) / 2000
    np.testing.assert_allclose(2 * _half_quantiles(4), stats.chi2.ppf(slices, 4), rtol=1e-10)


def test_the_fewest_seeds_are_the_fewest() -> None:
    made = plan_seeds(stored(0.01, 0.05, 0.1), 0.01, ACCURACY)
    assert made.seeds is not None
    noise = TrueNoise(*_true(stored(0.01, 0.05, 0.1)), 4000, 0.05)
    assert noise.power(0.01, made.seeds) >= 0.8 > noise.power(0.01, made.seeds - 1)
    assert made.seeds_cautious is not None
    assert made.seeds_cautious > made.seeds
    assert f"{made.seeds} seeds per arm" in made.statement
    assert f"{made.seeds_cautious}" in made.statement


def _true(comparison: Comparison) -> tuple[float, float]:
    parts = comparison.components
    assert parts is not None
    return parts.ms_seed / parts.examples, max(parts.var_example, 0) / parts.examples


def test_more_seeds_cannot_help_where_the_examples_dominate() -> None:
    comparison = stored(0.001, 0.3, 0.1)
    made = plan_seeds(comparison, 0.005, ACCURACY)
    assert made.seeds is made.seeds_cautious is None
    assert made.floor > 0.005
    assert made.examples_needed is not None
    assert "More seeds cannot help" in made.statement
    assert f"{made.examples_needed:,} test examples" in made.statement
    # A test set of the wanted size has a floor at the wanted difference.
    _, example = _true(comparison)
    larger = TrueNoise(0.0, example * 4000 / made.examples_needed, made.examples_needed, 0.05)
    assert larger.floor(0.8) == pytest.approx(0.005, rel=2e-3)
    here = plan_seeds(comparison, 0.005, ACCURACY, scope="this test set")
    assert here.seeds is not None
    assert here.floor == 0


def test_a_plan_says_where_examples_matter_more_than_seeds() -> None:
    comparison = stored(0.002, 0.1, 0.02)
    made = plan_seeds(comparison, 0.0075, ACCURACY)
    assert made.seeds is not None
    assert "more test examples help" in made.statement
    assert made.table[0].example_share < made.table[-1].example_share <= 1


def test_a_family_and_a_stricter_level_need_more() -> None:
    comparison = stored(0.01, 0.05, 0.1)
    plain = plan_seeds(comparison, 0.01, ACCURACY).seeds
    family = plan_seeds(comparison, 0.01, ACCURACY, contrasts=10).seeds
    strict = plan_seeds(comparison, 0.01, ACCURACY, level=0.995).seeds
    assert plain is not None
    assert family is not None
    assert plain < family == strict


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detect": 0.0}, "detect 0.0: the difference to detect is a positive number"),
        ({"power": 1.0}, "power 1.0: a power lies between 0 and 1"),
        ({"table": (1, 5)}, "numbers of seeds from 2 up"),
        ({"level": 0}, "level 0"),
        ({"stored": compare_scores(np.ones((1, 5)), np.zeros((1, 5)))}, "1 seed is stored"),
        ({"stored": compare_scores(np.ones((3, 5)), np.ones((3, 5)))}, "score exactly alike"),
        (
            {
                "stored": compare_scores(np.eye(3)[:, :1], np.zeros((3, 1)), scope="this test set"),
                "scope": "new data",
            },
            'plan it with scope="this test set"',
        ),
    ],
)
def test_plans_that_cannot_be_made_are_refused(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"stored": stored(0.1, 0.1, 0.1), "detect": 0.1, "metric": ACCURACY, **change}
    with pytest.raises(UsageError, match=message):
        plan_seeds(**arguments)  # type: ignore[arg-type]


# ---------------------------------------------------------------- noise


def test_noise_shares_find_what_was_put_in() -> None:
    generator = np.random.default_rng(2)
    examples, runs = 2000, 60
    shared = 0.3 * generator.standard_normal((1, examples))
    sds = {"init": 0.02, "order": 0.01, "dropout": 0.0}
    streams = {
        name: shared + sd * generator.standard_normal((runs, 1)) + 0.2 * generator.standard_normal((runs, examples))
        for name, sd in sds.items()
    }
    found = noise_shares(streams)
    by_source = {share.source: share for share in found.shares}
    assert list(by_source) == ["init", "order", "dropout", "test sample"]
    assert by_source["init"].variance == pytest.approx(4e-4, rel=0.4)
    assert by_source["order"].variance == pytest.approx(1e-4, rel=0.5)
    assert by_source["dropout"].variance < 2e-5
    assert by_source["test sample"].variance == pytest.approx((0.09 + 0.04) / examples, rel=0.1)
    assert by_source["init"].observed_sd == pytest.approx(np.sqrt(4e-4 + 0.04 / examples), rel=0.2)
    assert sum(share.share for share in found.shares if share.share is not None) == pytest.approx(1)
    assert found.total == pytest.approx(sum(share.variance for share in found.shares))


def test_the_test_samples_share_of_zero_one_scores_is_binomial() -> None:
    """One run's accuracy p on N examples varies by p (1 - p) / N between test sets: no share can be larger."""
    generator = np.random.default_rng(5)
    ease = generator.standard_normal(3000) + 1
    streams = {name: ease + 0.7 * generator.standard_normal((5, 3000)) > 0 for name in ("init", "order", "dropout")}
    (*_, sample) = noise_shares(streams).shares
    accuracy = np.mean([values.mean() for values in streams.values()])
    assert sample.variance == pytest.approx(accuracy * (1 - accuracy) / 3000, rel=0.02)


def test_the_run_at_the_held_seeds_counts_once() -> None:
    scores = np.random.default_rng(0).random((5, 40))
    streams = {"init": scores, "order": scores, "dropout": scores}
    assert noise_shares(streams).shares[-1].runs == 15
    assert noise_shares(streams, distinct_runs=13).shares[-1].runs == 13


def test_intervals_of_stream_variances_cover() -> None:
    generator = np.random.default_rng(6)
    covered, truncated = 0, []
    for _ in range(400):
        scores = 0.02 * generator.standard_normal((5, 1)) + 0.5 * generator.standard_normal((5, 400))
        init = noise_shares({"init": scores}).shares[0]
        assert init.low is not None
        assert init.high is not None
        assert init.low <= init.variance <= init.high
        covered += init.low <= 4e-4 <= init.high
        truncated.append(init.variance)
    assert covered / 400 >= 0.935
    assert np.mean(truncated) > 4e-4, "negative estimates that read zero leave the rest too large on average"


def test_negative_estimates_read_zero_and_say_so() -> None:
    checker = np.indices((4, 40)).sum(axis=0) % 2
    (init, sample) = noise_shares({"init": checker}).shares
    assert (init.variance, init.negative) == (0.0, True)
    assert not sample.negative


def test_runs_that_never_differ_have_no_shares() -> None:
    found = noise_shares({"init": np.ones((3, 10))})
    assert found.total == 0
    assert all(share.share is None for share in found.shares)


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        ({}, "no stream was varied"),
        ({"init": np.zeros((1, 5))}, "at least 2 runs and 2 examples"),
        ({"init": np.zeros((2, 5)), "order": np.zeros((2, 6))}, r"streams were scored on \[5, 6\] examples"),
        ({"init": np.full((2, 5), np.nan)}, r"scores of init\[0, 0\] is nan"),
    ],
)
def test_noise_needs_comparable_runs(streams: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        noise_shares(streams)
