"""Limits beyond what a difference can be: cut in print, never in numbers (decision 0131)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.analysis import METRICS, compare_scores
from paribus.analysis.metrics import Metric
from paribus.analysis.possible import largest_difference, print_limits
from paribus.analysis.sentences import comparison_sentence
from paribus.report.numbers import format_difference

ACCURACY, GAP, LOSS = METRICS["test_accuracy"], METRICS["generalization_gap"], METRICS["test_loss"]


@pytest.mark.parametrize(
    ("metric", "factors", "largest"),
    [(ACCURACY, 1, 1.0), (ACCURACY, 2, 2.0), (ACCURACY, 3, 4.0), (GAP, 1, 2.0), (LOSS, 1, None)],
)
def test_the_largest_difference_of_each_metric(metric: Metric, factors: int, largest: float | None) -> None:
    assert largest_difference(metric, factors) == largest


@given(st.floats(-1, 1), st.floats(-9, 9), st.floats(0, 9))
def test_a_possible_difference_is_inside_whenever_it_was(true: float, low: float, width: float) -> None:
    printed = print_limits(ACCURACY, low, low + width)
    if low <= true <= low + width:
        assert printed.low <= true <= printed.high
    assert printed.cut == (low < -1) + (low + width > 1)


def test_two_seeds_rule_out_no_difference_and_the_numbers_stay() -> None:
    draw = np.random.default_rng(0)
    a, b = (draw.random((2, 40)) < chance for chance in ([[0.9], [0.6]], [[0.5], [0.8]]))
    comparison = compare_scores(a.astype(float), b.astype(float), margin=0.001, level=1 - 0.05 / 66)
    assert comparison.low is not None
    assert comparison.high is not None
    assert comparison.low < -1 < 1 < comparison.high
    sentence = comparison_sentence(comparison, "a", "b", ACCURACY)
    assert "CI -100.00 to +100.00), p" in sentence
    assert "No difference is ruled out: 2 seeds are too few to bound it." in sentence
    assert "compatible" not in sentence
    printed = format_difference(ACCURACY, comparison.difference, comparison.low, comparison.high)
    assert printed.limits == "[−100.00, +100.00]"


def test_one_limit_is_cut_alone() -> None:
    assert format_difference(ACCURACY, 0.5, -0.2, 1.2).limits == "[−20.00, +100.00]"
    assert format_difference(LOSS, 0.5, -20.0, 120.0).limits == "[−20.0000, +120.0000]"
