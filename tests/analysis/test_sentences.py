"""Every sentence agrees with its numbers: sign, size, direction, scope, margin, seeds, what is missing."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paribus.analysis import (
    METRICS,
    ContrastScores,
    Factor,
    Missing,
    Schedule,
    Scope,
    SeedScores,
    Unit,
    Verdict,
    check_not_worse,
    check_sentence,
    compare_family,
    compare_scores,
    comparison_sentence,
    contrast_sentence,
    effect_sentence,
    factorial_effects,
    metric_named,
)
from paribus.analysis.wording import differences, listed, magnitude, p_text

NUMBER = r"([+-]?\d[\d.]*(?:e[+-]\d+)?)"
NUMBERS = re.compile(
    rf"{NUMBER} (points|nats) \((?:simultaneous |primary \w+, |secondary \w+, )?(\S+) % CI {NUMBER} to {NUMBER}"
    rf"(?:, \S+ of the \S+ % error)?\), (?:adjusted )?(equivalence )?p (.) {NUMBER}"
)
FACTOR = {"points": 100.0, "nats": 1.0}


@given(
    seed=st.integers(0, 10_000),
    seeds=st.integers(1, 6),
    gain=st.sampled_from([-0.5, -0.1, 0.0, 0.0, 0.1, 0.5]),
    margin=st.sampled_from([0.0005, 0.001, 0.02, 0.2]),
    level=st.sampled_from([0.8, 0.9, 0.95, 0.99]),
    name=st.sampled_from(sorted(METRICS)),
    scope=st.sampled_from([Scope.NEW_DATA, Scope.THIS_TEST_SET]),
    family=st.integers(1, 4),
    missing=st.sets(st.integers(6, 9)),
    look=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_sentence_says_what_its_numbers_say(
    seed: int,
    seeds: int,
    gain: float,
    margin: float,
    level: float,
    name: str,
    scope: Scope,
    family: int,
    missing: set[int],
    look: bool,
) -> None:
    generator = np.random.default_rng(seed)
    metric = metric_named(name)
    width = 60 if metric.per_example else 1
    noise = generator.choice([0.02, 0.1 if "accuracy" in name or "gap" in name else 1.0])
    base = generator.normal(size=(1, width))
    rows = tuple(range(seeds))
    a = SeedScores("new net", rows, base + gain + noise * generator.normal(size=(seeds, width)))
    b = SeedScores("old net", (*rows, *missing), base + noise * generator.normal(size=(seeds + len(missing), width)))
    planned = look and seeds > 1
    (contrast,) = compare_family(
        [ContrastScores(a, b, metric, margin)],
        level=level,
        scope=scope,
        family=family,
        schedule=Schedule((seeds, 12)) if planned else None,
    )
    found, text = contrast.comparison, contrast_sentence(contrast)
    assert found is not None
    wanted = f"on {found.scope}" if metric.split == "test" or found.scope is Scope.NEW_DATA else "on this training set"
    assert wanted in text or "fits the training set" in text
    other = "on new data" if found.scope is Scope.THIS_TEST_SET else "on this"
    assert other not in text
    assert metric.label in text
    assert ("nan" in text, "None" in text) == (False, False)
    for lost in missing:
        assert str(lost) in text.split("Seed")[-1]
    assert ("of new net" in text) == bool(missing)
    if found.seeds == 1:
        assert text.startswith("Undecided")
        assert "one seed cannot tell" in text
        assert "interval" not in text
        return
    assert f"{found.seeds} seeds" in text
    assert ("(simultaneous " in text) == (f"({family} contrasts" in text) == (family > 1)
    assert ("adjusted " in text) == (family > 1 or planned)
    assert (f"Interim analysis 1 of 2, {seeds} of 12 planned seeds per arm." in text) == planned
    largest = {"generalization_gap": 2.0}.get(name, 1.0 if "accuracy" in name else math.inf)
    check_numbers(text, found.difference, found.low, found.high, largest)
    check_lead(text, found.verdict, higher_is_better=metric.higher_is_better, gap=name == "generalization_gap")
    alpha = 1 - found.level
    parsed = NUMBERS.search(text)
    assert parsed is not None
    assert float(parsed[3]) == pytest.approx(100 * level)
    p_value = found.p_equivalent_adjusted if found.verdict is Verdict.EQUIVALENT else found.p_adjusted
    assert p_value is not None
    assert bool(parsed[6]) == (found.verdict is Verdict.EQUIVALENT)
    assert (float(parsed[8]) <= alpha) == (p_value <= alpha)
    check_p(parsed[7], float(parsed[8]), p_value)
    small = found.verdict in (Verdict.BETTER, Verdict.WORSE) and found.within_margin
    assert ("smaller than the margin" in text) == small
    if "margin" in text:
        assert magnitude(margin, metric.unit).split()[0] in text


def check_p(sign: str, number: float, p_value: float) -> None:
    assert {"<": p_value < number, ">": p_value > number == 0.99, "=": abs(p_value - number) <= 6e-4}[sign]


def check_numbers(text: str, difference: float, low: float | None, high: float | None, largest: float) -> None:
    """Limits beyond the largest possible difference are printed as that one (decision 0131)."""
    parsed = NUMBERS.search(text)
    assert parsed is not None, text
    factor = FACTOR[parsed[2]]
    assert low is not None
    assert high is not None
    limits = max(low, -largest), min(high, largest)
    for shown, true in zip((parsed[1], parsed[4], parsed[5]), (difference, *limits), strict=True):
        digits = len(shown.partition(".")[2])
        assert float(shown) == pytest.approx(true * factor, rel=1e-14, abs=0.5001 * 10**-digits)
        assert np.sign(float(shown)) == np.sign(true)
        assert shown[0] == ("+" if true > 0 else "-" if true < 0 else "0")
    assert float(parsed[4]) < float(parsed[1]) < float(parsed[5])


def check_lead(text: str, verdict: Verdict, *, higher_is_better: bool, gap: bool) -> None:
    sign = float(NUMBERS.search(text)[1])  # type: ignore[index]
    better, worse = r"is better than|more closely", r"is worse than|less closely"
    if gap:
        better, worse = "smaller", "larger"
    if verdict is Verdict.BETTER:
        assert re.search(better, text)
        assert (sign > 0) == higher_is_better
    if verdict is Verdict.WORSE:
        assert re.search(worse, text)
        assert (sign < 0) == higher_is_better
    first = text.split(":")[0]
    assert first.startswith("Undecided") == (verdict is Verdict.UNDECIDED)
    assert ("equivalent" in first) == (verdict is Verdict.EQUIVALENT)
    if verdict in (Verdict.UNDECIDED, Verdict.EQUIVALENT):
        assert not re.search(r"better|worse|larger|smaller|closely", text)
    assert "equal" not in text
    assert "significant" not in text


@given(seed=st.integers(0, 2000), gain=st.sampled_from([-0.3, 0.0, 0.3]), seeds=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_sentences_of_effects_agree_with_their_numbers(seed: int, gain: float, seeds: int) -> None:
    generator = np.random.default_rng(seed)
    factors = (Factor("architecture", ("deep", "wide")), Factor("dropout", ("off", "on")))
    cells = {
        (first, second): SeedScores(
            f"{first}-{second}",
            tuple(range(seeds)),
            generator.normal(size=(seeds, 50)) * 0.1 + gain * (first == "wide") * (second == "on"),
        )
        for first in ("deep", "wide")
        for second in ("off", "on")
    }
    for effect in factorial_effects(factors, cells, metric_named("test_accuracy"), margin=0.1):
        found, text = effect.comparison, effect_sentence(effect)
        assert found is not None
        assert "on new data" in text
        if found.seeds == 1:
            assert "one seed cannot tell" in text
            continue
        check_numbers(text, found.difference, found.low, found.high, 2.0 ** (len(effect.factors) - 1))
        if effect.is_interaction:
            decided = found.verdict in (Verdict.BETTER, Verdict.WORSE)
            assert ("is higher with dropout on than with dropout off" in text) == (decided and found.difference > 0)
            assert ("is lower with dropout on than with dropout off" in text) == (decided and found.difference < 0)
            assert ("is equivalent" in text) == (found.verdict is Verdict.EQUIVALENT)
        else:
            check_lead(text, found.verdict, higher_is_better=True, gap=False)
            (averaged,) = effect.averaged_over
            assert f"averaged over {averaged}" in text


def test_sentences_of_a_three_way_interaction() -> None:
    generator = np.random.default_rng(0)
    factors = tuple(Factor(name, ("0", "1")) for name in "abc")
    for gain, wanted in ((9.0, "is above zero"), (-9.0, "is below zero"), (0.0, "Undecided")):
        cells = {
            (i, j, k): SeedScores(i + j + k, (0, 1, 2), generator.normal(size=(3, 90)) + gain * (i == j == k == "1"))
            for i in "01"
            for j in "01"
            for k in "01"
        }
        *_, effect = factorial_effects(factors, cells, metric_named("test_accuracy"), order=3)
        assert wanted in effect_sentence(effect)
        assert "the interaction a (1 against 0) x b (1 against 0) x c (1 against 0)" in effect_sentence(effect).replace(
            "The", "the"
        )


@given(seed=st.integers(0, 2000), margin=st.sampled_from([0.01, 0.05, 0.2]), seeds=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_sentences_of_checks_agree_with_their_answers(seed: int, margin: float, seeds: int) -> None:
    generator = np.random.default_rng(seed)
    rows = tuple(range(seeds))
    new, old = (
        SeedScores(name, rows, generator.random((seeds, 200)) < generator.uniform(0.7, 0.9)) for name in ("n", "o")
    )
    check = check_not_worse(new, old, metric_named("test_accuracy"), margin)
    text = check_sentence(check)
    much = magnitude(margin, Unit.FRACTION)
    lead = {
        "holds": f"It holds that n is not worse than o by {much} or more on new data:",
        "does not hold": f"n is worse than o by more than {much} on new data:",
        "undecided": f"Undecided whether n is not worse than o by {much} or more on new data:",
    }
    assert text.startswith(lead[check.answer])
    assert "on new data" in text
    assert ("at worst" in text) == (seeds > 1)


def test_arms_without_common_seeds_are_not_compared() -> None:
    a, b = SeedScores("a", (0, 1), np.zeros((2, 5))), SeedScores("b", (2,), np.zeros((1, 5)))
    (contrast,) = compare_family([ContrastScores(a, b, metric_named("test_accuracy"))])
    assert contrast_sentence(contrast) == (
        "a and b have no scored seed in common: no comparison. Seed 2 of a is missing. Seeds 0 and 1 of b are missing."
    )
    factors = (Factor("f", ("x", "y")),)
    (effect,) = factorial_effects(factors, {("x",): a, ("y",): b}, metric_named("test_accuracy"))
    assert "no seed has scores in all arms" in effect_sentence(effect)


def test_arms_that_never_differ_are_told_so() -> None:
    scores = np.ones((3, 10_000), dtype=bool)
    text = comparison_sentence(
        compare_scores(scores, scores), "a", "b", metric_named("test_accuracy"), [Missing("a", (9,))]
    )
    assert "These scores show no spread" in text
    assert "test accuracy 0.00 points (95 % CI -0.04 to +0.04)" in text
    assert text.endswith("Seed 9 of a is missing.")


def test_a_comparison_without_its_interval_cannot_be_put_in_words() -> None:
    a = np.random.default_rng(0).random((3, 50))
    broken = replace(compare_scores(a, a[::-1]), low=None)
    with pytest.raises(ValueError, match="has an interval"):
        comparison_sentence(broken, "a", "b", metric_named("test_accuracy"))


@given(values=st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=4))
@settings(deadline=None)
def test_printed_differences_keep_their_signs(values: list[float]) -> None:
    texts = differences(values, Unit.FRACTION)
    for text, value in zip(texts, values, strict=True):
        assert np.sign(float(text)) == np.sign(value)


@given(p_value=st.floats(1e-100, 1), alpha=st.sampled_from([0.05, 0.01, 0.005]))
@settings(deadline=None)
def test_printed_p_values_stay_on_their_side(p_value: float, alpha: float) -> None:
    sign, number = p_text(p_value, alpha).split()[1:]
    if sign == "<":
        assert p_value < float(number) < alpha
    elif sign == ">":
        assert p_value > float(number) > alpha
    else:
        assert (float(number) <= alpha) == (p_value <= alpha)
        assert 0 < float(number) <= 1


def test_small_words() -> None:
    assert listed([1]) == "1"
    assert listed([1, 2]) == "1 and 2"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert magnitude(0.001, Unit.FRACTION) == "0.10 points"
    assert magnitude(0.001, Unit.NATS) == "0.0010 nats"
    assert differences([0.001, 0.00101, 0.001], Unit.FRACTION) == ("+0.100", "+0.101", "+0.100"), "told apart"
    assert differences([12.3456, -30.0], Unit.FRACTION) == ("+1235", "-3000")
    assert differences([0.00360, 0.00004], Unit.FRACTION) == ("+0.360", "+0.004")
