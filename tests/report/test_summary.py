"""The answer in one sentence, and what keeps a line of the page together."""

from __future__ import annotations

from dataclasses import replace

import pytest

import report_examples as examples
from paribus.analysis import Verdict
from paribus.outcome.outcome import Outcome
from paribus.report.figures.learning_curves import _epoch_ticks
from paribus.report.html.opening import _without_share, answer_section
from paribus.report.html.spaces import keep_together
from paribus.report.misreading import _list_values
from paribus.report.statements import count_verdicts, state
from paribus.report.summary import summarize_answer


@pytest.fixture(scope="module")
def tiny() -> Outcome:
    return examples.tiny()


def with_verdicts(outcome: Outcome, *verdicts: Verdict) -> Outcome:
    """The first statements of an outcome with these verdicts and a difference of 2 points."""
    judged = [
        replace(item, comparison=item.comparison and replace(item.comparison, verdict=verdict, difference=0.02))
        for item, verdict in zip(outcome.contrasts, verdicts, strict=False)
    ]
    return replace(outcome, contrasts=tuple(judged))


def test_every_difference_is_told_from_its_better_side(tiny: Outcome) -> None:
    outcome = with_verdicts(tiny, Verdict.UNDECIDED, Verdict.WORSE, Verdict.BETTER)
    open_pair, worse, better = outcome.contrasts
    told = summarize_answer(outcome)
    assert told is not None
    sentence, names = told
    assert f"{worse.b} is better than {worse.a} by 2.00 points" in sentence
    assert f"{better.a} is better than {better.b} by 2.00 points" in sentence
    assert sentence.startswith("On new data, ")
    assert sentence.endswith(f"it is undecided which of {open_pair.a} and {open_pair.b} is better.")
    assert {open_pair.a, worse.a} <= set(names)
    assert count_verdicts(outcome) == "1 better, 1 worse, 1 undecided"


def test_primary_statements_are_told_alone(tiny: Outcome) -> None:
    outcome = examples.with_primary(with_verdicts(tiny, *[Verdict.EQUIVALENT] * 3), 1)
    primary = outcome.contrasts[1]
    assert summarize_answer(outcome) == (
        f"On new data, {primary.a} and {primary.b} are equivalent.",
        (primary.a, primary.b),
    )


def test_a_single_statement_is_its_card(tiny: Outcome) -> None:
    assert 'class="summary"' in answer_section(tiny).text
    assert 'class="summary"' not in answer_section(replace(tiny, contrasts=tiny.contrasts[:1])).text


def test_a_card_leaves_the_share_of_the_error_to_the_methods(tiny: Outcome) -> None:
    contrast = examples.with_primary(tiny, 0).contrasts[0]
    assert "0.8 of the 5 % error" in state(contrast)
    short = _without_share(state(contrast), contrast)
    assert "0.8" not in short
    assert "primary contrast, 96 % CI" in short


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    text = "58 min 46 s, 80 % power, <b>p = 0.02</b> (p / 0.8), p &lt; 0.001, 0.10 points"
    kept = "58~min~46~s, 80~% power, <b>p~=~0.02</b> (p~/~0.8), p~&lt;~0.001, 0.10~points"
    assert keep_together(text) == kept.replace("~", "\N{NO-BREAK SPACE}")
    as_typed = '<code>sleep 5 s</code><img alt="5 s"><pre><b>p = 1</b> 5 %</pre>'
    assert keep_together(as_typed) == as_typed


@pytest.mark.parametrize(("epochs", "last"), [(20, [15, 18, 20]), (10, [6, 8, 10]), (3, [1, 2, 3]), (17, [12, 15, 17])])
def test_the_last_epoch_has_a_tick(epochs: int, last: list[int]) -> None:
    assert _epoch_ticks(epochs, max(1, -(-epochs // 8)))[-3:] == last


def test_values_that_print_alike_are_said_to_be_equal() -> None:
    assert _list_values([0.99241, 0.99239]).split() == ["99.24", "%", "for", "each"]
    assert _list_values([0.99241, 0.9931]).split() == ["99.24", "%", "and", "99.31", "%,", "in", "this", "order"]
