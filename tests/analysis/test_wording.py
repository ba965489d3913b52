"""What sentences say in words: shares, looks, ends and margins, and no margin."""

from __future__ import annotations

import numpy as np
import pytest

from paribus.analysis import (
    CheckAnswer,
    ContrastScores,
    Schedule,
    SeedScores,
    Verdict,
    check_not_worse,
    check_sentence,
    compare_family,
    contrast_sentence,
    error_shares,
    metric_named,
)
from paribus.analysis.phrases import interval_name
from paribus.analysis.wording import confidence

ACCURACY, LOSS, TRAIN = (metric_named(name) for name in ("test_accuracy", "test_loss", "train_accuracy"))


def arms(gain: float = 0.0, seeds: int = 3) -> tuple[SeedScores, SeedScores]:
    generator = np.random.default_rng(1)
    ease = generator.random(400)
    return tuple(
        SeedScores(name, tuple(range(seeds)), ease + 0.02 * generator.standard_normal((seeds, 400)) < chance)
        for name, chance in (("small", 0.9 + gain), ("large", 0.9))
    )  # type: ignore[return-value]


def test_a_primary_contrast_names_its_share() -> None:
    a, b = arms()
    primary = [True, False, False]
    first, second, _ = compare_family(
        [ContrastScores(a, b, ACCURACY)] * 3, weights=error_shares(primary), primary=primary
    )
    assert first.comparison is not None
    assert second.comparison is not None
    assert interval_name(first.comparison) == "primary contrast, 96 % CI (0.8 of the 5 % error)"
    assert interval_name(second.comparison) == "secondary contrast, 99.5 % CI (0.1 of the 5 % error)"
    assert interval_name(first.comparison, "effect").startswith("primary effect, 96 % CI")
    text = contrast_sentence(first)
    assert "points (primary contrast, 96 % CI " in text
    assert ", 0.8 of the 5 % error), adjusted p " in text


def test_a_family_is_named_as_simultaneous() -> None:
    a, b = arms()
    (contrast, *_) = compare_family([ContrastScores(a, b, ACCURACY)] * 3)
    assert contrast.comparison is not None
    assert interval_name(contrast.comparison) == "simultaneous 95 % CI, 3 contrasts"
    assert "adjusted p > 0.99 (3 contrasts)" in contrast_sentence(contrast)
    (alone,) = compare_family([ContrastScores(a, b, ACCURACY)])
    assert alone.comparison is not None
    assert interval_name(alone.comparison) == "95 % CI"


def test_an_undecided_answer_says_what_the_data_are_compatible_with() -> None:
    a, b = arms()
    (contrast,) = compare_family([ContrastScores(a, b, ACCURACY)])
    text = contrast_sentence(contrast)
    assert "The data are compatible with -" in text
    assert text.endswith("points; both ends exceed the margin of 0.10.")
    generator = np.random.default_rng(2)
    pair = tuple(SeedScores(name, (0, 1, 2), generator.random((3, 200))) for name in "ab")
    (contrast,) = compare_family([ContrastScores(*pair, LOSS)])
    assert contrast.comparison is not None
    assert contrast.comparison.margin is None
    assert contrast_sentence(contrast).endswith("nats; no margin is declared that would count as equivalent.")


def test_one_end_beyond_the_margin_is_named() -> None:
    a, b = arms(0.02)
    (contrast,) = compare_family([ContrastScores(a, b, ACCURACY, margin=0.03)])
    assert contrast.comparison is not None
    assert contrast.comparison.verdict is Verdict.UNDECIDED
    assert "; the upper end exceeds the margin of 3.00." in contrast_sentence(contrast)


def test_looks_are_interim_or_final() -> None:
    a, b = arms()
    schedule = Schedule((2, 3))
    early, late = (
        compare_family(
            [ContrastScores(a.only(range(count)), b.only(range(count)), ACCURACY)], schedule=schedule, number=n
        )
        for n, count in ((1, 2), (2, 3))
    )
    assert contrast_sentence(early[0]).endswith("Interim analysis 1 of 2, 2 of 3 planned seeds per arm.")
    assert contrast_sentence(late[0]).endswith("Final planned analysis, 3 seeds per arm.")
    assert "(2 looks)" in contrast_sentence(late[0])


def test_a_check_that_fails_says_worse_by_more_than_the_margin() -> None:
    a, b = arms(-0.1)
    check = check_not_worse(a, b, ACCURACY, 0.01)
    assert check.answer is CheckAnswer.FAILS
    assert check_sentence(check).startswith(
        "small is worse than large by more than 1.00 points on new data: test accuracy"
    )


@pytest.mark.parametrize(("gain", "words"), [(0.1, "more closely"), (-0.1, "less closely")])
def test_training_metrics_speak_of_fit(gain: float, words: str) -> None:
    noise = np.array([[0.001], [0.0], [-0.001]])
    a, b = SeedScores("dropout", (0, 1, 2), 0.8 + gain + noise), SeedScores("plain", (0, 1, 2), np.full((3, 1), 0.8))
    (contrast,) = compare_family([ContrastScores(a, b, TRAIN)])
    assert contrast_sentence(contrast).startswith(f"dropout fits the training set {words} than plain: train accuracy ")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0.05, "95 %"),
        (0.04, "96 %"),
        (0.005, "99.5 %"),
        (0.0125, "98.75 %"),
        (0.05 / 3, "98.33 %"),
        (0.05 * 0.2 / 9, "99.89 %"),
        (0.05 / 45, "99.89 %"),
        (0.000123, "99.988 %"),
    ],
)
def test_the_level_of_an_interval_has_the_digits_that_its_error_has(error: float, text: str) -> None:
    assert confidence(1 - error) == text
