"""Printed numbers never say something else than the true ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.analysis import METRICS, Unit
from paribus.report import numbers

fractions = st.floats(0, 1)


@given(fractions, fractions, fractions)
def test_an_interval_never_looks_as_if_it_had_no_width(mean, low, high):
    low, mean, high = sorted((low, mean, high))
    if high - low < 1e-7:
        return
    shown = numbers.format_interval(Unit.FRACTION, mean, low, high)
    assert shown.low != shown.high
    assert float(shown.low) <= float(shown.value) <= float(shown.high)


@given(fractions)
def test_only_a_perfect_score_reads_100(value):
    shown = numbers.format_value("test_accuracy", value)
    if 1 - value > 1e-8:
        assert float(shown) < 100
    assert abs(float(shown) / 100 - value) <= 0.00005000001


@pytest.mark.parametrize(
    ("value", "text"), [(0.9828, "98.28"), (1.0, "100.00"), (0.99997, "99.997"), (0.0, "0.00"), (0.5, "50.00")]
)
def test_accuracies(value, text):
    assert numbers.format_value("test_accuracy", value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0123, "+1.23"), (-0.0004, "−0.04"), (0.0, "0.00"), (-1e-9, "0.00")])
def test_the_gap_has_a_sign_and_zero_has_none(value, text):
    assert numbers.format_value("generalization_gap", value) == text


@pytest.mark.parametrize(("value", "text"), [(2.302, "2.30"), (0.0812, "0.0812"), (0.36912, "0.369"), (12.5, "12.5")])
def test_losses_have_three_digits(value, text):
    assert numbers.format_value("test_loss", value) == text


def test_undefined_is_a_dash():
    assert numbers.format_value("test_loss", float("nan")) == "–"
    assert str(numbers.format_estimate("test_accuracy", None)) == "–"
    assert numbers.format_p(None, 0.95) == "–"


def test_a_difference_has_the_digits_of_its_sentence():
    shown = numbers.format_difference(METRICS["test_accuracy"], 0.00312, -0.0001, 0.0063)
    assert str(shown) == "+0.31 [−0.01, +0.63]"
    assert str(numbers.format_difference(METRICS["test_loss"], -0.01234, None, None)) == "−0.0123"


def test_p_values_stay_on_their_side_of_alpha():
    assert numbers.format_p(0.04996, 0.95) == "0.050"
    assert numbers.format_p(0.05004, 0.95) == "0.0500"[:5] or numbers.format_p(0.05004, 0.95) > "0.05"
    assert numbers.format_p(1e-9, 0.95) == "< 0.0001"


@pytest.mark.parametrize(("seconds", "text"), [(48.2, "48 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_durations(seconds, text):
    assert numbers.format_duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text
