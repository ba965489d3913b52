"""The next step of an undecided statement is planned for the margin, never for the difference that was observed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paribus.analysis.comparison import Verdict
from paribus.results.next_step import _round_duration, add_next_steps
from report_examples import tiny


@pytest.mark.parametrize(
    ("margin", "step"),
    [
        (0.2, "by these 3 seeds; more seeds only narrow the interval."),
        (0.001, "Next: more seeds will not decide it. "),
        (None, "Declare the smallest difference that matters"),
    ],
)
def test_the_step_is_planned_for_the_margin(margin: float | None, step: str) -> None:
    outcome = tiny()
    contrast = outcome.contrasts[0]
    comparison = contrast.comparison
    assert comparison is not None
    assert comparison.components is not None
    undecided = replace(comparison, verdict=Verdict.UNDECIDED, margin=margin)
    sentences = set()
    for difference in (0.0, 0.0004, 0.05):
        changed = replace(contrast, comparison=replace(undecided, difference=difference))
        judged = add_next_steps(replace(outcome, contrasts=(changed,)))
        sentences.add(judged.contrasts[0].next_step)
    (sentence,) = sentences
    assert step in sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (59.5, "60 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (7199, "120 minutes"),
        (7200, "2 hours"),
        (22690, "7 hours"),
        (172799, "48 hours"),
        (172800, "2 days"),
        (300000, "4 days"),
    ],
)
def test_a_duration_is_rounded_up_in_a_unit_that_suits_it(seconds: float, words: str) -> None:
    assert _round_duration(seconds) == words
