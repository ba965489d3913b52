"""The next step of an undecided statement is planned for the margin, never for the difference that was observed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paribus.analysis.comparison import Verdict
from paribus.results.next_step import add_next_steps
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
